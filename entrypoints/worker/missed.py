"""Mark missed calls every few seconds, in a thread of the worker."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event

from entrypoints.worker.failures import Backoff, log_failures
from entrypoints.worker.repeating import repeat_in_thread
from unite_core.calls.use_cases import MarkMissed

log = logging.getLogger(__name__)

MISSED_CALLS_INTERVAL = 5
"""Seconds between two runs."""


def mark_missed(mark: MarkMissed, stopping: Callable[[], bool]) -> None:
    """Mark missed calls. A failure is logged; the next run marks the rest."""
    with log_failures(Backoff(), "looking for missed calls"):
        missed = mark(should_stop=stopping)
        if missed:
            log.info("Calls that were not made in time: %s.", missed)


def mark_missed_in_thread(
    mark: MarkMissed, stop: Event, *, every: float = MISSED_CALLS_INTERVAL
) -> AbstractContextManager[None]:
    """Mark missed calls repeatedly in a thread while the block runs, with a pause of `every` seconds."""
    return repeat_in_thread("missed", lambda: mark_missed(mark, stop.is_set), stop, every=every)
