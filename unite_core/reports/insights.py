"""Report of what stands out in a period: busiest agents and hours, best hours, trend, sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar

from unite_core.checks import UseCase
from unite_core.identity.model import Actor, Permission
from unite_core.periods import Period, moment_of
from unite_core.reports import metrics
from unite_core.reports.call_queries import CountCalls, NameAgents, agent_filter, by_day, report_meta
from unite_core.reports.daily import CallFigures, figures_of, order_of
from unite_core.reports.heatmap import ClockTime, best_hours, busiest, by_hour_of_week, hours_of_day, weekdays
from unite_core.reports.model import AgentName, CallItems, Count, ReportMeta, Scope, calls_of
from unite_core.reports.overdue import CountOverdueCalls
from unite_core.reports.ports import Dimension, Totals, grouped
from unite_core.reports.tally import Rate, Tally, total


@dataclass(frozen=True, slots=True)
class BusyAgent:
    """An agent with the highest number of calls; several agents can have it."""

    agent: AgentName
    calls: Count


@dataclass(frozen=True, slots=True)
class TrendDay:
    """The figures of one day."""

    date: date
    figures: CallFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConversion:
    """The calls to leads of a source, and those that converted their lead; `source` is None if it is unknown."""

    source: str | None
    attempts: Count
    conversions: Count
    conversion_rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Insights:
    """The figures of a period, its maxima, and its trend from day to day.

    If several share the first place all of them are named. An hour can be a best hour only if it has had
    30 attempts.
    """

    about: ReportMeta
    figures: CallFigures
    busiest_agents: Sequence[BusyAgent]
    busiest_hours: Sequence[ClockTime]
    busiest_weekdays: Sequence[ClockTime]
    best_hours_to_connect: Sequence[ClockTime]
    trend: Sequence[TrendDay]
    conversion_by_source: Sequence[SourceConversion]
    overdue_now: Count


@dataclass(frozen=True)
class ReportInsights(UseCase):
    """Report what stands out in a period: the busiest agents, hours and weekdays, the best hours, trend and sources.

    `overdue_now` is the current number, whatever the period. Agents get their own figures, admins and managers
    those of all agents.
    """

    permission: ClassVar[Permission | None] = None
    count: CountCalls
    name: NameAgents
    overdue: CountOverdueCalls

    def __call__(self, actor: Actor, period: Period) -> Insights:
        own = agent_filter(actor)
        by_agent = Totals(start=period.start, end=period.end, by=Dimension.AGENT, agent_id=own)
        results = self.count(
            [
                by_day(period, own),
                by_hour_of_week(period, own),
                replace(by_agent, groups=grouped(metrics.COMPLETED.results)),
                replace(by_agent, by=Dimension.SOURCE),
            ]
        )
        days, week = results.timeline(0), results.timeline(1)
        all_calls = calls_of(period)
        hours = hours_of_day(period, week)
        return Insights(
            about=report_meta(period, results.taken_at, days),
            figures=figures_of(Scope(total(days.values()), all_calls)),
            busiest_agents=self._busiest_agents(results.totals(2), all_calls),
            busiest_hours=busiest(hours),
            busiest_weekdays=busiest(weekdays(period, week)),
            best_hours_to_connect=best_hours(hours),
            trend=_trend(period, days, all_calls),
            conversion_by_source=_by_source(results.totals(3), all_calls),
            overdue_now=self.overdue(actor),
        )

    def _busiest_agents(self, agents: Mapping[str, Tally], all_calls: CallItems) -> list[BusyAgent]:
        made = {key: tally.count(metrics.COMPLETED) for key, tally in agents.items() if key}
        highest = max(made.values(), default=0)
        busiest_keys = [key for key, number in made.items() if highest and number == highest]
        names = self.name(busiest_keys)
        scopes = {key: Scope(agents[key], replace(all_calls, agent_id=names[key].id)) for key in busiest_keys}
        rows = [BusyAgent(names[key], scope.count(metrics.COMPLETED)) for key, scope in scopes.items()]
        return sorted(rows, key=lambda row: order_of(row.agent))


def _trend(period: Period, days: Mapping[int, Tally], all_calls: CallItems) -> list[TrendDay]:
    return [
        TrendDay(
            day.date,
            figures_of(
                Scope(
                    days.get(number, Tally()),
                    replace(all_calls, start=moment_of(day.first), end=moment_of(day.end)),
                )
            ),
        )
        for number, day in enumerate(period.days)
    ]


def _by_source(sources: Mapping[str, Tally], all_calls: CallItems) -> list[SourceConversion]:
    made = {key: tally for key, tally in sources.items() if tally.count(metrics.COMPLETED)}
    rows = []
    for key in sorted(made, key=lambda key: (key == "", key)):
        scope = Scope(made[key], replace(all_calls, source=key or None))
        rows.append(
            SourceConversion(
                source=key or None,
                attempts=scope.count(metrics.COMPLETED),
                conversions=scope.count(metrics.CONVERSIONS),
                conversion_rate=scope.rate(metrics.CONVERSION_RATE),
            )
        )
    return rows
