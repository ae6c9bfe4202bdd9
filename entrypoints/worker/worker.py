"""The worker: runs the jobs of its queues, each queue in a thread of its own."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Thread
from typing import Protocol

from entrypoints.tracing import JobTracing, UntracedJobs
from entrypoints.worker.jobs import JOB_INTERVALS, JobContext
from unite_core.application import Unite
from unite_core.errors import Unavailable
from unite_core.jobs import JobHandler, Jobs

log = logging.getLogger(__name__)

RETRY_INTERVAL = 1.0
"""Seconds between two checks whether the queues are available again."""


class Queues(Protocol):
    """Queues of jobs; each method raises `Unavailable` as soon as they do not respond.

    `jobs` enqueues into them. A queue holds a job at most once; a job leaves it when it begins. The methods that run
    jobs run them one after the other until `stopping` returns True. A job that fails is logged and retried later; the
    other jobs of its queue do not wait for it.
    """

    @property
    def jobs(self) -> Jobs: ...

    def ping(self) -> None: ...

    def run_import_jobs(self, handler: JobHandler, stopping: Callable[[], bool]) -> None: ...

    def run_delivery_jobs(self, handler: JobHandler, stopping: Callable[[], bool], destination: str) -> None: ...

    def run_upkeep_jobs(
        self, handler: JobHandler, stopping: Callable[[], bool], every: Mapping[Callable[..., None], int]
    ) -> None:
        """Run recurring jobs; `every` maps each function to the seconds between two runs."""
        ...


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker that runs the jobs of `queues` until `stop` is set; any number of workers may run in parallel.

    Imports have one thread, the events of each destination have one, and recurring jobs have another, so that neither a
    large file nor a hanging destination delays anything else. While `queues` do not respond, the worker runs the same
    jobs from `fallback`, if there is one. `holder` is the worker's name in leases. Jobs run in spans of `tracing`.
    """

    unite: Unite
    queues: Queues
    holder: str
    stop: Event
    fallback: Queues | None = None
    tracing: JobTracing = field(default_factory=UntracedJobs)

    def run(self) -> None:
        """Run until `stop` is set. Work in progress then ends with its current chunk."""
        while not self.stop.is_set():
            self._run_jobs(self.queues, self.stop.is_set)
            if self.stop.is_set():
                break
            if self.fallback is None:
                self.stop.wait(RETRY_INTERVAL)
            else:
                self._run_fallback(self.fallback)

    def _run_fallback(self, fallback: Queues) -> None:
        """Run the jobs of `fallback` until the queues are available again, or the worker has to stop."""
        log.warning("Redis does not answer: the worker looks into the database itself.")
        available = Event()
        check = Thread(target=self._wait_for_queues, args=(available,), name="availability")
        check.start()
        while not (self.stop.is_set() or available.is_set()):
            self._run_jobs(fallback, lambda: self.stop.is_set() or available.is_set())
            if not self.stop.is_set():
                available.wait(RETRY_INTERVAL)
        check.join()
        if not self.stop.is_set():
            log.info("Redis is back: the worker takes jobs from the queues again.")

    def _wait_for_queues(self, available: Event) -> None:
        """Set `available` as soon as the queues respond; give up when the worker has to stop."""
        while not self.stop.wait(RETRY_INTERVAL):
            try:
                self.queues.ping()
            except Unavailable:
                continue
            except Exception:
                log.exception("Something unexpected happened while checking the queues.")
                continue
            available.set()
            return

    def _run_jobs(self, queues: Queues, stopping: Callable[[], bool]) -> None:
        """Run the jobs of all queues until `stopping` returns True, or one of the queues fails."""
        failed = Event()

        def ending() -> bool:
            return stopping() or failed.is_set()

        context = JobContext(
            unite=self.unite, jobs=queues.jobs, holder=self.holder, stopping=ending, tracing=self.tracing
        )
        work: dict[str, Callable[[], None]] = {
            "upkeep": lambda: queues.run_upkeep_jobs(context, ending, JOB_INTERVALS),
            **{
                f"relay-{name}": partial(queues.run_delivery_jobs, context, ending, name)
                for name in self.unite.notifications.destinations
            },
        }
        threads = [Thread(target=_run_until_failure, args=(run, failed), name=name) for name, run in work.items()]
        for thread in threads:
            thread.start()
        _run_until_failure(lambda: queues.run_import_jobs(context, ending), failed)
        for thread in threads:
            thread.join()


def _run_until_failure(run: Callable[[], None], failed: Event) -> None:
    """Call `run`; when it ends for any reason, stop the other threads too."""
    try:
        run()
    except Unavailable as error:
        log.warning("The queues do not answer: %s", error.detail)
    except Exception:
        log.exception("Something unexpected happened while doing jobs.")
    finally:
        failed.set()
