"""Fold entries of the call ledger into the rollups for reports, every few seconds."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event

from entrypoints.worker.failures import Backoff, log_failures
from entrypoints.worker.repeating import repeat_in_thread
from unite_core.reports.use_cases import FoldEntries

FOLDING_INTERVAL = 2
"""Seconds between two runs; a report adds the entries that are not folded yet by itself."""


def fold_entries(fold: FoldEntries, stopping: Callable[[], bool]) -> None:
    """Fold the new entries. A failure is logged; the next run folds the rest."""
    with log_failures(Backoff(), "folding entries into reports"):
        fold(should_stop=stopping)


def fold_in_thread(fold: FoldEntries, stop: Event, *, every: float = FOLDING_INTERVAL) -> AbstractContextManager[None]:
    """Fold entries repeatedly in a thread while the block runs, with a pause of `every` seconds."""
    return repeat_in_thread("folding", lambda: fold_entries(fold, stop.is_set), stop, every=every)
