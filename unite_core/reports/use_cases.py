"""Use cases of rollups: fold new ledger entries into them, and rebuild them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from unite_core.checks import BatchSize, UseCase
from unite_core.deadlocks import retry_on_deadlock
from unite_core.reports.ports import ReportsUnitOfWork
from unite_core.reports.rollup_counts import cells_of, cells_of_recounted
from unite_core.unit_of_work import UnitOfWorkFactory


@dataclass(frozen=True)
class FoldEntries(UseCase):
    """Fold the entries of the call ledger that are not in the rollups yet, each exactly once.

    Run by a schedule, by any number of workers at the same time. One transaction folds `limit` entries; the next one
    follows until none are left, or `should_stop` returns True. Returns how many were folded. Reports are right before
    and after.
    """

    work: UnitOfWorkFactory[ReportsUnitOfWork]

    def __call__(self, *, limit: BatchSize = 500, should_stop: Callable[[], bool] = lambda: False) -> int:
        total = 0
        while not should_stop():
            folded = retry_on_deadlock(lambda: self._fold(limit))
            total += folded
            if folded < limit:
                break
        return total

    def _fold(self, limit: int) -> int:
        with self.work() as work:
            steps = work.rollups.claim(limit=limit)
            folded = len(steps) + work.rollups.catch_up(limit=limit)
            if folded:
                work.rollups.fold(steps, cells_of(steps))
                work.commit()
        return folded


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The number of days of UTC that were rebuilt, of how many, and how many calls they had."""

    days: int = 0
    of_days: int = 0
    calls: int = 0


def _ignore(_: Rebuilt) -> None:
    pass


@dataclass(frozen=True)
class RebuildReports(UseCase):
    """Rebuild all rollups from the call ledger, day by day, while everything else goes on.

    Each day is one transaction, so that every report is right at every moment. `progress` is called after each day.
    """

    work: UnitOfWorkFactory[ReportsUnitOfWork]

    def __call__(self, progress: Callable[[Rebuilt], None] = _ignore) -> Rebuilt:
        with self.work() as work:
            days = work.rollups.days()
        so_far = Rebuilt(of_days=len(days))
        for day in days:
            calls = retry_on_deadlock(partial(self._rebuild, day))
            so_far = Rebuilt(so_far.days + 1, so_far.of_days, so_far.calls + calls)
            progress(so_far)
        return so_far

    def _rebuild(self, day: int) -> int:
        with self.work() as work:
            recounted = work.rollups.recount(day)
            work.rollups.replace_day(day, cells_of_recounted(recounted))
            work.commit()
        return sum(group.calls for group in recounted)
