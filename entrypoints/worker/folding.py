"""Folding entries of the call ledger into the rollups that reports read, every few seconds."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event

from entrypoints.worker.failures import Backoff, log_failures
from entrypoints.worker.repeating import repeat_in_thread
from unite_core.reports.use_cases import FoldEntries

FOLDING_INTERVAL = 2
"""Seconds between two runs: a report that is read meanwhile adds the entries of so long by itself."""


def fold_entries(fold: FoldEntries, stopping: Callable[[], bool]) -> None:
    """Fold what is not folded yet. A failure is logged; the next run folds what this one did not."""
    with log_failures(Backoff(), "folding entries into reports"):
        fold(should_stop=stopping)


def fold_in_thread(fold: FoldEntries, stop: Event, *, every: float = FOLDING_INTERVAL) -> AbstractContextManager[None]:
    """Fold entries as long as the block lasts, after so many seconds again."""
    return repeat_in_thread("folding", lambda: fold_entries(fold, stop.is_set), stop, every=every)
