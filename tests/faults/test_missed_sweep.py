"""Several workers sweep one MySQL for missed calls at once, and one of them dies in the middle: each is missed once."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from adapters.sql.engine import create_engine_for
from adapters.sql.events.tables import outbox_events
from tests.live_scenario import LOGS, LiveScenario, all_items, call_tasks, iso_time
from tests.service_process import Conversation, Service, conversation, environment, run

CALLS = 300
LEADS = 10
NO_WORKER = ("entrypoints", "serve", "--no-worker")


@pytest.fixture
def one(tmp_path: Path, mysql_database: str) -> Iterator[Service]:
    it = Service(tmp_path, {"UNITE_DATABASE_URL": mysql_database}, command=NO_WORKER)
    try:
        it.start()
        yield it
    finally:
        it.kill_all()


def sweeping(one: Service, *, at_once: int, until: int = 0) -> AbstractContextManager[Conversation]:
    """A process that sweeps once it is told a line; it dies over the task of that number."""
    command = ["tests.faults.crashing_worker", "sweep", str(at_once), str(until)]
    return conversation(command, one.folder, environment(one.folder, **one.settings))


def events_by_lead(one: Service, kind: str) -> Counter[str]:
    """How many events of the kind are recorded of each task."""
    engine = create_engine_for(one.settings["UNITE_DATABASE_URL"])
    with engine.connect() as connection:
        recorded = connection.scalars(select(outbox_events.c.data).where(outbox_events.c.type == kind)).all()
    engine.dispose()
    return Counter(data["task_id"] for data in recorded)


def test_each_of_three_hundred_calls_is_missed_once_although_a_worker_dies_among_them(one: Service) -> None:
    scenario = LiveScenario(one.client())
    agent, manager = scenario.add_user("agent"), scenario.add_user("manager")
    leads = [scenario.lead(f"Lead {number}") for number in range(LEADS)]
    overdue = call_tasks(manager, agent, leads * (CALLS // LEADS), due_at=iso_time(-timedelta(hours=1)))
    call_tasks(manager, agent, leads, due_at=iso_time(-timedelta(minutes=1)))

    with ExitStack() as stack:
        dying = stack.enter_context(sweeping(one, at_once=100, until=50))
        others = [stack.enter_context(sweeping(one, at_once=20)) for _ in range(3)]
        assert {process.hear() for process in (dying, *others)} == {"ready"}
        for process in (dying, *others):
            process.say()
        marked = sum(int(process.hear()) for process in others)
        assert dying.wait() == -signal.SIGKILL
    with sweeping(one, at_once=100) as next_one:
        next_one.say()
        assert next_one.hear() == "ready"
        left = int(next_one.hear())

    assert marked + left == CALLS
    entries = all_items(scenario.admin, LOGS)
    assert Counter(entry["task_id"] for entry in entries) == Counter(overdue)
    assert {(entry["kind"], entry["agent_id"], entry["actor_id"]) for entry in entries} == {("missed", agent.id, None)}
    missed = all_items(scenario.admin, "/v1/call-tasks", status="missed")
    assert {task["id"] for task in missed} == set(overdue)
    assert run(one.folder, "verify-ledger", **one.settings).returncode == 0
    assert events_by_lead(one, "call_task.missed") == Counter(overdue)
