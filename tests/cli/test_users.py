"""Tests of the `users` command: add users, list them, and set one-time passwords."""

import os
from pathlib import Path

import pytest

from entrypoints.bootstrap import start
from entrypoints.settings import read_settings
from tests.cli.conftest import Command
from tests.service_process import run
from unite_core.errors import Unauthenticated
from unite_core.identity.use_cases import Credentials

Output = pytest.CaptureFixture[str]


@pytest.fixture
def password(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text("correct horse battery\nanother line")
    return str(path)


def test_a_user_is_added_and_listed(command: Command, password: str, capsys: Output) -> None:
    new = ("users", "create", "Ben@Example.com", "--name", "Ben", "--phone", "+12125550101")

    assert command(*new, "--password-file", password) == 0
    assert command("users", "list") == 0

    assert "ben@example.com was added as agent." in capsys.readouterr().out
    command("users", "list")
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "ben@" in line]
    assert row.split()[:4] == ["ben@example.com", "Ben", "agent", "yes"]


def test_an_existing_user_is_refused(with_admin: Command, password: str, capsys: Output) -> None:
    again = ("users", "create", "ann@example.com", "--name", "Ann")

    assert with_admin(*again, "--password-file", password) == 1
    assert "address" in capsys.readouterr().err


def test_every_invalid_field_is_reported(command: Command, tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "short").write_text("short")

    assert command("users", "create", "nobody", "--name", " ", "--password-file", str(tmp_path / "short")) == 1

    errors = capsys.readouterr().err
    assert all(f"  {field}: " in errors for field in ("email", "name", "password"))


def test_an_unreadable_password_file_is_wrong_usage(command: Command, capsys: Output) -> None:
    assert command("users", "create", "b@example.com", "--name", "B", "--password-file", "nothing") == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_one_time_password_replaces_a_forgotten_one(with_admin: Command, capsys: Output) -> None:
    assert with_admin("users", "set-password", "Ann@Example.com") == 0

    said, password = capsys.readouterr().out.splitlines()
    assert said.startswith("ann@example.com has a one-time password until ")
    assert not _logs_in("correct horse battery")
    assert _logs_in(password)


def test_a_one_time_password_from_a_file_is_not_shown(with_admin: Command, capsys: Output, tmp_path: Path) -> None:
    (tmp_path / "one-time").write_text("a one-time password\n")

    assert with_admin("users", "set-password", "ann@example.com", "--password-file", str(tmp_path / "one-time")) == 0

    assert len(capsys.readouterr().out.splitlines()) == 1
    assert _logs_in("a one-time password")


@pytest.mark.usefixtures("with_admin")
def test_a_one_time_password_may_come_from_standard_input(tmp_path: Path) -> None:
    command = ("users", "set-password", "ann@example.com", "--password-file", "-")
    ended = run(tmp_path, *command, text="short\n")

    assert ended.returncode == 1
    assert "password: A password has at least 12 characters." in ended.stderr


def test_a_one_time_password_for_an_unknown_user_is_refused(with_admin: Command, capsys: Output) -> None:
    assert with_admin("users", "set-password", "nobody@example.com") == 2
    assert "There is no active user nobody@example.com." in capsys.readouterr().err


def _logs_in(password: str) -> bool:
    credentials = Credentials(email="ann@example.com", password=password, address="192.0.2.1")
    with start(read_settings(os.environ)) as started:
        try:
            return bool(started.unite.identity.log_in(credentials))
        except Unauthenticated:
            return False


def test_a_password_cannot_be_given_as_an_argument(command: Command) -> None:
    assert command("users", "create", "b@example.com", "--name", "B", "--password", "correct horse battery") == 2


def test_an_unknown_role_is_wrong_usage(command: Command) -> None:
    assert command("users", "create", "b@example.com", "--name", "B", "--role", "owner") == 2


def test_a_password_is_read_from_standard_input(tmp_path: Path) -> None:
    ended = run(tmp_path, "users", "create", "b@example.com", "--name", "B", text="correct horse battery\n")

    assert (ended.returncode, ended.stdout) == (0, "b@example.com was added as agent.\n")


@pytest.mark.parametrize(("again", "code"), [("correct horse battery", 0), ("correct horse batterie", 2)])
def test_at_a_terminal_a_password_is_asked_for_twice_without_echo(
    with_admin: Command, capsys: Output, monkeypatch: pytest.MonkeyPatch, again: str, code: int
) -> None:
    asked = iter(["correct horse battery", again])
    monkeypatch.setattr("sys.stdin", _Terminal())
    monkeypatch.setattr("getpass.getpass", lambda _: next(asked))

    assert with_admin("users", "create", "b@example.com", "--name", "B") == code
    assert "horse" not in "".join(capsys.readouterr())


class _Terminal:
    def isatty(self) -> bool:
        return True
