"""Create due daily summaries several times a minute, in a thread of the worker."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event

from entrypoints.worker.failures import Backoff, log_failures
from entrypoints.worker.repeating import repeat_in_thread
from unite_core.summaries.use_cases import CreateDailySummaries

log = logging.getLogger(__name__)

SUMMARY_INTERVAL = 15
"""Seconds between two runs; a summary at 23:59 can be created for only one minute."""


def make_summaries(make: CreateDailySummaries, stopping: Callable[[], bool]) -> None:
    """Create the summaries that are due. A failure is logged; the next run creates the rest."""
    with log_failures(Backoff(), "making daily summaries"):
        made = make(should_stop=stopping)
        if made:
            log.info("Daily summaries made: %s.", made)


def create_summaries_in_thread(
    make: CreateDailySummaries, stop: Event, *, every: float = SUMMARY_INTERVAL
) -> AbstractContextManager[None]:
    """Create daily summaries repeatedly in a thread while the block runs, with a pause of `every` seconds."""
    return repeat_in_thread("summaries", lambda: make_summaries(make, stop.is_set), stop, every=every)
