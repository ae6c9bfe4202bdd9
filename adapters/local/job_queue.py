"""One job queue in the memory of a worker: jobs in order, each at most once, with retries after failures."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Condition

from unite_core.errors import Unavailable
from unite_core.jobs import JobHandler, backoff_after

log = logging.getLogger(__name__)

POLL_INTERVAL = 1.0
"""Seconds that a thread waits for a job before it checks whether it has to stop."""


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job in a queue, which is due when the queue's clock shows `due_at`. It has failed `failures` times in a row."""

    function: str
    arguments: tuple[str, ...] = ()
    correlation_id: str | None = None
    traceparent: str | None = None
    due_at: float = 0.0
    failures: int = 0

    @property
    def id(self) -> tuple[str, ...]:
        """What the job is about; a queue holds one job of an id."""
        return (self.function, *self.arguments)

    def __str__(self) -> str:
        return f"{self.function} ({', '.join(self.arguments)})" if self.arguments else self.function


class JobQueue:
    """Jobs in the order in which they were enqueued, each at most once.

    A job leaves the queue when it begins; if it is enqueued while it runs, it runs once more. A job that fails is
    logged, and retried after a pause; the other jobs do not wait for it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._jobs: dict[tuple[str, ...], QueuedJob] = {}
        self._changed = Condition()

    def put(self, job: QueuedJob) -> None:
        """Enqueue a job. If it is enqueued already, the earlier time counts; the pause after a failure always does."""
        with self._changed:
            waiting = self._jobs.get(job.id)
            if waiting is None or (not waiting.failures and job.due_at < waiting.due_at):
                self._jobs[job.id] = job
                self._changed.notify_all()

    def interrupt(self) -> None:
        """Have the threads that wait for a job check now whether they have to stop."""
        with self._changed:
            self._changed.notify_all()

    def run(self, handler: JobHandler, stopping: Callable[[], bool], *, interval: float | None = None) -> None:
        """Run the jobs one after the other until `stopping` returns True.

        With an `interval`, each job runs again and again, that many seconds after its last run.
        """
        while not stopping():
            job = self._take(stopping)
            if job is None:
                continue
            if not run_job(job, handler):
                self._retry(job, interval or 0.0)
            elif interval is not None:
                self.put(replace(job, failures=0, due_at=self._clock() + interval))

    def _take(self, stopping: Callable[[], bool]) -> QueuedJob | None:
        """Remove and return the first job that is due; None if there is none within the time of a poll."""
        with self._changed:
            job = self._first_due()
            # Asked inside the lock, so that an interruption after this comes while the thread waits.
            if job is None and not stopping():
                self._changed.wait(self._seconds_to_wait())
                job = self._first_due()
            return None if job is None else self._jobs.pop(job.id)

    def _first_due(self) -> QueuedJob | None:
        now = self._clock()
        return next((job for job in self._jobs.values() if job.due_at <= now), None)

    def _seconds_to_wait(self) -> float:
        next_at = min((job.due_at for job in self._jobs.values()), default=float("inf"))
        return min(POLL_INTERVAL, max(0.0, next_at - self._clock()))

    def _retry(self, job: QueuedJob, interval: float) -> None:
        failures = job.failures + 1
        pause = max(interval, backoff_after(failures))
        with self._changed:
            # It replaces a job of its id that was enqueued meanwhile: that one would fail in the same way.
            self._jobs[job.id] = replace(job, failures=failures, due_at=self._clock() + pause)


def run_job(job: QueuedJob, handler: JobHandler, *, with_log: bool = True) -> bool:
    """Run a job; log any error, unless `with_log` is false, and return whether there was none."""
    extra = {"correlation_id": job.correlation_id, "retried": True}
    try:
        handler(job.function, *job.arguments, correlation_id=job.correlation_id, traceparent=job.traceparent)
    except Unavailable as error:
        if with_log:
            log.warning("A service does not answer in the job %s: %s", job, error.detail, extra=extra)
        return False
    except Exception:
        if with_log:
            log.exception("Something unexpected happened in the job %s.", job, extra=extra)
        return False
    return True
