"""Tests of the wheel of the core: only unite_core, typed, and the example of its README runs on it alone."""

import os
import re
import subprocess
import sys
import venv
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.conftest import CHECKOUT


def _run(*command: str | Path, cwd: Path, **variables: str) -> str:
    # Without coverage, which would measure a copy that is gone when it reports.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    arguments, environment = [str(part) for part in command], {**inherited, **variables}
    run = subprocess.run(arguments, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def library_example() -> str:
    """The Python blocks below the README's heading "As a library", one after the other."""
    readme = (CHECKOUT / "README.md").read_text("utf-8")
    section = re.split(r"^## ", readme.partition("\n## As a library\n")[2], flags=re.MULTILINE)[0]
    blocks = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert blocks, "README.md has no Python block below the heading 'As a library'"
    return "\n".join(blocks)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_core_wheel(tmp_path_factory.mktemp("wheel"))


def build_core_wheel(folder: Path) -> Path:
    """Build a source distribution from the checkout, and the wheel from that."""
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", CHECKOUT, cwd=folder)
    (built,) = (folder / "dist").glob("*.whl")
    return built


def metadata(wheel: Path) -> Message:
    """What the wheel says of itself; its description is the payload."""
    return HeaderParser().parsestr(ZipFile(wheel).read("unite_core-0.1.0.dist-info/METADATA").decode())


def test_the_wheel_contains_only_the_core(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}

    assert tops == {"unite_core", "unite_core-0.1.0.dist-info"}
    modules = {path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "unite_core").rglob("*.py")}
    assert {
        name.replace("/_", "/").replace("/_init__", "/__init__") for name in names if name.endswith(".py")
    } == modules


def test_the_wheel_is_marked_as_typed(wheel: Path) -> None:
    assert "unite_core/py.typed" in ZipFile(wheel).namelist()


def test_the_wheel_requires_two_libraries_and_names_its_licence(wheel: Path) -> None:
    fields = metadata(wheel)

    required = fields.get_all("Requires-Dist", [])

    always = {re.split(r"[^A-Za-z0-9_-]", line)[0] for line in required if "extra ==" not in line}
    assert always == {"phonenumbers", "email-validator"}
    assert fields["License-Expression"] == "Apache-2.0"
    assert fields.get_all("License-File") == ["LICENSE", "NOTICE"]


def test_the_requirements_of_the_contract_suites_are_an_extra(wheel: Path) -> None:
    fields = metadata(wheel)

    assert fields.get_all("Provides-Extra") == ["testing"]
    assert [line for line in fields.get_all("Requires-Dist", []) if "extra ==" in line] == [
        'pytest; extra == "testing"'
    ]


def test_the_description_of_the_wheel_has_no_links_into_the_repository(wheel: Path) -> None:
    text = metadata(wheel).get_payload()

    assert isinstance(text, str)
    assert text.startswith("# unite-core")
    assert re.findall(r"\]\((?!https?:)[^)]*\)|<img", text) == []


def test_the_readme_example_runs_on_the_wheel_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    example = tmp_path / "example.py"
    example.write_text(library_example(), "utf-8")
    locked = CHECKOUT / "requirements" / "core.txt"
    # The pip of the tests: to install another one takes longer than all the rest.
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    _run(*pip, "install", "-q", "--no-compile", "--require-hashes", "-r", locked, cwd=tmp_path)
    _run(*pip, "install", "-q", "--no-deps", wheel, cwd=tmp_path)

    _run(python, "-W", "error", example, cwd=tmp_path)

    _run(*pip, "check", cwd=tmp_path)
    elsewhere = (
        "from importlib.util import find_spec as f; print([n for n in ('adapters', 'entrypoints', 'tests') if f(n)])"
    )
    assert _run(python, "-c", elsewhere, cwd=tmp_path).strip() == "[]"
