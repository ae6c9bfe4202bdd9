"""Making the daily summaries whose local time has come, several times a minute, whatever else the worker does."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event

from entrypoints.worker.failures import Backoff, log_failures
from entrypoints.worker.repeating import repeat_in_thread
from unite_core.summaries.use_cases import CreateDailySummaries

log = logging.getLogger(__name__)

SUMMARY_INTERVAL = 15
"""Seconds between two looks: a summary at 23:59 can be made for one minute alone."""


def make_summaries(make: CreateDailySummaries, stopping: Callable[[], bool]) -> None:
    """Make the summaries that are due. A failure is logged; the next run makes what this one did not."""
    with log_failures(Backoff(), "making daily summaries"):
        made = make(should_stop=stopping)
        if made:
            log.info("Daily summaries made: %s.", made)


def create_summaries_in_thread(
    make: CreateDailySummaries, stop: Event, *, every: float = SUMMARY_INTERVAL
) -> AbstractContextManager[None]:
    """Make daily summaries as long as the block lasts, after so many seconds again."""
    return repeat_in_thread("summaries", lambda: make_summaries(make, stop.is_set), stop, every=every)
