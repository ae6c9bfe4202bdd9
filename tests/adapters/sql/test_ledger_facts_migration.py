"""Tests of the migration that adds call time, source and attempt number to ledger entries; all chains stay valid."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Table, event, insert, inspect, select
from sqlalchemy.exc import DBAPIError

from adapters.sql.calls.call_ledger import _entry_to_row as entry_row
from adapters.sql.calls.tables import call_ledger
from adapters.sql.engine import create_engine_for
from adapters.sql.identity.tables import users
from adapters.sql.identity.users import _to_row as user_row
from adapters.sql.leads.leads import SqlLeads
from adapters.sql.leads.tables import leads
from adapters.sql.migrate import MIGRATIONS, downgrade, is_current, upgrade
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from unite_core.calls.ledger import EntryKind, LedgerEntry, closing_entry, corrected_call_time, link_to_chain
from unite_core.calls.model import CallOutcome, CallTask, Completion, TaskStatus
from unite_core.calls.use_cases.verification import VerificationResult, VerifyLedger
from unite_core.identity.model import User
from unite_core.leads.model import Lead
from unite_core.testing.builders import a_lead, a_task, a_user, an_entry, an_id
from unite_core.testing.contracts.database import add_all
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING as NOW

NEW = {"called_at", "source", "attempt", "format"}
HOUR = timedelta(hours=1)


@pytest.fixture(params=["sqlite", "mysql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database at the migration before."""
    mysql = request.param == "mysql"
    url: str = request.getfixturevalue("mysql_database") if mysql else f"sqlite:///{tmp_path}/unite.db"
    engine = create_engine_for(url)
    upgrade(engine, "0004")
    yield engine
    engine.dispose()


class History:
    """Chains as the version before wrote them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.ann = a_user()
        self.leads: list[Lead] = []
        create_user(engine, self.ann)

    def lead(self, **changes: Any) -> Lead:
        lead = a_lead(**changes)
        create_lead(self._engine, lead)
        self.leads.append(lead)
        return lead

    def made(self, lead: Lead, hour: int, *corrections: dict[str, Any], **completion: Any) -> CallTask:
        made = Completion(**{"outcome": CallOutcome.BUSY, "duration_seconds": 60, **completion})
        return self._closed(lead, hour, corrections, status=TaskStatus.COMPLETED, completion=made)

    def not_made(self, lead: Lead, hour: int, *corrections: dict[str, Any], cancelled: bool = False) -> CallTask:
        status = TaskStatus.CANCELLED if cancelled else TaskStatus.MISSED
        return self._closed(lead, hour, corrections, status=status)

    def _closed(self, lead: Lead, hour: int, corrections: tuple[dict[str, Any], ...], **changes: Any) -> CallTask:
        at = NOW + hour * HOUR
        task = a_task(lead, self.ann, assigned_to=self.ann.id, closed_at=at, due_at=at - 3 * HOUR, **changes)
        add_all(SqlUnitOfWorkFactory(self._engine), task)
        chain = [link_to_chain(replace(closing_entry(an_id(), task, self.ann.id), format=1), [])]
        for correction in corrections:
            said = {"outcome": chain[-1].outcome, "duration_seconds": chain[-1].duration_seconds, **correction}
            said.setdefault("started_at", chain[-1].started_at)
            chain.append(an_entry(task, chain, at=at + 48 * HOUR, format=1, **said))
        with self._engine.begin() as connection:
            for entry in chain:
                write(connection, entry)
        return task


def create_user(engine: Engine, user: User) -> None:
    """Add a user as the version before did, which knew fewer columns."""
    known = known_columns(engine, users)
    with engine.begin() as connection:
        connection.execute(insert(users), {name: value for name, value in user_row(user).items() if name in known})


def create_lead(engine: Engine, lead: Lead) -> None:
    """Add a lead as the version before did, which knew fewer columns."""
    known = known_columns(engine, leads)
    with engine.begin() as connection:
        [row] = SqlLeads(connection, set())._to_rows([lead])
        values = {name: value for name, value in zip(leads.c.keys(), row, strict=True) if name in known}
        marks = ", ".join(["?" if engine.dialect.name == "sqlite" else "%s"] * len(values))
        connection.exec_driver_sql(f"INSERT INTO leads ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


def known_columns(engine: Engine, table: Table) -> set[str]:
    """Return the columns that the table has in the schema of the engine's database."""
    return {column["name"] for column in inspect(engine).get_columns(table.name)}


