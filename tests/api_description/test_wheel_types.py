"""A service that imports the two wheels passes the strict type checker with their types."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.test_adapters_wheel import SERVICE, build_wheels

TIMEOUT = 240.0


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of both wheels, and with the service."""
    folder = tmp_path_factory.mktemp("typed")
    for wheel in build_wheels(folder).glob("*.whl"):
        shutil.unpack_archive(wheel, folder / "packages", "zip")
    shutil.copy(SERVICE, folder)
    return folder


def check(folder: Path, file: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", file],
        cwd=folder,
        env={"MYPYPATH": str(folder / "packages"), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def test_the_service_passes_the_strict_type_checker(installed: Path) -> None:
    checked = check(installed, SERVICE.name)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_checker_notices_an_argument_that_would_be_refused(installed: Path) -> None:
    careless = installed / "careless.py"
    careless.write_text((installed / SERVICE.name).read_text("utf-8").replace('b"s" * 32', '"s" * 32'), "utf-8")

    checked = check(installed, careless.name)

    assert checked.returncode == 1
    assert 'Dict entry 0 has incompatible type "str": "str"' in checked.stdout
