"""Tests of `verify-ledger` with values that Unite never writes: it reports them and does not crash."""

import os
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine

from entrypoints.bootstrap import OPERATOR, start
from entrypoints.settings import read_settings
from tests.cli.conftest import Command
from tests.cli.test_verify_ledger import Output, add_calls, dashed, database, without_triggers
from unite_core.calls.ledger import ChainFault

UNREADABLE = {
    "an outcome": "outcome = 'splendid'",
    "an empty outcome": "outcome = ''",
    "a kind": "kind = 'forgotten'",
    "a moment": "at = 'yesterday'",
    "a moment that never was": "at = 9000000000000000000",
    "a duration": "duration_seconds = 'long'",
    "bytes for a note": "note = x'00ff'",
    "a note that is no text": "note = CAST(x'ff80' AS TEXT)",
    "bytes for a hash": "hash = x'00ff'",
    "half an id": "lead_id = x'00ff'",
    "text for an id": "agent_id = 'somebody'",
}


@pytest.fixture
def with_calls(with_admin: Command) -> Command:
    add_calls(os.environ)
    return with_admin


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("what", UNREADABLE)
def test_an_unreadable_entry_is_reported(
    with_calls: Command, tmp_path: Path, capsys: Output, what: str, number: int
) -> None:
    corrected = "task_id = (SELECT max(task_id) FROM call_tasks_corrected)"
    with database(tmp_path) as connection:
        without_triggers(connection)
        connection.execute("PRAGMA ignore_check_constraints = on")
        connection.execute("CREATE TEMP VIEW call_tasks_corrected AS SELECT task_id FROM call_ledger WHERE number = 2")
        connection.execute(f"UPDATE call_ledger SET {UNREADABLE[what]} WHERE {corrected} AND number = {number}")
        statement = f"SELECT hex(task_id), hex(id) FROM call_ledger WHERE {corrected} AND number = {number}"
        [(task_id, entry_id)] = connection.execute(statement)

    assert with_calls("verify-ledger") == 1

    captured = capsys.readouterr()
    assert f"The chain of call task {dashed(task_id)} is broken at entry {number}, {dashed(entry_id)}." in captured.out
    assert "It cannot be read." in captured.out
    assert captured.err == ""


def test_a_ledger_with_an_unreadable_entry_shows_the_readable_ones(with_calls: Command, tmp_path: Path) -> None:
    assert with_calls("verify-ledger") == 0
    with database(tmp_path) as connection:
        without_triggers(connection)
        connection.execute("PRAGMA ignore_check_constraints = on")
        connection.execute("UPDATE call_ledger SET outcome = 'splendid' WHERE number = 2")
        [(task_id, entry_id)] = connection.execute("SELECT task_id, id FROM call_ledger WHERE number = 2")

    with start(read_settings(os.environ)) as started:
        ledger = started.unite.calls.get_ledger(OPERATOR, UUID(bytes=task_id))

    assert [entry.number for entry in ledger.entries] == [1]
    assert ledger.broken == ChainFault(
        task_id=UUID(bytes=task_id), entry_id=UUID(bytes=entry_id), number=2, reason="It cannot be read."
    )


def test_an_entry_with_an_unreadable_id_is_reported(with_calls: Command, tmp_path: Path, capsys: Output) -> None:
    with database(tmp_path) as connection:
        without_triggers(connection)
        connection.execute("UPDATE call_ledger SET id = x'00ff' WHERE number = 2")

    assert with_calls("verify-ledger") == 1

    assert "is broken at entry 2, which is missing, or has no id.\nIt cannot be read." in capsys.readouterr().out


@pytest.mark.parametrize(
    "what", ["status = 'forgotten'", "outcome = 'splendid'", "due_at = 'soon'", "lead_id = x'00ff'"]
)
def test_an_unreadable_task_is_reported(with_calls: Command, tmp_path: Path, capsys: Output, what: str) -> None:
    with database(tmp_path) as connection:
        connection.execute("PRAGMA ignore_check_constraints = on")
        connection.execute(f"UPDATE call_tasks SET {what} WHERE id = (SELECT max(id) FROM call_tasks)")
        [(task_id, entry_id)] = connection.execute(
            "SELECT hex(task_id), hex(id) FROM call_ledger WHERE number = 1 ORDER BY task_id DESC LIMIT 1"
        )

    assert with_calls("verify-ledger") == 1

    output = capsys.readouterr().out
    assert f"The chain of call task {dashed(task_id)} is broken at entry 1, {dashed(entry_id)}." in output
    assert "Its task cannot be read." in output


def test_entries_without_their_task_are_reported(with_calls: Command, tmp_path: Path, capsys: Output) -> None:
    with database(tmp_path) as connection:
        [(task_id, entry_id)] = connection.execute(
            "SELECT hex(task_id), hex(id) FROM call_ledger WHERE number = 1 ORDER BY task_id LIMIT 1"
        )
        connection.execute("DELETE FROM call_tasks WHERE id = (SELECT min(id) FROM call_tasks)")

    assert with_calls("verify-ledger") == 1

    output = capsys.readouterr().out
    assert f"The chain of call task {dashed(task_id)} is broken at entry 1, {dashed(entry_id)}." in output
    assert "Its task is missing." in output


def test_entries_with_an_invalid_task_id_are_reported(with_calls: Command, tmp_path: Path, capsys: Output) -> None:
    with database(tmp_path) as connection:
        without_triggers(connection)
        connection.execute("UPDATE call_ledger SET task_id = 'none' WHERE number = 2")

    assert with_calls("verify-ledger") == 1

    assert "The chain of a call task without an id is broken at entry 2" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["outcome = 'splendid'", "kind = 'forgotten'"])
def test_an_unreadable_entry_is_reported_on_mysql_too(
    command: Command, mysql_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output, what: str
) -> None:
    monkeypatch.setenv("UNITE_DATABASE_URL", mysql_database)
    password = tmp_path / "password"
    password.write_text("correct horse battery\n")
    new = ("users", "create", "ann@example.com", "--name", "Ann", "--role", "admin")
    assert command(*new, "--password-file", str(password)) == 0
    add_calls(os.environ)
    capsys.readouterr()
    root = create_engine(mysql_database)
    with root.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER call_ledger_changed")
        for check in ("kind", "outcome"):
            connection.exec_driver_sql(f"ALTER TABLE call_ledger DROP CONSTRAINT ck_call_ledger_{check}")
        connection.exec_driver_sql(f"UPDATE call_ledger SET {what} WHERE number = 2")
        [(task_id, entry_id)] = connection.exec_driver_sql(
            "SELECT hex(task_id), hex(id) FROM call_ledger WHERE number = 2"
        ).all()
    root.dispose()

    assert command("verify-ledger") == 1

    output = capsys.readouterr().out
    assert f"The chain of call task {dashed(task_id)} is broken at entry 2, {dashed(entry_id)}." in output
    assert "It cannot be read." in output
