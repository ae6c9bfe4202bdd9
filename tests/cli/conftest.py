"""Fixtures for the command line: commands run in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from entrypoints.__main__ import main

Command = Callable[..., int]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return a function that runs a command on a new data folder, and returns the exit code."""
    monkeypatch.setenv("UNITE_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> int:
        try:
            return main(arguments)
        except SystemExit as ended:  # argparse exits so for invalid arguments
            return int(ended.code or 0)

    return run


@pytest.fixture
def with_admin(command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return the same function for a data folder with an admin, Ann."""
    password = tmp_path / "password"
    password.write_text("correct horse battery\n")
    arguments = ("users", "create", "ann@example.com", "--name", "Ann", "--role", "admin")
    assert command(*arguments, "--password-file", str(password)) == 0
    capsys.readouterr()
    return command
