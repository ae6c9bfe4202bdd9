"""Tests of skipped tests: however a test is skipped, it fails."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.service_process import environment

WITHOUT = ("-p", "no:cacheprovider", "-p", "no:schemathesis")
"""Options for what the run does not need; Schemathesis takes long to load."""


@pytest.mark.parametrize(
    "body",
    [
        "import pytest\n@pytest.mark.skip(reason='why not')\ndef test_it(): pass\n",
        "import pytest\ndef test_it(): pytest.skip('why not')\n",
        "import pytest\npytest.skip('why not', allow_module_level=True)\n",
    ],
    ids=["by a mark", "in its body", "with its module"],
)
def test_a_skipped_test_fails_with_its_reason(tmp_path: Path, body: str) -> None:
    shutil.copy(CHECKOUT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_skipped.py").write_text(body)

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *WITHOUT, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        # Nothing that is measured runs there: its coverage is not recorded.
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode != 0
    assert "skipped tests fail: test_skipped.py" in run.stdout
    assert "why not" in run.stdout
