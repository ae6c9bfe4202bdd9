"""The look for calls that were not made in time, every few seconds, whatever else the worker is at."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from entrypoints.worker.failures import Backoff, survived
from unite_core.calls.use_cases import MarkMissed

log = logging.getLogger(__name__)

MARKED_EVERY = 5
"""Seconds between two looks."""


def mark_missed(mark: MarkMissed, stopping: Callable[[], bool]) -> None:
    """Mark the calls that were missed. A failure is written down; the next look finds what this one did not."""
    with survived(Backoff(), "looking for missed calls"):
        missed = mark(should_stop=stopping)
        if missed:
            log.info("Calls that were not made in time: %s.", missed)


@contextmanager
def marking_missed(mark: MarkMissed, stop: Event, *, every: float = MARKED_EVERY) -> Iterator[None]:
    """Mark missed calls as long as the block lasts, after so many seconds again.

    However it is left, `stop` is set then, and the thread has ended.
    """

    def run() -> None:
        while not stop.is_set():
            mark_missed(mark, stop.is_set)
            stop.wait(every)

    thread = Thread(target=run, name="missed")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
