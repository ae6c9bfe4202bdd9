"""Fixtures for the command line: commands run in this process."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from entrypoints.__main__ import main

Command = Callable[..., int]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return a function that runs a command on a new data folder, and returns the exit code."""
    _use(tmp_path, monkeypatch)
    return run_command


@pytest.fixture(scope="session")
def folder_with_admin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the data of an installation with an admin, Ann, and her password, to be copied.

    The database takes longer to make than most tests.
    """
    folder = tmp_path_factory.mktemp("with_admin")
    password = folder / "password"
    password.write_text("correct horse battery\n")
    arguments = ("users", "create", "ann@example.com", "--name", "Ann", "--role", "admin")
    with pytest.MonkeyPatch.context() as monkeypatch:
        _use(folder, monkeypatch)
        assert run_command(*arguments, "--password-file", str(password)) == 0
    return folder


@pytest.fixture
def with_admin(
    command: Command, folder_with_admin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Return the same function for a data folder with an admin, Ann, whose password stands in the file `password`."""
    shutil.copytree(folder_with_admin, tmp_path, dirs_exist_ok=True)
    capsys.readouterr()
    return command


def run_command(*arguments: str) -> int:
    """Run a command in this process, and return the exit code."""
    try:
        return main(arguments)
    except SystemExit as ended:  # argparse exits so for invalid arguments
        return int(ended.code or 0)


def _use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands run in that folder, with a data folder in it."""
    monkeypatch.setenv("UNITE_DATA_DIR", str(folder / "var"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(folder)
