"""What calls need from outside."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from unite_core.calls.ledger import ChainFault, LedgerEntry, Unreadable
from unite_core.calls.model import CallResult, CallTask, Outcome, TaskStatus
from unite_core.days import Segment, hour_segments, quarter_of
from unite_core.leads.ports import LeadsUnitOfWork
from unite_core.paging import Page, PageRequest, Position

CALL_COUNTS_NAMESPACE = "call counts"
"""Where the cache holds what was counted from the ledger: every entry that is appended changes it."""

MAX_ATTEMPT = 5
"""In a filter the last attempt stands for all later ones too."""

NOTES_IN_LISTS = 10
"""How many notes of each task a list shows: with all of them a page could have 80 million characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which call tasks a list holds: those that meet every condition given; an empty one is no condition.

    `assigned_to` and `unassigned` together mean one of these users or nobody. `visible_to` limits the list to the tasks
    assigned to that user whatever else is asked. `due_from` is inclusive, `due_to` exclusive.
    """

    statuses: frozenset[TaskStatus] = frozenset()
    assigned_to: frozenset[UUID] = frozenset()
    unassigned: bool = False
    lead_id: UUID | None = None
    due_from: datetime | None = None
    due_to: datetime | None = None
    visible_to: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFilter:
    """Which hours (0 to 23) and weekdays (1 is Monday) on the clocks of `tz`, a name of IANA's; an empty one is any.

    A call belongs to what the clocks showed at the beginning of its quarter hour.
    """

    tz: str
    hours: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()

    def segments(self, start: datetime, end: datetime) -> Sequence[Segment]:
        """The quarter hours from `start` to `end`, labelled with their hour of the week."""
        return hour_segments(quarter_of(start), quarter_of(end) + 1, self.tz)

    @property
    def labels(self) -> frozenset[int]:
        """The hours of the week that are meant, from Monday 0:00, which is 0."""
        weekdays = self.weekdays or range(1, 8)
        hours = self.hours or range(24)
        return frozenset((weekday - 1) * 24 + hour for weekday in weekdays for hour in hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFilter:
    """Which entries a list holds: those that meet every condition given; None and an empty one are no condition.

    `called_from` and `called_to` limit when the call was, `at_from` and `at_to` when the entry was written: the first
    is inclusive, the second exclusive. `without_agent` limits the list to calls of no agent. None in `sources` is an
    unknown source, `MAX_ATTEMPT` in `attempts` that attempt and all later ones. `counted` limits the list to the
    last entry of each chain, which is the one that counts, or with False to all others. `clock` limits it to hours and
    weekdays, and needs `called_from` and `called_to`. `visible_to` limits the list to that agent's calls whatever else
    is asked.
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
    sources: frozenset[str | None] = frozenset()
    attempts: frozenset[int] = frozenset()
    counted: bool | None = None
    clock: ClockFilter | None = None
    visible_to: UUID | None = None

    @property
    def by_call_time(self) -> bool:
        """Whether the list is in the order of when the calls were, rather than of when the entries were written.

        It is where the list is asked for by calls.
        """
        return self.called_from is not None or self.called_to is not None or self.counted is not None

    def position(self, entry: LedgerEntry) -> Position:
        """The place of an entry in the list."""
        return Position(entry.called_at if self.by_call_time else entry.at, entry.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCounts:
    """How many calls with each outcome were made to a lead, those that never happened left out, and the first one."""

    outcomes: Mapping[Outcome, int]
    first_called_at: datetime

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return sum(self.outcomes.values())


class CallTasks(Protocol):
    """All call tasks, each with its notes; where it comes without some of them, `save` does not take them away."""

    @abstractmethod
    def add(self, task: CallTask) -> None:
        """Add a task, with the notes that it has already."""

    @abstractmethod
    def get(self, task_id: UUID) -> CallTask:
        """The task, held until a unit of work that writes ends; raises `NotFound`."""

    @abstractmethod
    def save(self, task: CallTask) -> None:
        """Store a changed task, and the notes that it did not have before.

        Raises `PreconditionFailed` where `task.version - 1` is not the stored version.
        """

    @abstractmethod
    def page(self, filters: TaskFilter, request: PageRequest) -> Page[CallTask]:
        """A page of tasks, the soonest due first (`due_at`, then `id`), each with its latest `NOTES_IN_LISTS` notes."""

    @abstractmethod
    def overdue(self, *, before: datetime, limit: int) -> Sequence[CallTask]:
        """Up to `limit` pending tasks that were due before that moment, the longest due first, held until the end.

        Of several that ask at the same time each gets others; none waits for another. They come without their notes.
        """

    @abstractmethod
    def lock_pending_of_lead(self, lead_id: UUID) -> Sequence[CallTask]:
        """The pending tasks of the lead, held until a unit of work that writes ends."""

    @abstractmethod
    def lock_pending_of_deleted_leads(self, *, limit: int) -> Sequence[CallTask]:
        """Up to `limit` pending tasks whose leads are deleted, held until a unit of work that writes ends.

        As with `overdue`, several that ask at the same time get different tasks, which come without their notes.
        """

    @abstractmethod
    def count_pending(self, lead_id: UUID, *, limit: int) -> int:
        """How many pending tasks the lead has, counted up to `limit`."""

    @abstractmethod
    def leads_with_tasks(self, lead_ids: Collection[UUID]) -> set[UUID]:
        """Which of these leads (up to 5,000) have tasks, of whatever status."""

    @abstractmethod
    def walk(self, after: UUID | None, *, limit: int) -> Sequence[CallTask | Unreadable]:
        """Up to `limit` tasks in the order of their ids, those after the given one, without their notes.

        One that was tampered with so that it is no task any more is `Unreadable`.
        """


class CallLedger(Protocol):
    """The entries of every chain. There is no way to change one or to take one away."""

    @abstractmethod
    def append(self, entry: LedgerEntry) -> None:
        """Add an entry to the end of its task's chain; it is one that no rollup counts yet.

        Raises `Deadlock` where another was quicker to be next.
        """

    @abstractmethod
    def get(self, entry_id: UUID) -> LedgerEntry:
        """The entry; raises `NotFound`."""

    @abstractmethod
    def chains(self, task_ids: Collection[UUID]) -> Mapping[UUID, Sequence[LedgerEntry]]:
        """The chains of these tasks (up to 5,000), each from its first entry on; a task without entries has none."""

    @abstractmethod
    def chains_as_stored(self, task_ids: Collection[UUID]) -> Mapping[UUID, Sequence[LedgerEntry | Unreadable]]:
        """As `chains`, for those who verify: what was tampered with so that it is no entry any more is `Unreadable`."""

    @abstractmethod
    def orphan(self, after: UUID | None, until: UUID | None) -> ChainFault | None:
        """The first entry whose task is not there, of those with a task's id after the one and up to the other."""

    @abstractmethod
    def page(self, filters: LedgerFilter, request: PageRequest) -> Page[LedgerEntry]:
        """A page of entries, newest first: by `called_at` if the filter says `by_call_time`, else by `at`.

        Those of one moment are in the order of their ids, the greatest first.
        """


class LeadCalls(Protocol):
    """How many calls were made to each lead, by the entries of the ledger that count.

    Whoever appends to the ledger an entry with an outcome counts it here in the same transaction.
    """

    @abstractmethod
    def get(self, lead_ids: Collection[UUID]) -> Mapping[UUID, CallCounts]:
        """The counts of those of these leads (up to 5,000) that were called."""

    @abstractmethod
    def add(self, lead_id: UUID, outcome: Outcome, called_at: datetime) -> int:
        """Count a call; its number among those made to the lead, from 1.

        Nobody else counts a call to that lead until the unit of work ends.
        """

    @abstractmethod
    def correct(self, wrong: LedgerEntry, right: LedgerEntry) -> None:
        """Count a call as the entry `right` says, in place of `wrong`; both have an outcome, and are in the ledger."""


class CallsUnitOfWork(LeadsUnitOfWork, Protocol):
    """A unit of work that reaches call tasks, the ledger and the calls of leads too."""

    tasks: CallTasks
    ledger: CallLedger
    lead_calls: LeadCalls
