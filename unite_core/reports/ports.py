"""Ports of reports: rollups of counted calls, and live figures of leads and call tasks."""

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
from unite_core.periods import Segment
from unite_core.reports.tally import Tally


class Dimension(StrEnum):
    """A dimension by which calls are grouped. The keys of `AGENT` are ids, those of `ATTEMPT` 1 to 5.

    The key is empty for a call of nobody, of a lead without a known source, or that was never made.
    """

    ALL = "all"
    AGENT = "agent"
    SOURCE = "source"
    ATTEMPT = "attempt"


def key_of(dimension: Dimension, entry: LedgerEntry) -> str:
    """Return the key under which the call is counted."""
    if dimension is Dimension.AGENT:
        return "" if entry.agent_id is None else str(entry.agent_id)
    if dimension is Dimension.SOURCE:
        return entry.source or ""
    if dimension is Dimension.ATTEMPT:
        return "" if entry.attempt is None else str(min(entry.attempt, MAX_ATTEMPT))
    return ""


Groups = tuple[tuple[CallResult, ...], ...]
"""Results that are counted together, each in one group at most.

A question with groups asks only for the number of calls in each group: neither for other results nor for
seconds. All calls of a group are counted under its first result. So a database returns one number for each group.
"""


def grouped(*groups: Collection[CallResult]) -> Groups:
    """Return the groups with their results in a fixed order."""
    return tuple(tuple(result for result in CallResult if result in group) for group in groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """A question for the number of calls in the quarter hours from `start` to before `end`, by a dimension.

    With `agent_id` only the calls of that agent are counted.
    """

    start: int
    end: int
    by: Dimension = Dimension.ALL
    agent_id: UUID | None = None
    groups: Groups = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A question for the number of calls in the quarter hours of the segments, by the labels of the segments.

    With `agent_id` only the calls of that agent are counted.
    """

    segments: tuple[Segment, ...]
    agent_id: UUID | None = None
    groups: Groups = ()


Question = Totals | Timeline
"""A question about counted calls."""


class Grain(StrEnum):
    """The length of a rollup's period: a quarter hour, or a day of UTC. Both are numbered from 1970."""

    QUARTER = "quarter"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Cell:
    """One rollup: the calls of one period with one key of a dimension; with `agent_id` only that agent's.

    Calls of one agent are counted by source and by attempt, for each day.
    """

    grain: Grain
    period: int
    dimension: Dimension
    key: str
    agent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class EntryChange:
    """A change by a ledger entry: its call is from now on as the entry says, and no longer as `before` said."""

    entry: LedgerEntry
    before: LedgerEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recounted:
    """The number of calls of one quarter hour that are alike, counted from the ledger itself.

    `recorded_at` is when the last entry was written that is counted here, or that uncounted one.
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
    """Stores rollups of counted calls, and which entries of the ledger they do not contain yet.

    `CallLedger.append` marks an entry as not folded yet, in the same transaction.
    """

    @abstractmethod
    def results(self, questions: Sequence[Question]) -> Sequence[Mapping[str, Tally]]:
        """Return the answer to each question from the folded calls: by key, or by label as text.

        Keys without calls may be missing, and results that a question does not ask for may be there. Neither totals nor
        groups need `recorded_at`. All questions are one query, except for the quarter hours before and after the days
        of one agent by source or by attempt.
        """

    @abstractmethod
    def by_agent(self, question: Timeline) -> Mapping[tuple[str, int], Tally]:
        """Return the folded calls by agent (as a key) and label; pairs without calls may be missing."""

    @abstractmethod
    def unfolded(self) -> Sequence[EntryChange]:
        """Return the changes by entries that are not folded yet."""

    @abstractmethod
    def claim(self, *, limit: int) -> Sequence[EntryChange]:
        """Return up to `limit` steps of `unfolded`, oldest first. Nobody else folds until this unit of work ends."""

    @abstractmethod
    def catch_up(self, *, limit: int) -> int:
        """Count up to `limit` folded entries that lack the counts of an agent by source and attempt; return how many.

        A worker of an older version, which may run at the same time, folds in that way. Call it after `claim`.
        """

    @abstractmethod
    def fold(self, steps: Sequence[EntryChange], counted: Mapping[Cell, Tally]) -> None:
        """Add these tallies to the rollups, and mark the entries of the claimed steps as folded."""

    @abstractmethod
    def days(self) -> Sequence[int]:
        """Return the days of UTC that have a call or a rollup, numbered from 1970, in order."""

    @abstractmethod
    def recount(self, day: int) -> Sequence[Recounted]:
        """Count the folded calls of a day of UTC from the ledger itself.

        No other unit of work folds until this one ends.
        """

    @abstractmethod
    def replace_day(self, day: int, counted: Mapping[Cell, Tally]) -> None:
        """Replace all rollups of a day of UTC by these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The leads created from one moment to before the other; with `assigned_to` only those of that user.

    Then only that user's calls count, as in the list of leads that an agent sees.
    """

    created_from: datetime
    created_to: datetime
    assigned_to: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelCounts:
    """The number of leads, and of those that were called, contacted, and converted."""

    leads: int = 0
    called: int = 0
    contacted: int = 0
    converted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstCalls:
    """The number of leads of a cohort, of those called, and of those called in time; and percentiles of the seconds.

    `p50` and `p90` are the smallest number of seconds within which that share of the called leads was called (nearest
    rank), None if none was called.
    """

    leads: int = 0
    called: int = 0
    within: int = 0
    p50: int | None = None
    p90: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueCall:
    """A pending call task that is overdue; a name is None if the lead was deleted, or if nobody is assigned."""

    task_id: UUID
    due_at: datetime
    lead_name: str | None
    assignee_name: str | None


class LiveFigures(Protocol):
    """Computes the current figures of leads and call tasks."""

    @abstractmethod
    def funnel(self, question: Cohort) -> Mapping[str, FunnelCounts]:
        """Return the leads by source; a lead counts for a stage if one of its calls had one of the results."""

    @abstractmethod
    def first_calls(self, question: Cohort, *, within: int) -> FirstCalls:
        """Return how long after their creation leads were called first, and how many within `within` seconds."""

    @abstractmethod
    def overdue(self, *, before: datetime, assigned_to: UUID | None = None) -> int:
        """Return how many pending call tasks were due before that moment; with `assigned_to`, of that user only."""

    @abstractmethod
    def overdue_calls(self, *, before: datetime, limit: int, assigned_to: UUID | None = None) -> Sequence[OverdueCall]:
        """Return up to `limit` of the call tasks that `overdue` counts, the longest overdue first, in one query."""

    @abstractmethod
    def names(self, user_ids: Collection[UUID]) -> Mapping[UUID, str]:
        """Return the names of those of these users that exist."""


class ReportsUnitOfWork(CallsUnitOfWork, Protocol):
    """A unit of work with the rollups and the figures of leads, too."""

    rollups: Rollups
    figures: LiveFigures
