"""A worker that runs jobs from queues, and falls back to the database while Redis is unavailable."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from threading import Event, Thread
from typing import Protocol

from entrypoints.worker.jobs import EVERY, JobContext
from unite_core.errors import Unavailable

log = logging.getLogger(__name__)

ASK_AGAIN_AFTER = 1.0
"""Seconds between two checks whether the queues are available again."""


class Queues(Protocol):
    """The queues of jobs; each method raises `Unavailable` as soon as the queues do not respond."""

    def ping(self) -> None: ...

    def run_import_jobs(self, hand: JobContext, stopping: Callable[[], bool]) -> None: ...

    def deliver(self, hand: JobContext, stopping: Callable[[], bool], destination: str) -> None: ...

    def run_upkeep_jobs(
        self, hand: JobContext, stopping: Callable[[], bool], every: Mapping[Callable[..., None], int]
    ) -> None: ...


@dataclass(frozen=True)
class QueuedWorker:
    """A worker that runs the jobs of the queues until `stop` is set; any number of workers may run in parallel.

    Imports have one thread, the events of each destination have one, and upkeep and the schedule have another, so that
    neither a large file nor a hanging destination delays anything else. While the queues do not respond, `without`
    works from the database until its event is set.
    """

    queues: Queues
    context: JobContext
    without: Callable[[Event], None]
    stop: Event

    def run(self) -> None:
        """Run until `stop` is set. Work in progress then ends with its current chunk."""
        while not self.stop.is_set():
            self._work_by_queues()
            if not self.stop.is_set():
                log.warning("Redis does not answer: the worker looks into the database itself.")
                self._work_without()
                if not self.stop.is_set():
                    log.info("Redis is back: the worker takes jobs from the queues again.")

    def _work_by_queues(self) -> None:
        """Run jobs until the worker has to stop, or the queues are unavailable."""
        away = Event()

        def stopping() -> bool:
            return self.stop.is_set() or away.is_set()

        context = replace(self.context, stopping=stopping)
        work: dict[str, Callable[[], None]] = {
            "upkeep": lambda: self.queues.run_upkeep_jobs(context, stopping, EVERY),
            **{
                f"relay-{name}": partial(self.queues.deliver, context, stopping, name)
                for name in context.unite.notifications.destinations
            },
        }
        beside = [Thread(target=_until_away, args=(away, do), name=name) for name, do in work.items()]
        for thread in beside:
            thread.start()
        _until_away(away, lambda: self.queues.run_import_jobs(context, stopping))
        for thread in beside:
            thread.join()

    def _work_without(self) -> None:
        over = Event()
        watch = Thread(target=self._watch, args=(over,))
        watch.start()
        self.without(over)
        watch.join()

    def _watch(self, over: Event) -> None:
        """Wait until the queues are available again, or the worker has to stop."""
        while not self.stop.wait(ASK_AGAIN_AFTER):
            try:
                self.queues.ping()
            except Unavailable:
                continue
            break
        over.set()


def _until_away(away: Event, work: Callable[[], None]) -> None:
    """Run `work`; when it ends for any reason, stop the other threads too."""
    try:
        work()
    except Unavailable as error:
        log.warning("The queues are away: %s", error.detail)
    except Exception:
        log.exception("Something unexpected happened while doing jobs.")
    finally:
        away.set()
