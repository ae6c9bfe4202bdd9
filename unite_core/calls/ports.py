"""Ports of calls: repositories of call tasks, of the call ledger and of the calls per lead."""

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol
from uuid import UUID

from unite_core.calls.ledger import ChainFault, LedgerEntry, Unreadable
from unite_core.calls.model import CallOutcome, CallResult, CallTask, TaskStatus
from unite_core.checks import Checked, Input, between
from unite_core.errors import FieldError
from unite_core.leads.details import SOURCE, keys_of, keys_rule
from unite_core.leads.ports import LeadsUnitOfWork
from unite_core.paging import Page, PageRequest, Position
from unite_core.periods import Segment, hour_segments, quarter_of
from unite_core.zones import ZoneName

CALL_COUNTS_NAMESPACE = "call counts"
"""The cache namespace of counts of the ledger: every appended entry changes them."""

MAX_ATTEMPT = 5
"""The last attempt in a filter, which stands for all later ones too."""

MAX_NOTES_IN_LISTS = 10
"""Number of notes of each task in a list: with all of them a page could have 80 million characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter(Input):
    """A filter of call tasks: those that meet every given condition; an empty one is no condition.

    `assigned_to` and `unassigned` together mean one of these users or nobody. `visible_to` limits the list to the tasks
    assigned to that user, whatever else is set. `due_from` is inclusive, `due_to` exclusive.
    """

    statuses: frozenset[TaskStatus] = frozenset()
    assigned_to: frozenset[UUID] = frozenset()
    unassigned: bool = False
    lead_id: UUID | None = None
    due_from: datetime | None = None
    due_to: datetime | None = None
    visible_to: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFilter(Input):
    """A filter of hours (0 to 23) and weekdays (1 is Monday) on the clocks of the IANA time zone `tz`; empty means all.

    A call belongs to what the clocks showed at the beginning of its quarter hour.
    """

    tz: ZoneName
    hours: Annotated[frozenset[int], between(0, 23)] = frozenset()
    weekdays: Annotated[frozenset[int], between(1, 7)] = frozenset()

    def segments(self, start: datetime, end: datetime) -> Sequence[Segment]:
        """Return the quarter hours from `start` to `end`, labelled with their hour of the week."""
        return hour_segments(quarter_of(start), quarter_of(end) + 1, self.tz)

    @property
    def labels(self) -> frozenset[int]:
        """The hours of the week that match, counted from Monday 0:00, which is 0."""
        weekdays = self.weekdays or range(1, 8)
        hours = self.hours or range(24)
        return frozenset((weekday - 1) * 24 + hour for weekday in weekdays for hour in hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFilter(Input):
    """A filter of ledger entries: those that meet every given condition; None and an empty one are no condition.

    `called_from` and `called_to` limit when the call was, `at_from` and `at_to` when the entry was written: the first
    is inclusive, the second exclusive. `without_agent` limits the list to calls of no agent. `sources` are plain text,
    compared without case; None among them is an unknown source. `MAX_ATTEMPT` in `attempts` is that attempt and all
    later ones. `counted` limits the list to the last entry of each chain, which is the one that counts, or with False
    to all others. `clock` limits it to hours and weekdays, and needs `called_from` and `called_to`. `visible_to` limits
    the list to that agent's calls whatever else is asked.
    """

    agent_id: UUID | None = None
    without_agent: bool = False
    lead_id: UUID | None = None
    task_id: UUID | None = None
    called_from: datetime | None = None
    called_to: datetime | None = None
    at_from: datetime | None = None
    at_to: datetime | None = None
    results: frozenset[CallResult] = frozenset()
    sources: Annotated[frozenset[str | None], keys_rule(SOURCE)] = frozenset()
    attempts: Annotated[frozenset[int], between(1, MAX_ATTEMPT)] = frozenset()
    counted: bool | None = None
    clock: ClockFilter | None = None
    visible_to: UUID | None = None

    def __post_init__(self) -> None:
        Input.__post_init__(self)
        unknown = self.sources & {None}
        object.__setattr__(self, "sources", unknown | keys_of(SOURCE, self.sources))

    def broken_rules(self) -> Iterable[FieldError]:
        """Return the error of a filter of hours without a period."""
        if self.clock is not None and (self.called_from is None or self.called_to is None):
            detail = "A filter of hours or weekdays needs the moments from and to which calls are listed."
            yield FieldError(field="clock", code="period_required", detail=detail)

    @property
    def by_call_time(self) -> bool:
        """Whether the list is sorted by the time of the calls, rather than by the time at which entries were written.

        It is if the filter has a condition on calls.
        """
        return self.called_from is not None or self.called_to is not None or self.counted is not None

    def position(self, entry: LedgerEntry) -> Position:
        """Return the position of an entry in the list."""
        return Position(entry.called_at if self.by_call_time else entry.at, entry.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCounts(Checked):
    """The number of calls that were made to a lead, per outcome, and the time of the first one."""

    outcomes: Mapping[CallOutcome, int]
    first_called_at: datetime

    @property
    def calls(self) -> int:
        """The number of calls that were made."""
        return sum(self.outcomes.values())


class CallTasks(Protocol):
    """Stores call tasks with their notes; `save` does not delete notes that a task was loaded without."""

    @abstractmethod
    def add(self, task: CallTask) -> None:
        """Add a task, with the notes that it has already."""

    @abstractmethod
    def get(self, task_id: UUID) -> CallTask:
        """Return the task, locked until a unit of work that writes ends; raise `NotFound`."""

    @abstractmethod
    def save(self, task: CallTask) -> None:
        """Store a changed task, and the notes that it did not have before.

        Raise `PreconditionFailed` if `task.version - 1` is not the stored version.
        """

    @abstractmethod
    def page(self, filters: TaskFilter, request: PageRequest) -> Page[CallTask]:
        """Return a page of tasks, sorted by `due_at`, then `id`, each with its latest `MAX_NOTES_IN_LISTS` notes."""

    @abstractmethod
    def overdue(self, *, before: datetime, limit: int) -> Sequence[CallTask]:
        """Lock and return up to `limit` pending tasks that were due before that moment, the longest overdue first.

        Concurrent units of work get different tasks and do not wait for each other; the locks last until they end. The
        tasks come without their notes.
        """

    @abstractmethod
    def lock_pending_of_lead(self, lead_id: UUID) -> Sequence[CallTask]:
        """Return the pending tasks of the lead, locked until a unit of work that writes ends."""

    @abstractmethod
    def lock_pending_of_deleted_leads(self, *, limit: int) -> Sequence[CallTask]:
        """Return up to `limit` pending tasks whose leads are deleted, locked until a unit of work that writes ends.

        As with `overdue`, concurrent units of work get different tasks, which come without their notes.
        """

    @abstractmethod
    def count_pending(self, lead_id: UUID, *, limit: int) -> int:
        """Return the number of the lead's pending tasks, counted up to `limit`."""

    @abstractmethod
    def leads_with_tasks(self, lead_ids: Collection[UUID]) -> set[UUID]:
        """Return which of these leads (up to 5,000) have tasks, of whatever status."""

    @abstractmethod
    def iterate_by_id(self, after: UUID | None, *, limit: int) -> Sequence[CallTask | Unreadable]:
        """Return up to `limit` tasks sorted by id, those after the given one, without their notes.

        One that was tampered with so that it is no task any more is `Unreadable`.
        """


