"""Report of agents ranked by a metric."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from unite_core.checks import UseCase, one_of
from unite_core.identity.model import Actor, Permission
from unite_core.periods import Period
from unite_core.reports import metrics
from unite_core.reports.call_queries import CountCalls, NameAgents, agent_filter, by_day, report_meta
from unite_core.reports.daily import order_of
from unite_core.reports.metrics import COUNTS, RATES
from unite_core.reports.model import AgentName, CallItems, Count, ReportMeta, Scope, calls_of
from unite_core.reports.ports import Dimension, Totals
from unite_core.reports.tally import Rate, Tally

LEADERBOARD_METRICS = (*COUNTS, *RATES)
DEFAULT_METRIC = metrics.CONVERSIONS.name


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardRow:
    """An agent in the ranking: agents with the same value share a rank, and the next rank counts all of them.

    `rank` is None if the metric has no value for the agent, and for an agent who may not see the ranks of others.
    """

    rank: int | None
    agent: AgentName
    value: Count | Rate
    completed: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """The agents with calls in the period, the highest value first."""

    about: ReportMeta
    metric: str
    places: Sequence[LeaderboardRow]


@dataclass(frozen=True)
class ReportLeaderboard(UseCase):
    """Report agents ranked by a metric, the highest value first; ties share a rank.

    Agents get their own figures, without a rank; admins and managers those of all agents.
    """

    permission: ClassVar[Permission | None] = None
    count: CountCalls
    name: NameAgents

    def __call__(
        self, actor: Actor, period: Period, metric: Annotated[str, one_of(LEADERBOARD_METRICS)] = DEFAULT_METRIC
    ) -> Leaderboard:
        own = agent_filter(actor)
        by_agent = Totals(start=period.start, end=period.end, by=Dimension.AGENT, agent_id=own)
        results = self.count([by_day(period, own), by_agent])
        tallies = {key: tally for key, tally in results.totals(1).items() if key and not tally.empty}
        names = self.name(tallies)
        rows = [_row(names[key], tally, metric, calls_of(period)) for key, tally in tallies.items()]
        rows.sort(key=lambda row: (-_sort_value(row), order_of(row.agent)))
        ranked = rows if own is not None else _ranked(rows)
        return Leaderboard(
            about=report_meta(period, results.taken_at, results.timeline(0)), metric=metric, places=ranked
        )


def _row(agent: AgentName, tally: Tally, metric: str, all_calls: CallItems) -> LeaderboardRow:
    scope = Scope(tally, replace(all_calls, agent_id=agent.id))
    value: Count | Rate = scope.count(COUNTS[metric]) if metric in COUNTS else scope.rate(RATES[metric])
    return LeaderboardRow(rank=None, agent=agent, value=value, completed=scope.count(metrics.COMPLETED))


def _ranked(rows: Sequence[LeaderboardRow]) -> list[LeaderboardRow]:
    values = [_sort_value(row) for row in rows]
    return [row if row.value.value is None else replace(row, rank=values.index(_sort_value(row)) + 1) for row in rows]


def _sort_value(row: LeaderboardRow) -> float:
    return -1.0 if row.value.value is None else float(row.value.value)
