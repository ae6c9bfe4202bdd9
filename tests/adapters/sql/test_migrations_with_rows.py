"""What a database holds is still there after it was migrated, up and down."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from adapters.sql.engine import create_engine_for
from adapters.sql.migrate import downgrade, is_current, upgrade
from adapters.sql.report_tables import call_rollups
from adapters.sql.unit_of_work import SqlWork
from unite_core.notifications.model import ACTIVITY, DeliveryStatus, delivery_of
from unite_core.reports.use_cases import FoldEntries
from unite_core.testing.builders import a_lead, a_task, a_user, an_entry, an_event
from unite_core.testing.contracts.database import put
from unite_core.testing.contracts.rollups import a_history
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING as NOW

NEW_COLUMNS = ("delivery_id", "summary_at", "summary_tz", "summary_since", "one_time_until", "one_time_hash")
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


def without_new_columns(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {
        table: [{name: value for name, value in row.items() if name not in NEW_COLUMNS} for row in there]
        for table, there in found.items()
    }


def fill(engine: Engine) -> None:
    work = SqlWork(engine)
    put(work, a_user(), a_lead(email="grace@example.com"))
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


def test_what_was_there_before_an_upgrade_is_there_after_it(empty: Engine) -> None:
    upgrade(empty)
    fill(empty)
    downgrade(empty, "0002")
    before = rows(empty)

    upgrade(empty)

    assert without_new_columns(rows(empty)) == before
    with SqlWork(empty, reading=True)() as unit:
        assert unit.deliveries.dead(limit=9) == 1


def test_a_delivery_that_was_skipped_counts_as_one_that_arrived_in_the_version_before(empty: Engine) -> None:
    upgrade(empty)
    event = an_event()
    with SqlWork(empty)() as unit:
        unit.record(event)
        unit.commit()
    skipped = delivery_of(event, ACTIVITY)
    skipped.skip({"reason": "no_phone"})
    with SqlWork(empty)() as unit:
        unit.deliveries.put_back(skipped)
        unit.commit()

    downgrade(empty, "0002")
    with empty.begin() as connection, pytest.raises(DBAPIError, match="ck_deliveries_status"):
        connection.exec_driver_sql("UPDATE deliveries SET status = 'skipped'")
    upgrade(empty)

    with SqlWork(empty, reading=True)() as unit:
        found = unit.deliveries.get(skipped.id)
    assert (found.status, found.delivered_at) == (DeliveryStatus.DELIVERED, skipped.created_at)
    assert found.response == {"reason": "no_phone"}


def test_calls_go_with_the_migration_that_brought_them(empty: Engine) -> None:
    upgrade(empty)
    ann, lead = a_user(), a_lead(status_chosen_at=NOW)
    task = a_task(lead, ann)
    put(SqlWork(empty), ann, lead, task, an_entry(task))

    downgrade(empty, "0002")
    upgrade(empty)

    assert is_current(empty)
    with SqlWork(empty, reading=True)() as unit:
        assert [*unit.tasks.walk(None, limit=9)] == []
        assert unit.leads.get(lead.id).status_chosen_at is None


def test_calls_that_were_written_before_there_were_reports_are_counted(empty: Engine) -> None:
    upgrade(empty)
    work = SqlWork(empty)
    history = a_history(work)
    put(work, *history.entries)
    FoldEntries(work)()
    folded = counted(empty)

    downgrade(empty, "0005")
    upgrade(empty)

    assert counted(empty) == folded


def counted(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(select(call_rollups)))
