"""Tests of the triggers of the call ledger: the database itself refuses every change."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from adapters.sql.calls.tables import call_ledger
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallTask
from unite_core.testing.builders import a_lead, a_task, a_user, an_entry, an_id
from unite_core.testing.contracts.database import add_all

APPEND_ONLY = "The call ledger is append-only: "
NEVER_CHANGED = f"{APPEND_ONLY}an entry is never changed. Append a correction."
NEVER_TAKEN_AWAY = f"{APPEND_ONLY}an entry is never taken away."
WHOLE_ROW = "SELECT * FROM call_ledger WHERE number = 1"


@pytest.fixture(params=["engine", "mysql_engine"])
def any_engine(request: pytest.FixtureRequest) -> Engine:
    engine: Engine = request.getfixturevalue(request.param)
    return engine


@pytest.fixture
def task(any_engine: Engine) -> CallTask:
    ann, lead = a_user(), a_lead()
    task = a_task(lead, ann, assigned_to=ann.id)
    add_all(SqlUnitOfWorkFactory(any_engine), ann, lead, task)
    return task


@pytest.fixture
def chain(any_engine: Engine, task: CallTask) -> list[LedgerEntry]:
    first = an_entry(task)
    chain = [first, an_entry(task, [first])]
    add_all(SqlUnitOfWorkFactory(any_engine), *chain)
    return chain


def refused(engine: Engine, statement: str) -> str:
    """Return the database's error for a statement of the owner, after checking that nothing changed."""
    before = rows(engine)
    with engine.begin() as connection, pytest.raises(DBAPIError) as error:
        connection.exec_driver_sql(statement)
    assert rows(engine) == before
    return str(error.value.orig)


def rows(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(call_ledger).order_by(call_ledger.c.number))]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE call_ledger SET outcome = 'converted'",
        "UPDATE call_ledger SET hash = hash WHERE number = 1",
        "UPDATE call_ledger SET number = 3 WHERE number = 2",
    ],
)
def test_an_update_of_an_entry_is_refused(any_engine: Engine, chain: list[LedgerEntry], statement: str) -> None:
    assert chain
    assert NEVER_CHANGED in refused(any_engine, statement)


@pytest.mark.parametrize("statement", ["DELETE FROM call_ledger", "DELETE FROM call_ledger WHERE number = 2"])
def test_a_deletion_of_an_entry_is_refused(any_engine: Engine, chain: list[LedgerEntry], statement: str) -> None:
    assert chain
    assert NEVER_TAKEN_AWAY in refused(any_engine, statement)


def test_a_replacement_of_an_entry_is_refused(any_engine: Engine, chain: list[LedgerEntry]) -> None:
    assert chain
    assert APPEND_ONLY in refused(any_engine, f"REPLACE INTO call_ledger {WHOLE_ROW}")


def test_a_replacement_of_an_entry_by_one_with_another_id_is_refused(
    any_engine: Engine, task: CallTask, chain: list[LedgerEntry]
) -> None:
    columns = ", ".join(call_ledger.columns.keys())
    values = columns.replace("id, task_id", f"x'{an_id().hex}', task_id", 1)
    statement = f"REPLACE INTO call_ledger ({columns}) SELECT {values} FROM call_ledger WHERE number = 2"

    assert chain[0].task_id == task.id
    assert APPEND_ONLY in refused(any_engine, statement)


@pytest.mark.parametrize("rowid", ["rowid", "_rowid_", "oid"])
def test_a_replacement_of_an_entry_by_its_rowid_is_refused(engine: Engine, rowid: str) -> None:
    ann, lead = a_user(), a_lead()
    task, other = a_task(lead, ann), a_task(lead, ann)
    add_all(SqlUnitOfWorkFactory(engine), ann, lead, task, other, an_entry(task))
    columns = ", ".join(call_ledger.columns.keys())
    values = columns.replace("id, task_id", f"x'{an_id().hex}', x'{other.id.hex}'", 1)
    statement = f"REPLACE INTO call_ledger ({rowid}, {columns}) SELECT 1, {values} FROM call_ledger"

    assert f"no column named {rowid}" in refused(engine, statement)


def test_an_upsert_of_an_entry_is_refused(engine: Engine, any_engine: Engine, chain: list[LedgerEntry]) -> None:
    anyway = (
        " ON CONFLICT DO UPDATE SET outcome = 'converted'"
        if any_engine is engine
        else " ON DUPLICATE KEY UPDATE outcome = 'converted'"
    )

    assert chain
    assert APPEND_ONLY in refused(any_engine, f"INSERT INTO call_ledger {WHOLE_ROW}{anyway}")


def test_a_deletion_of_a_task_with_entries_is_refused(any_engine: Engine, chain: list[LedgerEntry]) -> None:
    assert chain
    assert "foreign key" in refused(any_engine, "DELETE FROM call_tasks").lower()
