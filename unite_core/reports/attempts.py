"""Report of the first, second and later calls to a lead: how many of them reach or convert it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from unite_core.calls.ports import MAX_ATTEMPT
from unite_core.checks import UseCase
from unite_core.identity.model import Actor, Permission
from unite_core.periods import Period
from unite_core.reports import metrics
from unite_core.reports.call_queries import CountCalls, agent_filter, by_day, report_meta
from unite_core.reports.model import Count, ReportMeta, Scope, calls_of
from unite_core.reports.ports import Dimension, Totals
from unite_core.reports.tally import Rate, Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The calls with the number `attempt` to their lead; 5 stands for the fifth and all later ones."""

    attempt: int
    attempts: Count
    contacts: Count
    conversions: Count
    contact_rate: Rate
    conversion_rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptsReport:
    """The figures of the first to the fourth call, and of the fifth and later ones."""

    about: ReportMeta
    attempts: Sequence[Attempt]


@dataclass(frozen=True)
class ReportAttempts(UseCase):
    """Report how many of the first, second, third, fourth, and later calls to a lead reach or convert it.

    The number of a call was fixed when it was recorded. Agents get their own figures, admins and managers those of all
    agents.
    """

    permission: ClassVar[Permission | None] = None
    count: CountCalls

    def __call__(self, actor: Actor, period: Period) -> AttemptsReport:
        own = agent_filter(actor)
        by_attempt = Totals(start=period.start, end=period.end, by=Dimension.ATTEMPT, agent_id=own)
        results = self.count([by_day(period, own), by_attempt])
        tallies = results.totals(1)
        rows = []
        for number in range(1, MAX_ATTEMPT + 1):
            scope = Scope(tallies.get(str(number), Tally()), replace(calls_of(period), attempt=number))
            rows.append(
                Attempt(
                    attempt=number,
                    attempts=scope.count(metrics.COMPLETED),
                    contacts=scope.count(metrics.CONTACTS),
                    conversions=scope.count(metrics.CONVERSIONS),
                    contact_rate=scope.rate(metrics.CONTACT_RATE),
                    conversion_rate=scope.rate(metrics.CONVERSION_RATE),
                )
            )
        return AttemptsReport(about=report_meta(period, results.taken_at, results.timeline(0)), attempts=rows)
