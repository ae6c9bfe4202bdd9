"""Three schedulers make daily summaries on one MySQL at once, after one died in the middle: each is made once."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import date, time
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from adapters.sql.engine import create_engine_for
from adapters.sql.events.tables import deliveries, outbox_events
from adapters.sql.migrate import upgrade
from adapters.sql.summaries.tables import daily_summaries
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from tests.service_process import Conversation, conversation, environment
from unite_core.identity.model import Role
from unite_core.identity.summary_settings import DailySummary
from unite_core.notifications.audience import DAILY_SUMMARY
from unite_core.testing.builders import a_user
from unite_core.testing.contracts.database import add_all

MANAGERS = 60
MADE_BEFORE_DEATH = 19
SIX_IN_BERLIN = "2026-03-02T17:00+00:00"
THE_NEXT_DAY = "2026-03-03T17:00+00:00"


@pytest.fixture
def engine(mysql_database: str) -> Iterator[Engine]:
    engine = create_engine_for(mysql_database)
    upgrade(engine)
    yield engine
    engine.dispose()


def scheduler(folder: Path, database: str, moment: str, *, until: int = 0) -> AbstractContextManager[Conversation]:
    """A process that makes summaries as at the moment; it dies over the one of that number."""
    command = ["tests.faults.crashing_worker", "summaries", moment, str(until)]
    return conversation(command, folder, environment(folder, UNITE_DATABASE_URL=database))


def go_on(*processes: Conversation) -> None:
    for process in processes:
        process.say()


def recorded(engine: Engine, day: str) -> Counter[str]:
    """How many events of the day are recorded for each user."""
    with engine.connect() as connection:
        payloads = connection.scalars(select(outbox_events.c.data).where(outbox_events.c.type == DAILY_SUMMARY)).all()
    return Counter(data["user_id"] for data in payloads if data["date"] == day)


def test_each_summary_is_made_once_although_a_scheduler_dies_and_three_others_go_on(
    tmp_path: Path, mysql_database: str, engine: Engine
) -> None:
    asked = DailySummary(at=time(18), tz="Europe/Berlin", since=date(2026, 3, 1))
    managers = [a_user(role=Role.MANAGER, daily_summary=asked) for _ in range(MANAGERS)]
    add_all(SqlUnitOfWorkFactory(engine), *managers)
    once = Counter({str(manager.id): 1 for manager in managers})

    with ExitStack() as stack:
        dying = stack.enter_context(scheduler(tmp_path, mysql_database, SIX_IN_BERLIN, until=MADE_BEFORE_DEATH + 1))
        others = [stack.enter_context(scheduler(tmp_path, mysql_database, SIX_IN_BERLIN)) for _ in range(3)]
        assert {process.hear() for process in (dying, *others)} == {"ready"}
        go_on(dying, *others)
        assert {process.hear() for process in (dying, *others)} == {"counted"}

        go_on(dying)
        assert dying.wait() == -signal.SIGKILL
        assert recorded(engine, "2026-03-02").total() == MADE_BEFORE_DEATH
        go_on(*others)
        made = [int(process.hear()) for process in others]

    assert sum(made) == MANAGERS - MADE_BEFORE_DEATH
    assert recorded(engine, "2026-03-02") == once
    with scheduler(tmp_path, mysql_database, SIX_IN_BERLIN) as restarted:
        assert restarted.hear() == "ready"
        go_on(restarted)
        assert restarted.hear() == "0"
    with scheduler(tmp_path, mysql_database, THE_NEXT_DAY) as next_day:
        assert next_day.hear() == "ready"
        go_on(next_day)
        assert next_day.hear() == "counted"
        go_on(next_day)
        assert next_day.hear() == str(MANAGERS)
    assert recorded(engine, "2026-03-03") == once
    with engine.connect() as connection:
        rows = connection.execute(
            select(daily_summaries.c.event_id, deliveries.c.id)
            .join_from(daily_summaries, deliveries, deliveries.c.event_id == daily_summaries.c.event_id)
            .where(deliveries.c.destination == "texts")
        ).all()
    assert len(rows) == 2 * MANAGERS
