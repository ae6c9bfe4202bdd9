"""Report of one day: calls in total, by agent, outcome and hour."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import ClassVar
from uuid import UUID

from unite_core.calls.model import CallResult
from unite_core.checks import UseCase
from unite_core.identity.model import Actor, Permission
from unite_core.periods import Period, Segment, moment_of
from unite_core.reports import metrics
from unite_core.reports.call_queries import CountCalls, NameAgents, Results, agent_filter, report_meta
from unite_core.reports.metrics import Flag, results_with
from unite_core.reports.model import AgentName, CallItems, Count, ReportMeta, Scope, calls_of
from unite_core.reports.ports import Dimension, Question, Timeline, Totals
from unite_core.reports.tally import Rate, Tally, total

OUTCOMES = [result for result in CallResult if result in results_with(Flag.ATTEMPT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFigures:
    """The figures of a set of calls."""

    total_calls: Count
    completed: Count
    missed: Count
    contacts: Count
    conversions: Count
    completion_rate: Rate
    contact_rate: Rate
    average_duration_seconds: Rate


@dataclass(frozen=True, slots=True)
class AgentDay:
    """The figures of an agent, or of the calls that belong to nobody."""

    agent: AgentName
    figures: CallFigures


@dataclass(frozen=True, slots=True)
class Hour:
    """The calls of one hour on local clocks, named by its start: an hour occurs twice when clocks go back."""

    starts_at: datetime
    attempts: Count
    contacts: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyReport:
    """The figures of one day: in total, by agent (by name), by outcome, and by hour."""

    about: ReportMeta
    figures: CallFigures
    cancelled: Count
    by_agent: Sequence[AgentDay]
    by_outcome: Mapping[CallResult, Count]
    by_hour: Sequence[Hour]


@dataclass(frozen=True)
class ReportDay(UseCase):
    """Report one day: how many calls there were, how many were made and how many missed, by agent, outcome and hour.

    A call belongs to the day on which it began, or on which it was due if nobody made it. Cancelled calls are in no
    total. Agents get their own figures, admins and managers those of all agents.
    """

    permission: ClassVar[Permission | None] = None
    count: CountCalls
    name: NameAgents

    def __call__(self, actor: Actor, period: Period) -> DailyReport:
        return self.report(period, self.count(questions_of_day(actor, period)))

    def report(self, period: Period, results: Results) -> DailyReport:
        """Return the report from the results of `questions_of_day`."""
        agents, quarters = results.totals(0), results.timeline(1)
        all_calls = calls_of(period)
        whole = Scope(total(quarters.values()), all_calls)
        return DailyReport(
            about=report_meta(period, results.taken_at, _by_day(period, quarters)),
            figures=figures_of(whole),
            cancelled=whole.count(metrics.CANCELLED),
            by_agent=self._by_agent(agents, all_calls),
            by_outcome={outcome: whole.result(outcome) for outcome in OUTCOMES},
            by_hour=list(_by_hour(period, quarters, all_calls)),
        )

    def _by_agent(self, agents: Mapping[str, Tally], all_calls: CallItems) -> list[AgentDay]:
        counted = {key: tally for key, tally in agents.items() if tally.count(metrics.TOTAL_CALLS)}
        names = self.name(counted)
        rows = [
            AgentDay(names[key], figures_of(Scope(tally, replace(all_calls, agent_id=names[key].id))))
            for key, tally in counted.items()
        ]
        return sorted(rows, key=lambda row: order_of(row.agent))


def questions_of_day(actor: Actor, period: Period) -> tuple[Question, ...]:
    """Return the questions of a day's report: the calls of each agent, and those of each quarter hour."""
    own = agent_filter(actor)
    by_agent = Totals(start=period.start, end=period.end, by=Dimension.AGENT, agent_id=own)
    return by_agent, Timeline(segments=(Segment(period.start, period.end, 0, 1),), agent_id=own)


def figures_of(scope: Scope) -> CallFigures:
    """Return the figures of the calls of a scope."""
    return CallFigures(
        total_calls=scope.count(metrics.TOTAL_CALLS),
        completed=scope.count(metrics.COMPLETED),
        missed=scope.count(metrics.MISSED),
        contacts=scope.count(metrics.CONTACTS),
        conversions=scope.count(metrics.CONVERSIONS),
        completion_rate=scope.rate(metrics.COMPLETION_RATE),
        contact_rate=scope.rate(metrics.CONTACT_RATE),
        average_duration_seconds=scope.rate(metrics.AVERAGE_DURATION),
    )


def order_of(agent: AgentName) -> tuple[bool, str, UUID]:
    """Return the sort key of the agent in a list by name; nobody comes last."""
    return agent.id is None, (agent.name or "").casefold(), agent.id or UUID(int=0)


def _by_day(period: Period, quarters: Mapping[int, Tally]) -> Mapping[int, Tally]:
    """Return the answer to `by_day` from the quarter hours; the report of a day has a period of one day."""
    return {
        number: total(tally for quarter, tally in quarters.items() if day.first <= quarter < day.end)
        for number, day in enumerate(period.days)
    }


def _by_hour(period: Period, quarters: Mapping[int, Tally], all_calls: CallItems) -> Iterable[Hour]:
    """Yield every hour of the period: the quarter hours with the same hour on local clocks and the same UTC offset."""

    def hour_of(quarter: int) -> tuple[object, ...]:
        clock = period.clock_at(quarter)
        return clock.date(), clock.hour, clock.utcoffset()

    for _, group in groupby(range(period.start, period.end), key=hour_of):
        hour = list(group)
        tally = total(quarters[quarter] for quarter in hour if quarter in quarters)
        scope = Scope(tally, replace(all_calls, start=moment_of(hour[0]), end=moment_of(hour[-1] + 1)))
        yield Hour(period.clock_at(hour[0]), scope.count(metrics.COMPLETED), scope.count(metrics.CONTACTS))
