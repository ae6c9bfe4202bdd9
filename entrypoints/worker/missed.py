"""The look for calls that were not made in time, every few seconds, whatever else the worker is at."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event

from entrypoints.worker.failures import Backoff, log_failures
from entrypoints.worker.repeating import repeat_in_thread
from unite_core.calls.use_cases import MarkMissed

log = logging.getLogger(__name__)

MISSED_CALLS_INTERVAL = 5
"""Seconds between two looks."""


def mark_missed(mark: MarkMissed, stopping: Callable[[], bool]) -> None:
    """Mark the calls that were missed. A failure is written down; the next look finds what this one did not."""
    with log_failures(Backoff(), "looking for missed calls"):
        missed = mark(should_stop=stopping)
        if missed:
            log.info("Calls that were not made in time: %s.", missed)


def mark_missed_in_thread(
    mark: MarkMissed, stop: Event, *, every: float = MISSED_CALLS_INTERVAL
) -> AbstractContextManager[None]:
    """Mark missed calls as long as the block lasts, after so many seconds again."""
    return repeat_in_thread("missed", lambda: mark_missed(mark, stop.is_set), stop, every=every)
