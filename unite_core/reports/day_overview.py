"""Report of one day with the funnel of its new leads, from one snapshot."""

from dataclasses import dataclass
from typing import ClassVar

from unite_core.checks import UseCase
from unite_core.clock import Clock
from unite_core.identity.model import Actor, Permission
from unite_core.periods import Period
from unite_core.reports.daily import DailyReport, ReportDay, questions_of_day
from unite_core.reports.funnel import Funnel, ReportFunnel
from unite_core.reports.ports import ReportsUnitOfWork
from unite_core.unit_of_work import UnitOfWorkFactory


@dataclass(frozen=True, slots=True)
class DayOverview:
    """The report of a day, and the funnel of the leads that were created on it."""

    day: DailyReport
    funnel: Funnel


@dataclass(frozen=True)
class ReportDayOverview(UseCase):
    """Report a day and its funnel together, so that a call is in both of them or in neither.

    Agents get their own figures, admins and managers those of all agents.
    """

    permission: ClassVar[Permission | None] = None
    reads: UnitOfWorkFactory[ReportsUnitOfWork]
    clock: Clock
    day: ReportDay
    funnel: ReportFunnel

    def __call__(self, actor: Actor, period: Period) -> DayOverview:
        questions = questions_of_day(actor, period)
        calls, leads = self.day.count.slot(questions), self.funnel.slot(actor, period)
        results, counted = calls.found, leads.found
        # A call invalidates both of them. One that is still cached may be older than what would be read for the other.
        if results is None or counted is None:
            taken_at = self.clock.now()
            with self.reads() as reads:
                results = self.day.count.read(reads, taken_at, questions)
                counted = self.funnel.read(reads, taken_at, actor, period)
            calls.put(results)
            leads.put(counted)
        return DayOverview(self.day.report(period, results), self.funnel.report(period, counted))
