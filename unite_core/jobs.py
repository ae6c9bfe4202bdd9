"""Port of background jobs: wake a worker for imports and event deliveries; and the pause after a failure."""

from abc import abstractmethod
from collections.abc import Callable, Collection
from typing import Protocol
from uuid import UUID

JOB_MODULE = "entrypoints.worker.jobs"
"""The module of the job functions, with which the names of jobs in queues begin. Nothing is imported by that name."""

FIRST_BACKOFF = 0.5
"""Seconds before the first retry of work that failed; they double with each further failure."""

MAX_BACKOFF = 30.0

_MAX_DOUBLINGS = 10
"""More would make no difference to the pause, and overflow after a thousand failures."""


def backoff_after(failures: int) -> float:
    """Return the seconds to wait before work that has failed so many times in a row is retried."""
    return min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** min(failures - 1, _MAX_DOUBLINGS)) if failures else 0.0


def job_name(function: Callable[..., None]) -> str:
    """Return the name of a job function in queues."""
    return f"{function.__module__}.{function.__qualname__}"


class Jobs(Protocol):
    """Wakes workers.

    A wake-up may be lost and may come twice: the database holds what there is to do, every
    job looks there, and a sweep finds what no worker was woken for.
    """

    @abstractmethod
    def run_import(self, import_id: UUID) -> None:
        """Wake a worker to continue the import."""

    @abstractmethod
    def undo_import(self, import_id: UUID) -> None:
        """Wake a worker to continue the undo of the import."""

    @abstractmethod
    def deliver_events(self, destinations: Collection[str] = ()) -> None:
        """Wake the relay of these destinations, or of all of them if none is named."""


class JobHandler(Protocol):
    """A function that runs a job of a queue, given the name of the job's function and its arguments.

    `correlation_id` is that of the request that enqueued the job, and `traceparent` (W3C Trace Context) names the span
    in which it was enqueued.
    """

    def __call__(
        self, function: str, /, *arguments: str, correlation_id: str | None, traceparent: str | None
    ) -> None: ...
