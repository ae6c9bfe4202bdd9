"""A destination that does not come back, in a worker that RQ wakes: everybody else is told on time."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event as Signal
from threading import Thread
from uuid import UUID

import pytest

from adapters.redis.connection import RedisServer
from adapters.rq.jobs import RqJobs
from adapters.rq.worker import RqQueues
from entrypoints.worker.worker import Worker
from tests.service_process import eventually
from unite_core.application import Unite
from unite_core.calls.model import MISSED_AFTER, TaskStatus
from unite_core.events import Event
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import Destination
from unite_core.notifications.subscriptions import Subscription
from unite_core.testing.builders import an_event
from unite_core.testing.in_memory import in_memory_ports
from unite_core.testing.scenario import Scenario

TIMEOUT = 30.0
BLOCKED_FOR = 6.0
"""Seconds that the slow destination is waited for at least: longer than a sweep takes to come."""


@dataclass
class Listener(Destination):
    """Does `before` with what it is told, then remembers it."""

    name: str
    before: Callable[[], object] = lambda: None
    told: list[UUID] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.subscription = Subscription(name=self.name, batch_size=1)

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:  # noqa: ARG002 - it goes by ids
        self.before()
        self.told += [event.id for event in events]
        return [Receipt(accepted=True)] * len(events)


@pytest.fixture
def server(redis_url: str) -> Iterator[RedisServer]:
    server = RedisServer(redis_url)
    yield server
    server.close()


@contextmanager
def working(unite: Unite, jobs: RqJobs, redis_url: str) -> Iterator[None]:
    """A worker at the queues."""
    stop = Signal()
    worker = Worker(unite=unite, queues=RqQueues(redis_url, jobs), holder="me", stop=stop)
    thread = Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(TIMEOUT)


def test_a_destination_that_does_not_come_back_delays_neither_another_nor_the_sweep(
    server: RedisServer, redis_url: str
) -> None:
    blocked, release = Signal(), Signal()

    def block() -> None:
        blocked.set()
        assert release.wait(TIMEOUT)

    slow, quick = Listener("slow", block), Listener("quick")
    scenario = Scenario(in_memory_ports(destinations=(slow, quick)))
    jobs = RqJobs(server, destinations=scenario.unite.notifications.destinations)
    task = scenario.create_call_task()
    scenario.advance(timedelta(hours=2) + MISSED_AFTER)

    def tell() -> UUID:
        event = an_event(at=scenario.ports.clock.now())
        with scenario.ports.work() as work:
            work.record(event)
            work.commit()
        jobs.deliver_events()
        return event.id

    with working(scenario.unite, jobs, redis_url):
        try:
            tell()
            assert blocked.wait(TIMEOUT)
            until = time.monotonic() + BLOCKED_FOR
            while time.monotonic() < until:
                event_id = tell()
                eventually(lambda: event_id in quick.told, "the other one is told")  # noqa: B023 - it ends in this turn
                time.sleep(0.1)
            assert slow.told == []
            eventually(
                lambda: scenario.unite.calls.get(scenario.manager, task.id).task.status is TaskStatus.MISSED,
                "the missed call is marked",
            )
        finally:
            release.set()
        jobs.deliver_events()
        eventually(lambda: sorted(slow.told) == sorted(quick.told), "the slow one is told all of it, too")
