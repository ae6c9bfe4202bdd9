"""Report of the calls of each agent, day by day."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import ClassVar

from unite_core.cache import Cache, CacheEntryType
from unite_core.calls.ports import CALL_COUNTS_NAMESPACE
from unite_core.checks import UseCase
from unite_core.clock import Clock
from unite_core.identity.model import Actor, Permission
from unite_core.notifications.model import ACTIVITY
from unite_core.periods import Day, Period, moment_of
from unite_core.reports import metrics, rollup_counts
from unite_core.reports.call_queries import NameAgents, agent_filter, by_day, report_meta
from unite_core.reports.daily import order_of
from unite_core.reports.documents import CALL_EVENTS, AgentKey, CallActivity, DocumentsUnitOfWork
from unite_core.reports.model import AgentName, CallItems, Count, ReportMeta, Scope, calls_of
from unite_core.reports.ports import ReportsUnitOfWork, Timeline
from unite_core.reports.tally import Tally, tally_from_plain, tally_to_plain, total
from unite_core.unit_of_work import UnitOfWorkFactory


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityFigures:
    """The number of calls, and how long they lasted in total."""

    calls: Count
    completed: Count
    missed: Count
    contacts: Count
    conversions: Count
    duration_seconds: int


@dataclass(frozen=True, slots=True)
class ActivityDay:
    """The calls of one agent on one day."""

    date: date
    figures: ActivityFigures


@dataclass(frozen=True, slots=True)
class AgentActivity:
    """The calls of an agent, or those that belong to nobody: in total, and for each day that has one."""

    agent: AgentName
    figures: ActivityFigures
    by_day: Sequence[ActivityDay]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityReport:
    """The agents with calls in the period, by name."""

    about: ReportMeta
    agents: Sequence[AgentActivity]


@dataclass(frozen=True)
class LedgerActivity(CallActivity):
    """The same figures, counted from the ledger and its rollups, for installations without call documents.

    They are cached until an entry is written. Figures from call documents are not: documents arrive later than
    entries, others may change them, and a store that does not answer has to be noticed.
    """

    reads: UnitOfWorkFactory[ReportsUnitOfWork]
    cache: Cache

    def by_agent(self, question: Timeline) -> Mapping[tuple[AgentKey, int], Tally]:
        key = hashlib.sha256(repr(question).encode()).hexdigest()
        return _BY_AGENT.get(self.cache, CALL_COUNTS_NAMESPACE, f"by agent {key}", lambda: self._read(question))

    def _read(self, question: Timeline) -> Mapping[tuple[AgentKey, int], Tally]:
        with self.reads() as reads:
            return rollup_counts.by_agent(reads.rollups, reads.rollups.unfolded(), question)


_BY_AGENT = CacheEntryType[Mapping[tuple[AgentKey, int], Tally]](
    lambda counted: [[agent, label, tally_to_plain(tally)] for (agent, label), tally in counted.items()],
    lambda plain: {(agent, int(label)): tally_from_plain(tally) for agent, label, tally in plain},
)


@dataclass(frozen=True)
class DocumentsCompleteThrough:
    """Return the time up to which the call documents are complete: that of the oldest event that is still pending.

    Without call documents it is always now. Call this before the calls are counted.
    """

    reads: UnitOfWorkFactory[DocumentsUnitOfWork]
    clock: Clock
    documents: bool

    def __call__(self) -> tuple[datetime, datetime]:
        """Return that time, and the current time."""
        now = self.clock.now()
        if not self.documents:
            return now, now
        with self.reads() as reads:
            pending = reads.deliveries.pending_events(ACTIVITY, CALL_EVENTS, limit=1)
        return min([now, *(event.at for event in pending)]), now


@dataclass(frozen=True)
class ReportActivity(UseCase):
    """Report the calls of each agent, in total and day by day.

    The figures are counted from the call documents by one aggregation, else from the call ledger. Agents get their own
    figures, admins and managers those of all agents.
    """

    permission: ClassVar[Permission | None] = None
    activity: CallActivity
    name: NameAgents
    complete_through: DocumentsCompleteThrough

    def __call__(self, actor: Actor, period: Period) -> ActivityReport:
        complete_through, now = self.complete_through()
        own = agent_filter(actor)
        counted = self.activity.by_agent(by_day(period, own))
        days = rollup_counts.merged({label: tally} for (_, label), tally in counted.items())
        meta = report_meta(period, now, days, complete_through=complete_through)
        return ActivityReport(about=meta, agents=self._agents(counted, period))

    def _agents(self, counted: Mapping[tuple[AgentKey, int], Tally], period: Period) -> list[AgentActivity]:
        by_agent: dict[AgentKey, dict[int, Tally]] = {}
        for (key, label), tally in sorted(counted.items()):
            if tally.count(metrics.TOTAL_CALLS):
                by_agent.setdefault(key, {})[label] = tally
        names = self.name(by_agent)
        rows = [_agent(names[key], days, period) for key, days in by_agent.items()]
        return sorted(rows, key=lambda row: order_of(row.agent))


def _agent(agent: AgentName, tallies: Mapping[int, Tally], period: Period) -> AgentActivity:
    all_calls = replace(calls_of(period), agent_id=agent.id)
    return AgentActivity(
        agent,
        _figures(tallies.values(), all_calls),
        [_day(period.days[label], tally, all_calls) for label, tally in tallies.items()],
    )


def _day(day: Day, tally: Tally, all_calls: CallItems) -> ActivityDay:
    items = replace(all_calls, start=moment_of(day.first), end=moment_of(day.end))
    return ActivityDay(day.date, _figures([tally], items))


def _figures(tallies: Iterable[Tally], items: CallItems) -> ActivityFigures:
    scope = Scope(total(tallies), items)
    return ActivityFigures(
        calls=scope.count(metrics.TOTAL_CALLS),
        completed=scope.count(metrics.COMPLETED),
        missed=scope.count(metrics.MISSED),
        contacts=scope.count(metrics.CONTACTS),
        conversions=scope.count(metrics.CONVERSIONS),
        duration_seconds=scope.tally.seconds,
    )
