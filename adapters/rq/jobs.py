"""Waking workers through RQ, by way of a Redis that may be away."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar
from uuid import UUID

from redis import Redis
from rq import Queue, Retry
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

from unite_core.errors import Unavailable
from unite_core.jobs import Jobs

T = TypeVar("T")

IMPORTS = "imports"
UPKEEP = "upkeep"
"""The queues, beside one for the events of each destination. Each has a thread of each worker to itself."""

FUNCTIONS = "entrypoints.worker.jobs"
"""Where the functions are that carry the jobs out; a job names one of them, and nothing imports it by that name."""

NO_TIMEOUT = -1
"""A job ends by itself, after a turn at the latest; an exception thrown into its transaction would help nobody."""

DONE_JOB_TTL = 60
"""Seconds that a job which waits keeps its name, should a worker die in the moment of taking it from the queue."""

FAILED_JOB_TTL = 3600
"""Seconds that a job which failed can be looked at. What it was for stands in the database, where the sweep looks."""

RETRIES = (1, 3, 10, 30)
"""Seconds before each further attempt at a job that failed."""


def queue_name(destination: str) -> str:
    """The queue of the events that one destination is told of: one that is slow holds up no other."""
    return f"events-{destination}"


class RedisConnection(Protocol):
    """The way to a Redis server, with its timeouts and its circuit breaker."""

    def call(self, command: Callable[[Redis], T], /) -> T:
        """What the command returns; raises `Unavailable` where Redis fails, or did a moment ago."""
        ...


class RqJobs(Jobs):
    """Puts jobs into queues of RQ, each of which carries the id of what it is about, and nothing more.

    A job has a name, and of that name one waits at a time; the worker gives the name free as it begins, so that what
    comes while it works has it look once more. What cannot be enqueued because Redis is away is left to the sweep, and
    to the workers, which look into the database themselves meanwhile. `destinations` are those that events are
    delivered to; `correlation_id` tells which request is being worked on, if any.
    """

    def __init__(
        self,
        server: RedisConnection,
        *,
        destinations: Sequence[str],
        correlation_id: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._server = server
        self._destinations = destinations
        self._correlation_id = correlation_id

    def run_import(self, import_id: UUID) -> None:
        self._enqueue(IMPORTS, "run_import", str(import_id))

    def undo_import(self, import_id: UUID) -> None:
        self._enqueue(IMPORTS, "undo_import", str(import_id))

    def deliver_events(self, destinations: Collection[str] = ()) -> None:
        for destination in self._destinations:
            if not destinations or destination in destinations:
                self._enqueue(queue_name(destination), "relay", destination)

    def _enqueue(self, queue: str, function: str, about: str) -> None:
        def enqueue(redis: Redis) -> None:
            with suppress(DuplicateJobError):  # one waits already, and will see what this one is for
                Queue(queue, connection=redis, serializer=JSONSerializer).enqueue_call(
                    f"{FUNCTIONS}.{function}",
                    args=(about,),
                    job_id=f"{function}-{about}",
                    unique=True,
                    meta={"correlation_id": self._correlation_id()},
                    retry=Retry(max=len(RETRIES), interval=RETRIES),
                    timeout=NO_TIMEOUT,
                    ttl=DONE_JOB_TTL,
                    result_ttl=0,
                    failure_ttl=FAILED_JOB_TTL,
                )

        with suppress(Unavailable):
            self._server.call(enqueue)
