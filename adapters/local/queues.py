"""Job queues inside a worker: all queues of the embedded default, and the fallback while Redis is unavailable."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Thread
from typing import Protocol, Self
from uuid import UUID

from adapters.local.job_queue import POLL_INTERVAL, JobQueue, QueuedJob
from unite_core.jobs import JobHandler, Jobs

FUNCTIONS = "entrypoints.worker.jobs"
"""The module of the job functions. A job names one of them, but nothing is imported by that name."""

SWEEP = f"{FUNCTIONS}.sweep"
"""The recurring job that enqueues the pending work of the database. It also runs at each wake-up."""


class WakeUpSource(Protocol):
    """A source of wake-ups: `wait` waits for at most `timeout` seconds and returns whether there was one."""

    def wait(self, timeout: float) -> bool: ...

    def close(self) -> None: ...


class LocalQueues:
    """The queues of one worker, in its process: one for imports, and one for each of the `destinations` of events.

    Each recurring job has a thread of its own. The sweep fills the queues from the database, every second and at each
    wake-up by another process; what is in a queue when the process ends is found there again. `correlation_id` returns
    the id of the current request, if any. Close the queues, or use them as a context manager.
    """

    def __init__(
        self,
        wake_ups: WakeUpSource,
        *,
        destinations: Sequence[str],
        correlation_id: Callable[[], str | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wake_ups = wake_ups
        self._clock = clock
        self._imports = JobQueue(clock)
        self._deliveries = {name: JobQueue(clock) for name in destinations}
        self.jobs: Jobs = _LocalQueueJobs(self._imports, self._deliveries, correlation_id)

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
        other. The sweep runs every second, because a wake-up may be lost.
        """
        intervals: dict[str, float] = {
            f"{job.__module__}.{job.__qualname__}": seconds for job, seconds in every.items()
        }
        if SWEEP in intervals:
            intervals[SWEEP] = POLL_INTERVAL
        queues = {name: JobQueue(self._clock) for name in intervals}
        threads = []
        for name, queue in queues.items():
            queue.put(QueuedJob(name))
            run = Thread(
                target=queue.run,
                args=(handler, stopping),
                kwargs={"interval": intervals[name]},
                name=name.rpartition(".")[2],
            )
            threads.append(run)
        for thread in threads:
            thread.start()
        self._receive_wake_ups(queues.get(SWEEP), stopping)
        for queue in (*queues.values(), *self._deliveries.values(), self._imports):
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

    def _receive_wake_ups(self, sweeps: JobQueue | None, stopping: Callable[[], bool]) -> None:
        def receive(_: str, *__: str, correlation_id: str | None) -> None:
            del correlation_id  # a wake-up has none
            if self._wake_ups.wait(POLL_INTERVAL) and sweeps is not None:
                sweeps.put(QueuedJob(SWEEP))

        # A queue too, because it logs failures and pauses after them.
        receiver = JobQueue(self._clock)
        receiver.put(QueuedJob("receive_wake_ups"))
        receiver.run(receive, stopping, interval=0.0)


class _LocalQueueJobs(Jobs):
    """Jobs in the queues of this process."""

    def __init__(
        self, imports: JobQueue, deliveries: Mapping[str, JobQueue], correlation_id: Callable[[], str | None]
    ) -> None:
        self._imports = imports
        self._deliveries = deliveries
        self._correlation_id = correlation_id

    def run_import(self, import_id: UUID) -> None:
        self._put(self._imports, "run_import", str(import_id))

    def undo_import(self, import_id: UUID) -> None:
        self._put(self._imports, "undo_import", str(import_id))

    def deliver_events(self, destinations: Collection[str] = ()) -> None:
        for name, queue in self._deliveries.items():
            if not destinations or name in destinations:
                self._put(queue, "relay", name)

    def _put(self, queue: JobQueue, function: str, argument: str) -> None:
        queue.put(QueuedJob(f"{FUNCTIONS}.{function}", (argument,), self._correlation_id()))
