"""A worker in a thread of the tests, over queues in this process or in Redis."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event as Signal
from threading import Thread
from typing import Any

import pytest

from adapters.local.worker_queues import LocalQueues
from adapters.redis.connection import RedisServer
from adapters.rq.jobs import RqJobs
from adapters.rq.worker import RqQueues
from entrypoints.correlation import correlation_id
from entrypoints.worker.worker import Queues, Worker
from unite_core.application import Unite

TIMEOUT = 30.0


@dataclass
class WakeUps:
    """Where a test wakes the worker, in place of the pipe."""

    woken: Signal = field(default_factory=Signal)

    def wake(self) -> None:
        self.woken.set()

    def wait(self, timeout: float) -> bool:
        woken = self.woken.wait(timeout)
        self.woken.clear()
        return woken

    def close(self) -> None:
        """Nothing is open."""


def local_queues(unite: Unite, wake_ups: WakeUps | None = None) -> LocalQueues:
    destinations = [*unite.notifications.destinations]
    return LocalQueues(wake_ups or WakeUps(), destinations=destinations, correlation_id=correlation_id)


@contextmanager
def queues_named(name: str, request: pytest.FixtureRequest) -> Iterator[Callable[[Unite], Queues]]:
    """What makes the queues of that name, `local` or `rq`, for the destinations of an application."""
    if name == "local":
        yield local_queues
        return
    url = request.getfixturevalue("redis_url")
    server = RedisServer(url)

    def rq_queues(unite: Unite) -> Queues:
        jobs = RqJobs(server, destinations=[*unite.notifications.destinations], correlation_id=correlation_id)
        return RqQueues(url, jobs)

    yield rq_queues
    server.close()


@contextmanager
def working(unite: Unite, queues: Queues, **options: Any) -> Iterator[Signal]:
    """Run a worker in a thread while the block runs; yields what stops it."""
    stop = Signal()
    given: dict[str, Any] = {"unite": unite, "queues": queues, "holder": "me", "stop": stop}
    thread = Thread(target=Worker(**(given | options)).run)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(TIMEOUT)
    assert not thread.is_alive()