def write(connection: Connection, entry: LedgerEntry) -> None:
    connection.execute(
        insert(call_ledger), {name: value for name, value in entry_row(entry).items() if name not in NEW}
    )


def chain_of(engine: Engine, task: CallTask) -> list[LedgerEntry]:
    with SqlUnitOfWorkFactory(engine, reading=True)() as unit:
        return [*unit.ledger.chains([task.id])[task.id]]


def facts(engine: Engine, task: CallTask) -> list[tuple[Any, ...]]:
    """When the call was, in hours from the beginning, and source and attempt, of each entry."""
    return [((it.called_at - NOW) / HOUR, it.source, it.attempt) for it in chain_of(engine, task)]


def test_every_entry_gets_call_time_source_and_attempt_and_its_chain_verifies(old: Engine) -> None:
    history = History(old)
    fair, web = history.lead(source="fair"), history.lead(source="web")
    minute = 1 / 60
    third = history.made(fair, 9)
    first = history.made(fair, 10, started_at=NOW + 2 * HOUR)
    second = history.made(fair, 5, {"duration_seconds": 7200}, {"outcome": CallOutcome.CONNECTED})
    missed = history.not_made(fair, 4)
    cancelled = history.not_made(fair, 4, cancelled=True)
    after_all = history.not_made(web, 5, {"outcome": CallOutcome.CONVERTED, "duration_seconds": 60})
    late = history.not_made(
        web,
        5,
        {"outcome": CallOutcome.BUSY, "duration_seconds": 0, "started_at": NOW + 4 * HOUR},
        {"duration_seconds": 5},
    )
    made = history.made(web, 9, {"started_at": NOW + HOUR})

    upgrade(old)

    assert is_current(old)
    assert facts(old, first) == [(2, "fair", 1)]
    assert facts(old, second) == [(5 - minute, "fair", 2), (3, "fair", 2), (3, "fair", 2)]
    assert facts(old, third) == [(9 - minute, "fair", 3)]
    assert facts(old, missed) == [(1, "fair", None)]
    assert facts(old, cancelled) == [(1, "fair", None)]
    assert facts(old, made) == [(9 - minute, "web", 1), (1, "web", 1)]
    assert facts(old, after_all) == [(2, "web", None), (2, "web", 2)]
    assert facts(old, late) == [(2, "web", None), (4, "web", 3), (4, "web", 3)]
    assert {it.format for task in (first, late) for it in chain_of(old, task)} == {1}
    for task in (second, after_all, late, made):
        head, *corrections = chain_of(old, task)
        assert [it.called_at for it in corrections] == [corrected_call_time(head, it) for it in corrections]
    assert VerifyLedger(SqlUnitOfWorkFactory(old, reading=True))() == VerificationResult(tasks=8, entries=14)


def test_the_calls_of_each_lead_are_counted(old: Engine) -> None:
    history = History(old)
    called, missed = history.lead(), history.lead()
    history.made(called, 5, {"outcome": CallOutcome.CONNECTED})
    history.made(called, 9, started_at=NOW + HOUR)
    history.not_made(called, 9)
    history.not_made(missed, 9)

    upgrade(old)

    with SqlUnitOfWorkFactory(old, reading=True)() as unit:
        counts = unit.lead_calls.get([lead.id for lead in history.leads])
    assert counts.keys() == {called.id}
    assert counts[called.id].outcomes == {CallOutcome.CONNECTED: 1, CallOutcome.BUSY: 1}
    assert counts[called.id].first_called_at == NOW + HOUR


def test_the_ledger_is_continued_and_protected_after_the_migration(old: Engine) -> None:
    history = History(old)
    task = history.made(history.lead(), 5)
    upgrade(old)

    chain = chain_of(old, task)
    add_all(SqlUnitOfWorkFactory(old), an_entry(task, chain, called_at=NOW + 5 * HOUR - timedelta(seconds=300)))

    assert [it.format for it in chain_of(old, task)] == [1, 2]
    assert VerifyLedger(SqlUnitOfWorkFactory(old, reading=True))() == VerificationResult(tasks=1, entries=2)
    for statement in ("UPDATE call_ledger SET attempt = 2", "DELETE FROM call_ledger"):
        with old.begin() as connection, pytest.raises(DBAPIError, match="append-only"):
            connection.exec_driver_sql(statement)


