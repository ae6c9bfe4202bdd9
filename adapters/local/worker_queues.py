"""Job queues inside a worker: all queues of the embedded default, and the fallback while Redis is unavailable."""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from threading import Thread
from typing import Protocol, Self
from uuid import UUID

from adapters.local.job_queue import POLL_INTERVAL, JobQueue, QueuedJob, run_job
from unite_core.jobs import JOB_MODULE, MAX_BACKOFF, JobHandler, Jobs, job_name

log = logging.getLogger(__name__)

SWEEP = f"{JOB_MODULE}.sweep"
"""The recurring job that enqueues the pending work of the database. It also runs at each wake-up."""


class WakeUpSource(Protocol):
    """A source of wake-ups: `wait` waits for at most `timeout` seconds and returns whether there was one."""

    def wait(self, timeout: float) -> bool: ...

    def close(self) -> None: ...


class LocalQueues:
    """The queues of one worker, in its process: one for imports, and one for each of the `destinations` of events.

    Each recurring job has a thread of its own. The sweep fills the queues from the database, every second and at each
    wake-up by another process; what is in a queue when the process ends is found there again. `correlation_id` returns
    the id of the current request, if any, and `traceparent` the name of the current span. Close the queues, or use them
    as a context manager.
    """

    def __init__(
        self,
        wake_ups: WakeUpSource,
        *,
        destinations: Sequence[str],
        correlation_id: Callable[[], str | None] = lambda: None,
        traceparent: Callable[[], str | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wake_ups = wake_ups
        self._clock = clock
        self._imports = JobQueue(clock)
        self._deliveries = {name: JobQueue(clock) for name in destinations}
        self.jobs: Jobs = _LocalQueueJobs(self._imports, self._deliveries, correlation_id, traceparent)

    def ping(self) -> None:
        """Do nothing: the queues of this process are always available."""

    def run_import_jobs(self, handler: JobHandler, stopping: Callable[[], bool]) -> None:
        """Run and undo imports until `stopping` returns True."""
        self._imports.run(handler, stopping)

    def run_delivery_jobs(self, handler: JobHandler, stopping: Callable[[], bool], destination: str) -> None:
        """Deliver events to one destination until `stopping` returns True."""
        self._deliveries[destination].run(handler, stopping)

    def run_upkeep_jobs(
        self, handler: JobHandler, stopping: Callable[[], bool], every: Mapping[Callable[..., None], int]
    ) -> None:
        """Run the recurring jobs, and receive wake-ups, until `stopping` returns True.

        `every` maps each recurring function to its interval in seconds. Each has a thread, so that a slow one delays no
        other; the sweep runs in the calling thread.
        """
        intervals = {job_name(function): seconds for function, seconds in every.items()}
        sweeps = intervals.pop(SWEEP, None) is not None
        queues = [JobQueue(self._clock) for _ in intervals]
        threads = []
        for queue, (name, interval) in zip(queues, intervals.items(), strict=True):
            queue.put(QueuedJob(name))
            run = partial(queue.run, handler, stopping, interval=interval)
            threads.append(Thread(target=run, name=name.rpartition(".")[2]))
        for thread in threads:
            thread.start()
        try:
            self._sweep(handler if sweeps else _ignore, stopping)
        finally:
            for queue in (*queues, *self._deliveries.values(), self._imports):
                queue.interrupt()
            for thread in threads:
                thread.join()

    def close(self) -> None:
        """Stop receiving wake-ups."""
        self._wake_ups.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _sweep(self, handler: JobHandler, stopping: Callable[[], bool]) -> None:
        """Run the sweep at each wake-up, and every second, because a wake-up may be lost.

        A sweep that fails is tried again as soon, because events are delivered only if one begins; its failure is
        logged every half minute at most. A wake-up reaches the sweep without another thread in between, which would
        delay every event and import.
        """
        log_again_at = self._clock()
        while not stopping():
            with_log = self._clock() >= log_again_at
            swept = run_job(QueuedJob(SWEEP), handler, with_log=with_log)
            waited = self._wait(with_log=with_log)
            if swept and waited:
                log_again_at = self._clock()
            elif with_log:
                log_again_at = self._clock() + MAX_BACKOFF

    def _wait(self, *, with_log: bool) -> bool:
        """Wait for a wake-up, a second at most; return whether that was possible."""
        try:
            self._wake_ups.wait(POLL_INTERVAL)
        except Exception:
            if with_log:
                log.exception("Wake-ups cannot be received; the worker looks for work every second.")
            time.sleep(POLL_INTERVAL)
            return False
        return True


def _ignore(function: str, /, *arguments: str, correlation_id: str | None, traceparent: str | None) -> None:
    """Do nothing: there is no sweep among the recurring jobs."""


class _LocalQueueJobs(Jobs):
    """Jobs in the queues of this process."""

    def __init__(
        self,
        imports: JobQueue,
        deliveries: Mapping[str, JobQueue],
        correlation_id: Callable[[], str | None],
        traceparent: Callable[[], str | None],
    ) -> None:
        self._imports = imports
        self._deliveries = deliveries
        self._correlation_id = correlation_id
        self._traceparent = traceparent

    def run_import(self, import_id: UUID) -> None:
        self._put(self._imports, "run_import", str(import_id))

    def undo_import(self, import_id: UUID) -> None:
        self._put(self._imports, "undo_import", str(import_id))

    def deliver_events(self, destinations: Collection[str] = ()) -> None:
        for name, queue in self._deliveries.items():
            if not destinations or name in destinations:
                self._put(queue, "relay", name)

    def _put(self, queue: JobQueue, function: str, argument: str) -> None:
        name = f"{JOB_MODULE}.{function}"
        queue.put(QueuedJob(name, (argument,), self._correlation_id(), self._traceparent()))
