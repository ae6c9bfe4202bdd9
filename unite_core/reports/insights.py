"""What a manager wants to know of some weeks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar

from unite_core.days import Period, moment_of
from unite_core.identity.model import Actor, Permission
from unite_core.reports import metrics
from unite_core.reports.daily import CallFigures, figures_of, order_of
from unite_core.reports.heatmap import ClockTime, best_hours, busiest, by_hour_of_week, hours_of_day, weekdays
from unite_core.reports.model import AgentName, CallItems, Count, ReportMeta, Scope, calls_of
from unite_core.reports.overdue import CountOverdueCalls
from unite_core.reports.ports import Dimension, Totals, grouped
from unite_core.reports.queries import CountCalls, NameAgents, agent_filter, by_day, report_meta
from unite_core.reports.tally import Rate, Tally, total


@dataclass(frozen=True, slots=True)
class BusyAgent:
    """An agent who made more calls than the others, or as many as another such agent."""

    agent: AgentName
    calls: Count


@dataclass(frozen=True, slots=True)
class TrendDay:
    """The figures of one day."""

    date: date
    figures: CallFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConversion:
    """The calls to leads of a source, and those that converted their lead; `source` is None where none is known."""

    source: str | None
    attempts: Count
    conversions: Count
    conversion_rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Insights:
    """The figures of a period, who and what stands out, and how they went from day to day.

    Where several share the first place all of them are named. An hour is the best to reach somebody only where it has
    had 30 attempts.
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
class ReportInsights:
    """Report what stands out in a period: the busiest agents, hours and weekdays, the best hours, trend and sources.

    `overdue_now` is about the moment, whatever the period. Agents get their own figures, admins and managers
    everybody's.
    """

    permission: ClassVar[Permission | None] = None
    count: CountCalls
    name: NameAgents
    overdue: CountOverdueCalls

    def __call__(self, actor: Actor, period: Period) -> Insights:
        own = agent_filter(actor)
        by_agent = Totals(start=period.start, end=period.end, by=Dimension.AGENT, agent_id=own)
        answers = self.count(
            [
                by_day(period, own),
                by_hour_of_week(period, own),
                replace(by_agent, groups=grouped(metrics.COMPLETED.results)),
                replace(by_agent, by=Dimension.SOURCE),
            ]
        )
        days, week = answers.timeline(0), answers.timeline(1)
        everything = calls_of(period)
        hours = hours_of_day(period, week)
        return Insights(
            about=report_meta(period, answers.taken_at, days),
            figures=figures_of(Scope(total(days.values()), everything)),
            busiest_agents=self._busiest_agents(answers.totals(2), everything),
            busiest_hours=busiest(hours),
            busiest_weekdays=busiest(weekdays(period, week)),
            best_hours_to_connect=best_hours(hours),
            trend=_trend(period, days, everything),
            conversion_by_source=_by_source(answers.totals(3), everything),
            overdue_now=self.overdue(actor),
        )

    def _busiest_agents(self, agents: Mapping[str, Tally], everything: CallItems) -> list[BusyAgent]:
        made = {key: tally.count(metrics.COMPLETED) for key, tally in agents.items() if key}
        maximum = max(made.values(), default=0)
        first = [key for key, number in made.items() if maximum and number == maximum]
        names = self.name(first)
        scopes = {key: Scope(agents[key], replace(everything, agent_id=names[key].id)) for key in first}
        busy = [BusyAgent(names[key], scope.count(metrics.COMPLETED)) for key, scope in scopes.items()]
        return sorted(busy, key=lambda each: order_of(each.agent))


def _trend(period: Period, days: Mapping[int, Tally], everything: CallItems) -> list[TrendDay]:
    return [
        TrendDay(
            day.date,
            figures_of(
                Scope(
                    days.get(number, Tally()),
                    replace(everything, start=moment_of(day.first), end=moment_of(day.end)),
                )
            ),
        )
        for number, day in enumerate(period.days)
    ]


def _by_source(sources: Mapping[str, Tally], everything: CallItems) -> list[SourceConversion]:
    made = {key: tally for key, tally in sources.items() if tally.count(metrics.COMPLETED)}
    rows = []
    for key in sorted(made, key=lambda key: (key == "", key)):
        scope = Scope(made[key], replace(everything, source=key or None))
        rows.append(
            SourceConversion(
                source=key or None,
                attempts=scope.count(metrics.COMPLETED),
                conversions=scope.count(metrics.CONVERSIONS),
                conversion_rate=scope.rate(metrics.CONVERSION_RATE),
            )
        )
    return rows
