"""What reports need from outside."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallResult
from unite_core.calls.ports import MAX_ATTEMPT, CallsUnitOfWork
from unite_core.days import Segment
from unite_core.reports.tally import Tally


class Dimension(StrEnum):
    """By what calls are counted apart. The keys of `AGENT` are ids, those of `ATTEMPT` 1 to 5.

    A call of nobody, of a lead without a known source, or that was never made has an empty key.
    """

    ALL = "all"
    AGENT = "agent"
    SOURCE = "source"
    ATTEMPT = "attempt"


def key_of(dimension: Dimension, entry: LedgerEntry) -> str:
    """The key that the call is counted under."""
    if dimension is Dimension.AGENT:
        return "" if entry.agent_id is None else str(entry.agent_id)
    if dimension is Dimension.SOURCE:
        return entry.source or ""
    if dimension is Dimension.ATTEMPT:
        return "" if entry.attempt is None else str(min(entry.attempt, MAX_ATTEMPT))
    return ""


Groups = tuple[tuple[CallResult, ...], ...]
"""Results that are counted together, each in one group at the most.

A question with groups asks how many calls each of them has, and for nothing else: neither for other results nor for
seconds. All calls of a group are counted under its first result. So a database sends a number for each group.
"""


def grouped(*groups: Collection[CallResult]) -> Groups:
    """The groups with their results in a fixed order."""
    return tuple(tuple(result for result in CallResult if result in group) for group in groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How many calls there were in the quarter hours from `start` to before `end`, by a dimension.

    With `agent_id` only those of that agent are counted.
    """

    start: int
    end: int
    by: Dimension = Dimension.ALL
    agent_id: UUID | None = None
    groups: Groups = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """How many calls there were in the quarter hours of the segments, by the labels that these give them.

    With `agent_id` only those of that agent are counted.
    """

    segments: tuple[Segment, ...]
    agent_id: UUID | None = None
    groups: Groups = ()


Question = Totals | Timeline
"""What can be asked about counted calls."""


class Grain(StrEnum):
    """How long the periods of a rollup are: a quarter hour, or a day of UTC. Both are numbered from 1970."""

    QUARTER = "quarter"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Cell:
    """One rollup: the calls of one period that have one key of a dimension; with `agent_id` those of that agent alone.

    Those of one agent are counted by source and by attempt, for each day.
    """

    grain: Grain
    period: int
    dimension: Dimension
    key: str
    agent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class EntryChange:
    """What an entry changes: its call is from now on as it says, and no longer as the entry `before` it said."""

    entry: LedgerEntry
    before: LedgerEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recounted:
    """How many calls of one quarter hour were alike, as the ledger itself says.

    `recorded_at` is when the last entry was written that is counted here, or took one out again.
    """

    quarter: int
    agent_id: UUID | None
    source: str | None
    attempt: int | None
    result: CallResult
    calls: int
    seconds: int
    recorded_at: datetime


class Rollups(Protocol):
    """Calls that were counted beforehand, and the entries of the ledger that are not counted there yet.

    `CallLedger.append` makes an entry one that is not folded yet, in the same transaction.
    """

    @abstractmethod
    def answers(self, questions: Sequence[Question]) -> Sequence[Mapping[str, Tally]]:
        """The answer to each question, from the calls that were folded: by key, or by label as text.

        What there is none of may be left out, and what a question does not ask for may be there. Neither totals nor
        groups need `recorded_at`. All questions are one query, but for the quarter hours before and after the days of
        one agent by source or by attempt.
        """

    @abstractmethod
    def by_agent(self, question: Timeline) -> Mapping[tuple[str, int], Tally]:
        """The calls that were folded, by agent (as a key) and label; what there is none of may be left out."""

    @abstractmethod
    def unfolded(self) -> Sequence[EntryChange]:
        """What the entries change that are not folded yet."""

    @abstractmethod
    def claim(self, *, limit: int) -> Sequence[EntryChange]:
        """Up to `limit` of what `unfolded` gives, the oldest first. Until this unit of work ends nobody else folds."""

    @abstractmethod
    def catch_up(self, *, limit: int) -> int:
        """Count up to `limit` entries for each agent by source and by attempt that were folded without; how many.

        A worker of an older version, which may run at the same time, folds so. Call it after `claim`.
        """

    @abstractmethod
    def fold(self, steps: Sequence[EntryChange], counted: Mapping[Cell, Tally]) -> None:
        """Add these tallies to the rollups; the entries of the claimed steps are folded now."""

    @abstractmethod
    def days(self) -> Sequence[int]:
        """The days of UTC that have a call or a rollup, numbered from 1970, in their order."""

    @abstractmethod
    def recount(self, day: int) -> Sequence[Recounted]:
        """What the ledger itself says of the calls of a day of UTC, as far as they are folded.

        Until this unit of work ends nobody else folds.
        """

    @abstractmethod
    def replace_day(self, day: int, counted: Mapping[Cell, Tally]) -> None:
        """Put these rollups in the place of all those of a day of UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The leads created from the one moment to before the other; with `assigned_to` those of that user alone.

    Of leads of one user only that user's calls count, as in the list of leads that an agent sees.
    """

    created_from: datetime
    created_to: datetime
    assigned_to: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelCounts:
    """How many leads there are, how many of them were called, contacted, and converted."""

    leads: int = 0
    called: int = 0
    contacted: int = 0
    converted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstCalls:
    """The leads of a cohort, those called, and those called in time; and percentiles of the seconds until then.

    `p50` and `p90` are the smallest number of seconds within which that share of the called leads was called (the
    nearest rank), None where none was called.
    """

    leads: int = 0
    called: int = 0
    within: int = 0
    p50: int | None = None
    p90: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueCall:
    """A pending call task that is due; the names are None where the lead was deleted, and where nobody is assigned."""

    task_id: UUID
    due_at: datetime
    lead_name: str | None
    assignee_name: str | None


class LiveFigures(Protocol):
    """Figures of leads and call tasks, which are what they are at the moment."""

    @abstractmethod
    def funnel(self, question: Cohort) -> Mapping[str, FunnelCounts]:
        """The leads by source; a lead counts for a stage where one of its calls had one of the results."""

    @abstractmethod
    def first_calls(self, question: Cohort, *, within: int) -> FirstCalls:
        """How long after their creation leads were called first, and how many within so many seconds."""

    @abstractmethod
    def overdue(self, *, before: datetime, assigned_to: UUID | None = None) -> int:
        """How many pending call tasks were due before that moment; with `assigned_to` of those of that user alone."""

    @abstractmethod
    def overdue_calls(self, *, before: datetime, limit: int, assigned_to: UUID | None = None) -> Sequence[OverdueCall]:
        """Up to `limit` of the call tasks that `overdue` counts, the longest due first, in one query."""

    @abstractmethod
    def names(self, user_ids: Collection[UUID]) -> Mapping[UUID, str]:
        """What these users are called, those that there are."""


class ReportsUnitOfWork(CallsUnitOfWork, Protocol):
    """A unit of work that reaches the figures of calls and leads, too."""

    rollups: Rollups
    figures: LiveFigures
