"""Reading counted calls: all that a report asks is answered by one snapshot, and remembered until a call changes it."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from unite_core.cache import MAX_TTL, Cache, CacheEntryType, CacheSlot
from unite_core.calls.ports import CALL_COUNTS_NAMESPACE
from unite_core.clock import Clock
from unite_core.days import Period, moment_of
from unite_core.identity.model import Actor, Permission
from unite_core.identity.ports import REPORTS_NAMESPACE
from unite_core.reports import counting
from unite_core.reports.model import AgentName, ReportMeta
from unite_core.reports.ports import Question, ReportsUnitOfWork, Timeline
from unite_core.reports.tally import Tally, later_of, tally_from_plain, tally_to_plain
from unite_core.unit_of_work import UnitOfWorkFactory


@dataclass(frozen=True, slots=True)
class Results:
    """The answers to several questions, in their order, all as things were at `taken_at`."""

    taken_at: datetime
    tallies: tuple[Mapping[str, Tally], ...]

    def totals(self, number: int) -> Mapping[str, Tally]:
        """The answer to the question with that number, which was one for totals."""
        return self.tallies[number]

    def timeline(self, number: int) -> Mapping[int, Tally]:
        """The answer to the question with that number, which was one for a timeline."""
        return {int(label): tally for label, tally in self.tallies[number].items()}


@dataclass(frozen=True)
class CountCalls:
    """Answer questions about calls, all by one snapshot. The answers are remembered until an entry is written."""

    reads: UnitOfWorkFactory[ReportsUnitOfWork]
    clock: Clock
    cache: Cache

    def __call__(self, questions: Sequence[Question]) -> Results:
        return self.look(questions).get(lambda: self._read_now(questions))

    def look(self, questions: Sequence[Question]) -> CacheSlot[Results]:
        """The answers as far as they are remembered."""
        key = hashlib.sha256(repr(tuple(questions)).encode()).hexdigest()
        return _ANSWERS.look(self.cache, CALL_COUNTS_NAMESPACE, key)

    def _read_now(self, questions: Sequence[Question]) -> Results:
        taken_at = self.clock.now()
        with self.reads() as reads:
            return self.read(reads, taken_at, questions)

    def read(self, reads: ReportsUnitOfWork, taken_at: datetime, questions: Sequence[Question]) -> Results:
        """The answers from an open unit of work, which was opened after `taken_at`."""
        return Results(taken_at, tuple(counting.run_queries(reads.rollups, reads.rollups.unfolded(), questions)))


@dataclass(frozen=True)
class CacheReport:
    """Remember finished reports until an entry is written or a user is changed: what was asked, and its answer.

    A report is remembered only where all of it follows from the call ledger and from what users are called.
    """

    cache: Cache

    def __call__(self, actor: Actor, question: object, make: Callable[[], bytes]) -> bytes:
        """The answer to the question for those who see what the actor sees; `make` makes it where there is none."""
        key = hashlib.sha256(repr((agent_filter(actor), question)).encode()).hexdigest()
        look = self.cache.look(REPORTS_NAMESPACE, key)
        if look.value is not None:
            return look.value
        made = make()
        if look.ticket is not None:
            self.cache.put(REPORTS_NAMESPACE, key, made, ticket=look.ticket, ttl=MAX_TTL)
        return made


def by_day(period: Period, agent_id: UUID | None) -> Timeline:
    """The question for the calls of each day, labelled with its number from the first, which is 0."""
    return Timeline(segments=period.by_day(), agent_id=agent_id)


def report_meta(
    period: Period, taken_at: datetime, days: Mapping[int, Tally], *, complete_through: datetime | None = None
) -> ReportMeta:
    """How fresh a report is whose figures are those of `taken_at`; `days` is the answer to `by_day`.

    It is complete through that moment, unless its figures come from a store that may be behind.
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
    """Whose calls a report for the actor is about: an agent's are their own; None means everybody's."""
    return None if actor.may(Permission.SEE_ALL_CALLS) else actor.user_id


@dataclass(frozen=True)
class NameAgents:
    """Look up what agents are called, by the keys of a tally by agent."""

    reads: UnitOfWorkFactory[ReportsUnitOfWork]

    def __call__(self, keys: Collection[str]) -> Mapping[str, AgentName]:
        ids = {key: UUID(key) for key in keys if key}
        with self.reads() as reads:
            names = reads.figures.names(ids.values())
        return {"": AgentName(None, None)} | {key: AgentName(it, names.get(it)) for key, it in ids.items()}


def _to_plain(answers: Results) -> object:
    tallies = [{key: tally_to_plain(tally) for key, tally in each.items()} for each in answers.tallies]
    return [answers.taken_at.isoformat(), tallies]


def _from_plain(plain: Any) -> Results:
    taken_at, tallies = plain
    return Results(
        datetime.fromisoformat(taken_at),
        tuple({key: tally_from_plain(tally) for key, tally in each.items()} for each in tallies),
    )


_ANSWERS = CacheEntryType(_to_plain, _from_plain)
