"""Tests of the `verify-ledger` command: it reports the first fault of the call ledger, and changes nothing."""

import io
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from adapters.sql.engine import create_engine_for
from adapters.sql.migrate import upgrade
from entrypoints.bootstrap import OPERATOR, start
from entrypoints.cli.progress import CounterProgress
from entrypoints.settings import read_settings
from tests.cli.conftest import Command
from unite_core.calls.model import CallOutcome, Completion
from unite_core.calls.use_cases import CompletedCall, Correction, NewCallTask
from unite_core.identity.model import Actor, Role
from unite_core.identity.ports import UserFilter
from unite_core.leads.use_cases import NewLead
from unite_core.paging import PageRequest

Output = pytest.CaptureFixture[str]

DUE = datetime(2026, 3, 2, 15, tzinfo=UTC)
CONNECTED = Completion(outcome=CallOutcome.CONNECTED, duration_seconds=300)


@pytest.fixture
def with_calls(with_admin: Command) -> Command:
    """The same, on a data folder where two calls were made, and what was written of the second is corrected."""
    add_calls(os.environ)
    return with_admin


def add_calls(environ: Mapping[str, str]) -> None:
    with start(read_settings(environ)) as started:
        [admin] = started.unite.identity.list_users(OPERATOR, UserFilter(), PageRequest()).items
        ann = Actor(user_id=admin.id, role=Role.ADMIN)
        calls = started.unite.calls
        lead = started.unite.leads.add(ann, NewLead(name="Grace", phone="+12125550123"))
        tasks = [calls.create(ann, NewCallTask(lead_id=lead.id, due_at=DUE)).task for _ in range(2)]
        for task in tasks:
            calls.complete(ann, CompletedCall(task_id=task.id, completion=CONNECTED))
        [entry] = calls.get_ledger(ann, tasks[-1].id).entries
        calls.correct(ann, Correction(entry_id=entry.id, reason="A slip.", outcome=CallOutcome.VOICEMAIL))


@contextmanager
def database(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / "var" / "unite.sqlite3")) as connection, connection:
        yield connection


def without_triggers(connection: sqlite3.Connection) -> None:
    """Drop the triggers of the ledger, which needs the owner of the file."""
    triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'call_ledger'"
    for (name,) in connection.execute(triggers).fetchall():
        connection.execute(f"DROP TRIGGER {name}")


def test_an_unchanged_ledger_is_intact(with_calls: Command, capsys: Output) -> None:
    assert with_calls("verify-ledger") == 0

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("3 entries of 2 call tasks: every chain is whole.\n", "")


def test_an_empty_ledger_is_intact(with_admin: Command, capsys: Output) -> None:
    assert with_admin("verify-ledger") == 0

    assert capsys.readouterr().out == "0 entries of 0 call tasks: every chain is whole.\n"


def test_a_changed_entry_is_reported(with_calls: Command, tmp_path: Path, capsys: Output) -> None:
    with database(tmp_path) as connection:
        without_triggers(connection)
        connection.execute("UPDATE call_ledger SET duration_seconds = 3000 WHERE number = 2")
        [(task_id, entry_id)] = connection.execute("SELECT hex(task_id), hex(id) FROM call_ledger WHERE number = 2")

    assert with_calls("verify-ledger") == 1

    output = capsys.readouterr().out
    assert f"The chain of call task {dashed(task_id)} is broken at entry 2, {dashed(entry_id)}." in output
    assert "Its content is not what its hash was made of." in output


def test_a_deleted_entry_is_reported(with_calls: Command, tmp_path: Path, capsys: Output) -> None:
    with database(tmp_path) as connection:
        without_triggers(connection)
        [(task_id,)] = connection.execute("SELECT hex(min(task_id)) FROM call_ledger")
        connection.execute("DELETE FROM call_ledger WHERE task_id = (SELECT min(task_id) FROM call_ledger)")

    assert with_calls("verify-ledger") == 1

    output = capsys.readouterr().out
    assert f"The chain of call task {dashed(task_id)} is broken at entry 1, which is missing, or has no id." in output


def dashed(digits: str) -> str:
    digits = digits.lower()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def test_verify_ledger_writes_no_file(with_calls: Command, tmp_path: Path) -> None:
    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in (tmp_path / "var").rglob("*") if path.is_file()}

    before = content()

    assert with_calls("verify-ledger") == 0

    assert content() == before


def test_a_missing_database_is_not_created(command: Command, tmp_path: Path, capsys: Output) -> None:
    assert command("verify-ledger") == 1

    assert "The database is not there" in capsys.readouterr().err
    assert not (tmp_path / "var").exists()


def test_a_database_with_an_older_schema_is_not_upgraded(command: Command, tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "var").mkdir()
    engine = create_engine_for(f"sqlite:///{tmp_path / 'var' / 'unite.sqlite3'}")
    upgrade(engine, "0002")
    engine.dispose()

    assert command("verify-ledger") == 1

    assert "`migrate`" in capsys.readouterr().err
    assert command("migrate", "--check") == 1


def test_the_ledger_on_a_server_is_verified_too(
    command: Command, mysql_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("UNITE_DATABASE_URL", mysql_database)
    password = tmp_path / "password"
    password.write_text("correct horse battery\n")
    new = ("users", "create", "ann@example.com", "--name", "Ann", "--role", "admin")
    assert command(*new, "--password-file", str(password)) == 0
    add_calls(os.environ)
    capsys.readouterr()

    assert command("verify-ledger") == 0

    assert capsys.readouterr().out == "3 entries of 2 call tasks: every chain is whole.\n"


def test_progress_of_a_long_verification_is_shown_at_a_terminal() -> None:
    terminal, pipe = io.StringIO(), io.StringIO()

    for shown, forced in ((terminal, True), (pipe, False)):
        with CounterProgress(Console(file=shown, force_terminal=forced, width=80), after=0.0) as tally:
            tally.show("500 entries of 400 call tasks")
            tally.show("1,000 entries of 800 call tasks")

    assert "1,000 entries of 800 call tasks" in terminal.getvalue()
    assert pipe.getvalue() == ""


def test_progress_of_a_short_verification_is_not_shown() -> None:
    terminal = io.StringIO()

    with CounterProgress(Console(file=terminal, force_terminal=True, width=80)) as tally:
        tally.show("500 entries of 400 call tasks")

    assert terminal.getvalue() == ""
