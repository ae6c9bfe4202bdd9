"""What is done so that reports are quick: entries are folded into rollups, and rollups are made anew."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from unite_core.deadlocks import retry_on_deadlock
from unite_core.reports.counting import cells_of, cells_of_recounted
from unite_core.reports.ports import ReportsUnitOfWork
from unite_core.unit_of_work import UnitOfWorkFactory


@dataclass(frozen=True)
class FoldEntries:
    """Fold the entries of the call ledger that are not in the rollups yet, each exactly once.

    Run by a schedule, by as many as like at the same time. `limit` entries are one transaction; it goes on until none
    are left, or until `should_stop` says so. Returns how many there were. Reports are right before and after.
    """

    work: UnitOfWorkFactory[ReportsUnitOfWork]

    def __call__(self, *, limit: int = 500, should_stop: Callable[[], bool] = lambda: False) -> int:
        folded = 0
        while not should_stop():
            found = retry_on_deadlock(lambda: self._fold(limit))
            folded += found
            if found < limit:
                break
        return folded

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
    """How many days of UTC were made anew, of how many, and how many calls they had."""

    days: int = 0
    of_days: int = 0
    calls: int = 0


def _ignore(_: Rebuilt) -> None:
    pass


@dataclass(frozen=True)
class RebuildReports:
    """Make all rollups anew from the call ledger, day by day, while everything else goes on.

    Each day is one transaction, so that every report is right at every moment. `progress` hears of each day.
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
        return sum(each.calls for each in recounted)
