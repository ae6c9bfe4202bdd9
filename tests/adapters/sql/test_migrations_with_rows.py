"""Tests of migrations of databases with data, up and down: no row is lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import DBAPIError

from adapters.sql.engine import create_engine_for
from adapters.sql.migrate import downgrade, is_current, upgrade
from adapters.sql.reports.rollup_writes import add_cells
from adapters.sql.reports.tables import (
    agent_rollups,
    agent_unfolded_entries,
    call_rollups,
    unfolded_entries,
    weekly_rollups,
)
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from unite_core.notifications.model import ACTIVITY, DeliveryStatus, delivery_of
from unite_core.reports.rollup_counts import cells_of
from unite_core.reports.use_cases import FoldEntries, RebuildReports
from unite_core.testing.builders import a_lead, a_task, a_user, an_entry, an_event
from unite_core.testing.contracts.database import add_all
from unite_core.testing.contracts.rollups import a_history, check_all_results
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING as NOW

NEW_COLUMNS = (
    "delivery_id",
    "summary_at",
    "summary_tz",
    "summary_since",
    "one_time_until",
    "one_time_hash",
    "company",
    "company_key",
    "traceparent",
)
"""Columns that later migrations add to the tables of the second one."""


@pytest.fixture(params=["sqlite", "mysql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    mysql = request.param == "mysql"
    url: str = request.getfixturevalue("mysql_database") if mysql else f"sqlite:///{tmp_path}/unite.db"
    engine = create_engine_for(url)
    yield engine
    engine.dispose()


def rows(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """What the tables of the second migration hold, column by column."""
    with engine.connect() as connection:
        return {
            table: [dict(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY id").mappings()]
            for table in ("users", "leads", "outbox_events", "deliveries")
        }


def without_new_columns(rows_by_table: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {
        table: [{name: value for name, value in row.items() if name not in NEW_COLUMNS} for row in there]
        for table, there in rows_by_table.items()
    }


def fill(engine: Engine) -> None:
    work = SqlUnitOfWorkFactory(engine)
    add_all(work, a_user(), a_lead(email="grace@example.com"))
    with work() as unit:
        for _ in range(3):
            unit.record(an_event())
        unit.commit()
    with work() as unit:
        arrived, dead, _ = (it for it, _ in unit.deliveries.claim(ACTIVITY, now=NOW, until=NOW, limit=3))
        arrived.succeed({"message_id": "1"}, NOW)
        dead.refuse({"status": 400})
        unit.deliveries.save(arrived)
        unit.deliveries.save(dead)
        unit.commit()


def test_an_upgrade_keeps_all_rows(empty: Engine) -> None:
    upgrade(empty)
    fill(empty)
    downgrade(empty, "0002")
    before = rows(empty)

    upgrade(empty)

    assert without_new_columns(rows(empty)) == before
    with SqlUnitOfWorkFactory(empty, reading=True)() as unit:
        assert unit.deliveries.dead(limit=9) == 1


def test_a_downgrade_turns_skipped_deliveries_into_delivered_ones(empty: Engine) -> None:
    upgrade(empty)
    event = an_event()
    with SqlUnitOfWorkFactory(empty)() as unit:
        unit.record(event)
        unit.commit()
    skipped = delivery_of(event, ACTIVITY)
    skipped.skip({"reason": "no_phone"})
    with SqlUnitOfWorkFactory(empty)() as unit:
        unit.deliveries.update(skipped)
        unit.commit()

    downgrade(empty, "0002")
    with empty.begin() as connection, pytest.raises(DBAPIError, match="ck_deliveries_status"):
        connection.exec_driver_sql("UPDATE deliveries SET status = 'skipped'")
    upgrade(empty)

    with SqlUnitOfWorkFactory(empty, reading=True)() as unit:
        stored = unit.deliveries.get(skipped.id)
    assert (stored.status, stored.delivered_at) == (DeliveryStatus.DELIVERED, skipped.created_at)
    assert stored.response == {"reason": "no_phone"}


def test_a_downgrade_deletes_calls_together_with_their_tables(empty: Engine) -> None:
    upgrade(empty)
    ann, lead = a_user(), a_lead(status_chosen_at=NOW)
    task = a_task(lead, ann)
    add_all(SqlUnitOfWorkFactory(empty), ann, lead, task, an_entry(task))

    downgrade(empty, "0002")
    upgrade(empty)

    assert is_current(empty)
    with SqlUnitOfWorkFactory(empty, reading=True)() as unit:
        assert [*unit.tasks.iterate_by_id(None, limit=9)] == []
        assert unit.leads.get(lead.id).status_chosen_at is None


def test_calls_that_are_older_than_reports_are_counted(empty: Engine) -> None:
    upgrade(empty)
    work = SqlUnitOfWorkFactory(empty)
    history = a_history(work)
    add_all(work, *history.entries)
    FoldEntries(work)()
    folded = counted(empty)

    downgrade(empty, "0005")
    upgrade(empty)

    assert counted(empty) == folded


@pytest.mark.parametrize("folded", [0, 30, 70])
def test_an_upgrade_adds_rollups_per_agent_for_counted_calls(empty: Engine, folded: int) -> None:
    upgrade(empty)
    work = SqlUnitOfWorkFactory(empty)
    history = a_history(work)
    add_all(work, *history.entries[:folded])
    FoldEntries(work)()
    add_all(work, *history.entries[folded:])
    before = counted(empty)

    downgrade(empty, "0009~0007")
    upgrade(empty)

    assert counted(empty) == before
    check_all_results(work, history)


def test_an_upgrade_adds_weekly_rollups_for_counted_days(empty: Engine) -> None:
    upgrade(empty)
    work = SqlUnitOfWorkFactory(empty)
    history = a_history(work)
    add_all(work, *history.entries[:40])
    FoldEntries(work)()
    downgrade(empty, "0013~0007")
    add_all(work, *history.entries[40:])
    FoldEntries(work)()

    upgrade(empty)

    check_all_results(work, history)
    before = counted(empty)
    with empty.begin() as connection:
        connection.execute(weekly_rollups.delete().where(weekly_rollups.c.key == ""))
        connection.execute(weekly_rollups.update().values(connected=99))
    RebuildReports(work)()
    assert counted(empty) == before
    assert any(table == "weekly_rollups" for table, *_ in before)


@pytest.mark.parametrize("then", [FoldEntries, RebuildReports])
def test_calls_that_a_worker_of_the_previous_version_folds_are_counted_per_agent(
    empty: Engine, then: type[FoldEntries | RebuildReports]
) -> None:
    upgrade(empty)
    work = SqlUnitOfWorkFactory(empty)
    history = a_history(work)
    add_all(work, *history.entries[:40])
    FoldEntries(work)()
    add_all(work, *history.entries[40:])
    fold_as_the_version_before(empty, work, limit=20)

    check_all_results(work, history)
    then(work)()

    check_all_results(work, history)
    with empty.connect() as connection:
        assert connection.execute(select(agent_unfolded_entries)).all() == []


def test_workers_of_the_previous_and_the_current_version_can_fold_in_turns(empty: Engine) -> None:
    upgrade(empty)
    work = SqlUnitOfWorkFactory(empty)
    history = a_history(work)
    for first in range(0, len(history.entries), 14):
        add_all(work, *history.entries[first : first + 14])
        fold_as_the_version_before(empty, work, limit=5)
        with work() as unit:
            steps = unit.rollups.claim(limit=5)
            unit.rollups.catch_up(limit=3)
            unit.rollups.fold(steps, cells_of(steps))
            unit.commit()
        check_all_results(work, history, history.entries[: first + 14])

    FoldEntries(work)(limit=2)

    check_all_results(work, history)


def fold_as_the_version_before(engine: Engine, work: SqlUnitOfWorkFactory, *, limit: int) -> None:
    """Fold entries, and count none of them for each agent by source and by attempt."""
    with work() as unit:
        steps = unit.rollups.claim(limit=limit)
    known = {cell: tally for cell, tally in cells_of(steps).items() if cell.agent_id is None}
    with engine.begin() as connection:
        add_cells(connection, known)
        folded = [step.entry.id for step in steps]
        connection.execute(delete(unfolded_entries).where(unfolded_entries.c.entry_id.in_(folded)))


def counted(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [
            (table.name, *row)
            for table in (call_rollups, agent_rollups, weekly_rollups)
            for row in sorted(tuple(row) for row in connection.execute(select(table)))
            # A week that lost its last call stays, without one.
            if table is not weekly_rollups or any(row[3:])
        ]