def test_a_ledger_that_is_migrated_in_several_batches_gets_the_same_values(old: Engine) -> None:
    history = History(old)
    tasks = [history.made(history.lead(), hour) for hour in (3, 4) for _ in range(5)]
    tasks += [history.made(lead, 2) for lead in history.leads]
    migration: Any = ScriptDirectory(str(MIGRATIONS)).get_revision("0005").module
    migration.CHUNK = 3

    with old.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        migration.upgrade()

    attempts = Counter(it.attempt for task in tasks for it in chain_of(old, task))
    assert attempts == {1: 10, 2: 10}
    assert VerifyLedger(SqlUnitOfWorkFactory(old, reading=True))() == VerificationResult(tasks=20, entries=20)


def test_the_previous_version_cannot_add_entries_without_the_new_values(old: Engine) -> None:
    history = History(old)
    task = history.made(history.lead(), 5)
    upgrade(old)

    with old.begin() as connection, pytest.raises(DBAPIError):
        write(connection, an_entry(task, chain_of(old, task)))


def test_no_entry_can_be_added_during_the_migration(mysql_database: str) -> None:
    engine, other = create_engine_for(mysql_database), create_engine_for(mysql_database)
    upgrade(engine, "0004")
    history = History(engine)
    task = history.made(history.lead(), 5)
    refusals: list[str] = []

    def write_meanwhile(*execution: Any) -> None:
        if "SET l.attempt" in execution[2]:
            with other.begin() as connection, pytest.raises(DBAPIError) as refusal:
                write(connection, an_entry(task, number=2, kind=EntryKind.CORRECTION))
            refusals.append(str(refusal.value))

    event.listen(engine, "before_cursor_execute", write_meanwhile)
    upgrade(engine)

    assert ["is being migrated" in refusal for refusal in refusals] == [True]
    engine.dispose()
    other.dispose()


def test_an_interrupted_migration_can_be_continued(mysql_database: str) -> None:
    engine = create_engine_for(mysql_database)
    upgrade(engine, "0004")
    history = History(engine)
    task = history.made(history.lead(), 5)
    upgrade(engine, "0005")
    with engine.begin() as connection:
        # As it stands after the first portion.
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0004'")
        connection.exec_driver_sql("DROP TRIGGER call_ledger_changed")
        connection.exec_driver_sql(
            "ALTER TABLE call_ledger MODIFY called_at DATETIME(6), ALTER COLUMN format SET DEFAULT 1,"
            " DROP INDEX ix_call_ledger_called, DROP INDEX ix_call_ledger_agent_called,"
            " DROP INDEX ix_call_ledger_lead_called"
        )
        connection.exec_driver_sql("UPDATE call_ledger SET attempt = NULL")

    upgrade(engine)

    assert facts(engine, task) == [(5 - 1 / 60, "api", 1)]
    assert "ix_call_ledger_lead_called" in {index["name"] for index in inspect(engine).get_indexes("call_ledger")}
    assert VerifyLedger(SqlUnitOfWorkFactory(engine, reading=True))() == VerificationResult(tasks=1, entries=1)
    with engine.begin() as connection, pytest.raises(DBAPIError, match="append-only"):
        connection.exec_driver_sql("UPDATE call_ledger SET attempt = 2")
    engine.dispose()


def test_a_downgrade_keeps_all_entries(old: Engine) -> None:
    history = History(old)
    task = history.made(history.lead(), 5, {"outcome": CallOutcome.CONNECTED})
    names = sorted({each.name for each in fields(LedgerEntry)} - NEW)
    stored = select(*(call_ledger.c[name] for name in names)).order_by(call_ledger.c.number)
    with old.connect() as connection:
        before = connection.execute(stored).all()

    upgrade(old)
    downgrade(old, "0004")

    with old.connect() as connection:
        assert connection.execute(stored).all() == before
    with old.begin() as connection, pytest.raises(DBAPIError, match="append-only"):
        connection.exec_driver_sql("UPDATE call_ledger SET note = NULL")
    upgrade(old)
    assert is_current(old)
    assert [it.attempt for it in chain_of(old, task)] == [1, 1]
