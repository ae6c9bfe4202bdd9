"""Job queues in Redis (RQ): enqueues jobs for workers."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar
from uuid import UUID

from redis import Redis
from rq import Queue, Retry
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

from unite_core.errors import Unavailable
from unite_core.jobs import JOB_MODULE, Jobs

T = TypeVar("T")

IMPORTS = "imports"
UPKEEP = "upkeep"
"""The queues, in addition to one per destination of events. Every worker has one thread for each queue."""

NO_TIMEOUT = -1
"""Jobs have no timeout, as each ends by itself. A timeout would raise an exception inside a transaction."""

DONE_JOB_TTL = 60
"""Seconds until the id of a waiting job is free again, in case a worker dies while it takes the job."""

FAILED_JOB_TTL = 3600
"""Seconds for which a failed job stays in Redis. Its work is recorded in the database, where the sweep finds it."""

RETRIES = (1, 3, 10, 30)
"""Seconds before each retry of a failed job."""


def queue_name(destination: str) -> str:
    """Return the name of the queue for this destination. Each has its own, so that a slow one delays no other."""
    return f"events-{destination}"


class RedisConnection(Protocol):
    """A connection to Redis, with timeouts and a circuit breaker."""

    def call(self, command: Callable[[Redis], T], /) -> T:
        """Run the command and return its result; raise `Unavailable` if Redis fails or the breaker is open."""
        ...


class RqJobs(Jobs):
    """Jobs in queues of RQ. A job has the id of what it is about as its only argument.

    The id of a job is made of its function and that argument, and only one job of the same id waits at a time. The
    worker frees the id when it begins the job, so that a request which comes meanwhile enqueues another one. A job that
    cannot be enqueued because Redis is unavailable is not lost: the sweep finds its work, and workers poll the database
    then. `destinations` are all destinations of events; `correlation_id` returns the id of the current request, if any,
    and `traceparent` the name of the current span.
    """

    def __init__(
        self,
        server: RedisConnection,
        *,
        destinations: Sequence[str],
        correlation_id: Callable[[], str | None] = lambda: None,
        traceparent: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._server = server
        self.destinations = destinations
        self._correlation_id = correlation_id
        self._traceparent = traceparent

    def run_import(self, import_id: UUID) -> None:
        self._enqueue(IMPORTS, "run_import", str(import_id))

    def undo_import(self, import_id: UUID) -> None:
        self._enqueue(IMPORTS, "undo_import", str(import_id))

    def deliver_events(self, destinations: Collection[str] = ()) -> None:
        for destination in self.destinations:
            if not destinations or destination in destinations:
                self._enqueue(queue_name(destination), "relay", destination)

    def _enqueue(self, queue: str, function: str, argument: str) -> None:
        def enqueue(redis: Redis) -> None:
            with suppress(DuplicateJobError):  # the job that waits already will do this work too
                Queue(queue, connection=redis, serializer=JSONSerializer).enqueue_call(
                    f"{JOB_MODULE}.{function}",
                    args=(argument,),
                    job_id=f"{function}-{argument}",
                    unique=True,
                    meta={"correlation_id": self._correlation_id(), "traceparent": self._traceparent()},
                    retry=Retry(max=len(RETRIES), interval=RETRIES),
                    timeout=NO_TIMEOUT,
                    ttl=DONE_JOB_TTL,
                    result_ttl=0,
                    failure_ttl=FAILED_JOB_TTL,
                )

        with suppress(Unavailable):
            self._server.call(enqueue)
