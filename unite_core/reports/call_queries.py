"""Queries of counted calls: all questions of a report are answered from one snapshot, and cached."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from unite_core.cache import MAX_TTL, Cache, CacheEntryType, CacheSlot
from unite_core.calls.ports import CALL_COUNTS_NAMESPACE
from unite_core.checks import UseCase
from unite_core.clock import Clock
from unite_core.identity.model import Actor, Permission
from unite_core.identity.ports import REPORTS_NAMESPACE
from unite_core.periods import Period, moment_of
from unite_core.reports import rollup_counts
from unite_core.reports.model import AgentName, ReportMeta
from unite_core.reports.ports import Question, ReportsUnitOfWork, Timeline
from unite_core.reports.tally import Tally, later_of, tally_from_plain, tally_to_plain
from unite_core.unit_of_work import UnitOfWorkFactory


@dataclass(frozen=True, slots=True)
class Results:
    """The results of several questions, in their order, all from a snapshot at `taken_at`."""

    taken_at: datetime
    tallies: tuple[Mapping[str, Tally], ...]

    def totals(self, number: int) -> Mapping[str, Tally]:
        """Return the answer to the question with that number, which asks for totals."""
        return self.tallies[number]

    def timeline(self, number: int) -> Mapping[int, Tally]:
        """Return the answer to the question with that number, which asks for a timeline."""
        return {int(label): tally for label, tally in self.tallies[number].items()}


@dataclass(frozen=True)
class CountCalls:
    """Answer questions about calls, all from one snapshot. The results are cached until an entry is written."""

    reads: UnitOfWorkFactory[ReportsUnitOfWork]
    clock: Clock
    cache: Cache

    def __call__(self, questions: Sequence[Question]) -> Results:
        return self.slot(questions).get(lambda: self._read_now(questions))

    def slot(self, questions: Sequence[Question]) -> CacheSlot[Results]:
        """Return the results from the cache, if they are there."""
        key = hashlib.sha256(repr(tuple(questions)).encode()).hexdigest()
        return _ANSWERS.slot(self.cache, CALL_COUNTS_NAMESPACE, key)

    def _read_now(self, questions: Sequence[Question]) -> Results:
        taken_at = self.clock.now()
        with self.reads() as reads:
            return self.read(reads, taken_at, questions)

    def read(self, reads: ReportsUnitOfWork, taken_at: datetime, questions: Sequence[Question]) -> Results:
        """Compute the results in an open unit of work, which was opened after `taken_at`."""
        return Results(taken_at, tuple(rollup_counts.run_queries(reads.rollups, reads.rollups.unfolded(), questions)))


@dataclass(frozen=True)
class CacheReport(UseCase):
    """Cache finished reports until an entry is written or a user is changed.

    A report is cached only if all of it follows from the call ledger and from the names of users.
    """

    cache: Cache

    def __call__(self, actor: Actor, question: object, make: Callable[[], bytes]) -> bytes:
        """Return the cached report, shared by all who see the same calls; `make` makes it if there is none."""
        key = hashlib.sha256(repr((agent_filter(actor), question)).encode()).hexdigest()
        lookup = self.cache.get(REPORTS_NAMESPACE, key)
        if lookup.value is not None:
            return lookup.value
        report = make()
        if lookup.ticket is not None:
            self.cache.put(REPORTS_NAMESPACE, key, report, ticket=lookup.ticket, ttl=MAX_TTL)
        return report


def by_day(period: Period, agent_id: UUID | None) -> Timeline:
    """Return the question for the calls of each day, labelled with the number of the day, counted from 0."""
    return Timeline(segments=period.by_day(), agent_id=agent_id)


def report_meta(
    period: Period, taken_at: datetime, days: Mapping[int, Tally], *, complete_through: datetime | None = None
) -> ReportMeta:
    """Return period and freshness of a report with the figures of `taken_at`; `days` is the answer to `by_day`.

    It is complete through `taken_at`, unless its figures come from a store that may be behind.
    """
    restated: datetime | None = None
    for number, tally in days.items():
        if tally.recorded_at is not None and tally.recorded_at >= moment_of(period.days[number].end):
            restated = later_of(restated, tally.recorded_at)
    return ReportMeta(
        period=period,
        generated_at=taken_at,
        complete_through=complete_through or taken_at,
        restated_at=restated,
    )


def agent_filter(actor: Actor) -> UUID | None:
    """Return the agent to whose calls the actor's reports are limited; None means all agents."""
    return None if actor.may(Permission.SEE_ALL_CALLS) else actor.user_id


@dataclass(frozen=True)
class NameAgents:
    """Look up the names of agents by the keys of a tally by agent."""

    reads: UnitOfWorkFactory[ReportsUnitOfWork]

    def __call__(self, keys: Collection[str]) -> Mapping[str, AgentName]:
        ids = {key: UUID(key) for key in keys if key}
        with self.reads() as reads:
            names = reads.figures.names(ids.values())
        return {"": AgentName(None, None)} | {
            key: AgentName(user_id, names.get(user_id)) for key, user_id in ids.items()
        }


def _to_plain(results: Results) -> object:
    tallies = [{key: tally_to_plain(tally) for key, tally in answer.items()} for answer in results.tallies]
    return [results.taken_at.isoformat(), tallies]


def _from_plain(plain: Any) -> Results:
    taken_at, tallies = plain
    return Results(
        datetime.fromisoformat(taken_at),
        tuple({key: tally_from_plain(tally) for key, tally in answer.items()} for answer in tallies),
    )


_ANSWERS = CacheEntryType(_to_plain, _from_plain)