class CallLedger(Protocol):
    """Stores the entries of every chain. Entries cannot be changed or deleted."""

    @abstractmethod
    def append(self, entry: LedgerEntry) -> None:
        """Append an entry to its task's chain; no rollup counts it yet.

        Raise `Deadlock` if a concurrent unit of work appended the next entry first.
        """

    @abstractmethod
    def get(self, entry_id: UUID) -> LedgerEntry:
        """Return the entry; raise `NotFound`."""

    @abstractmethod
    def chains(self, task_ids: Collection[UUID]) -> Mapping[UUID, Sequence[LedgerEntry]]:
        """Return the chains of these tasks (up to 5,000), each from its first entry on; a task may have none."""

    @abstractmethod
    def chains_as_stored(self, task_ids: Collection[UUID]) -> Mapping[UUID, Sequence[LedgerEntry | Unreadable]]:
        """Return the same as `chains`, for verification: an entry that was tampered with can be `Unreadable`."""

    @abstractmethod
    def first_orphan(self, after: UUID | None, until: UUID | None) -> ChainFault | None:
        """Return the first entry whose task is missing, of those with a task id after `after` and up to `until`."""

    @abstractmethod
    def page(self, filters: LedgerFilter, request: PageRequest) -> Page[LedgerEntry]:
        """Return a page of entries, newest first: by `called_at` if the filter says `by_call_time`, else by `at`.

        Entries of the same moment are sorted by id, the greatest first.
        """


class LeadCalls(Protocol):
    """Stores the number of calls made to each lead, by the entries of the ledger that count.

    Every unit of work that appends an entry with an outcome to the ledger counts it here in the same transaction.
    """

    @abstractmethod
    def get(self, lead_ids: Collection[UUID]) -> Mapping[UUID, CallCounts]:
        """Return the counts of those of these leads (up to 5,000) that were called."""

    @abstractmethod
    def add(self, lead_id: UUID, outcome: CallOutcome, called_at: datetime) -> int:
        """Count a call; return its number among those made to the lead, from 1.

        No other unit of work can count a call to that lead until this one ends.
        """

    @abstractmethod
    def correct(self, wrong: LedgerEntry, right: LedgerEntry) -> None:
        """Count a call by the entry `right` instead of `wrong`; both have an outcome and are in the ledger."""


class CallsUnitOfWork(LeadsUnitOfWork, Protocol):
    """A unit of work with the repositories of call tasks, the ledger and the calls per lead too."""

    tasks: CallTasks
    ledger: CallLedger
    lead_calls: LeadCalls
