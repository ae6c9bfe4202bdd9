"""Tests of the systemd units: what they run, and their privileges."""

import subprocess
from pathlib import Path

import pytest

from tests.infra.pipelines.instance import SOURCE
from tests.infra.pipelines.units import problems, service

FOLDER = SOURCE / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))


def test_a_unit_has_only_the_privileges_that_it_needs() -> None:
    assert problems(FOLDER) == []


def test_the_two_units_differ_only_in_what_they_run() -> None:
    started = {path.stem: service(path)["ExecStart"] for path in UNITS}

    python = "/srv/unite/current/venv/bin/python -m entrypoints"
    assert started == {"unite-api": f"{python} serve --no-worker", "unite-worker": f"{python} work"}


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_accepts_every_line_of_a_unit(path: Path, tmp_path: Path) -> None:
    # A program that there is, or systemd says of this machine that the release is not installed.
    text = path.read_text("utf-8").replace("/srv/unite/current/venv/bin/python", "/bin/true")
    unit = tmp_path / path.name
    unit.write_text(text, "utf-8")

    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)

    assert (verified.returncode, verified.stderr) == (0, "")
