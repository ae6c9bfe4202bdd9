"""Repositories of call tasks, the call ledger and the calls per lead in memory."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from unite_core.calls.ledger import ChainFault, LedgerEntry, Unreadable, orphan_fault
from unite_core.calls.model import CallOutcome, CallTask, TaskStatus
from unite_core.calls.ports import (
    CALL_COUNTS_NAMESPACE,
    MAX_ATTEMPT,
    MAX_NOTES_IN_LISTS,
    CallCounts,
    CallLedger,
    CallTasks,
    ClockFilter,
    LeadCalls,
    LedgerFilter,
    TaskFilter,
)
from unite_core.errors import Deadlock, NotFound, PreconditionFailed
from unite_core.identity.ports import REPORTS_NAMESPACE
from unite_core.leads.ports import CALLED_LEADS_NAMESPACE
from unite_core.paging import Page, PageRequest, Position
from unite_core.periods import moment_of, quarter_of
from unite_core.testing.in_memory.copies import copied
from unite_core.testing.in_memory.tables import Tables, newest_first, oldest_first
from unite_core.versions import require_version


class InMemoryCallTasks(CallTasks):
    """Stores call tasks with their notes."""

    def __init__(self, tables: Tables) -> None:
        self._tasks = tables.tasks
        self._leads = tables.leads

    def add(self, task: CallTask) -> None:
        self._tasks[task.id] = copied(task)

    def get(self, task_id: UUID) -> CallTask:
        if task_id not in self._tasks:
            raise NotFound("There is no such call task.")
        return copied(self._tasks[task_id])

    def save(self, task: CallTask) -> None:
        stored = self._tasks.get(task.id)
        if stored is None:
            raise PreconditionFailed("There is no such call task.")
        require_version(task.version - 1, stored.version)
        changed = copied(task)
        known = {note.id for note in stored.notes}
        changed.notes = [*stored.notes, *(note for note in task.notes if note.id not in known)]
        self._tasks[task.id] = changed

    def page(self, filters: TaskFilter, request: PageRequest) -> Page[CallTask]:
        matching = (task for task in self._tasks.values() if _task_matches(task, filters))
        page = oldest_first(matching, request, lambda task: Position(task.due_at, task.id))
        for task in page.items:
            task.notes = task.notes[-MAX_NOTES_IN_LISTS:]
        return page

    def overdue(self, *, before: datetime, limit: int) -> Sequence[CallTask]:
        matching = (task for task in self._tasks.values() if task.status is TaskStatus.PENDING and task.due_at < before)
        return [_without_notes(task) for task in sorted(matching, key=lambda task: (task.due_at, task.id))[:limit]]

    def lock_pending_of_lead(self, lead_id: UUID) -> Sequence[CallTask]:
        matching = (task for task in self._tasks.values() if task.lead_id == lead_id)
        return copied([task for task in matching if task.status is TaskStatus.PENDING])

    def lock_pending_of_deleted_leads(self, *, limit: int) -> Sequence[CallTask]:
        deleted = {lead.id for lead in self._leads.values() if lead.deleted_at is not None}
        pending = (task for task in self._tasks.values() if task.status is TaskStatus.PENDING)
        matching = (task for task in pending if task.lead_id in deleted)
        return [_without_notes(task) for task in sorted(matching, key=lambda task: (task.due_at, task.id))[:limit]]

    def count_pending(self, lead_id: UUID, *, limit: int) -> int:
        return min(limit, len(self.lock_pending_of_lead(lead_id)))

    def leads_with_tasks(self, lead_ids: Collection[UUID]) -> set[UUID]:
        return {task.lead_id for task in self._tasks.values()} & set(lead_ids)

    def iterate_by_id(self, after: UUID | None, *, limit: int) -> Sequence[CallTask | Unreadable]:
        following = sorted(task_id for task_id in self._tasks if after is None or task_id > after)
        return [_without_notes(self._tasks[task_id]) for task_id in following[:limit]]


class InMemoryCallLedger(CallLedger):
    """Stores the entries of every chain."""

    def __init__(self, tables: Tables, changed: set[str]) -> None:
        self._entries = tables.ledger
        self._tasks = tables.tasks
        self._unfolded = tables.unfolded
        self._changed = changed

    def append(self, entry: LedgerEntry) -> None:
        if any((stored.task_id, stored.number) == (entry.task_id, entry.number) for stored in self._entries.values()):
            raise Deadlock("Another entry was quicker to be the next in the chain.")
        self._entries[entry.id] = entry
        self._unfolded[entry.id] = None
        self._changed.update((CALL_COUNTS_NAMESPACE, REPORTS_NAMESPACE))

    def get(self, entry_id: UUID) -> LedgerEntry:
        if entry_id not in self._entries:
            raise NotFound("There is no such entry in the call log.")
        return self._entries[entry_id]

    def chains(self, task_ids: Collection[UUID]) -> Mapping[UUID, Sequence[LedgerEntry]]:
        chains: dict[UUID, list[LedgerEntry]] = {}
        filters = set(task_ids)
        for entry in sorted(self._entries.values(), key=lambda it: it.number):
            if entry.task_id in filters:
                chains.setdefault(entry.task_id, []).append(entry)
        return chains

    def chains_as_stored(self, task_ids: Collection[UUID]) -> Mapping[UUID, Sequence[LedgerEntry]]:
        return self.chains(task_ids)

    def first_orphan(self, after: UUID | None, until: UUID | None) -> ChainFault | None:
        orphans = (
            entry
            for entry in self._entries.values()
            if entry.task_id not in self._tasks
            and (after is None or entry.task_id > after)
            and (until is None or entry.task_id <= until)
        )
        first = min(orphans, key=lambda entry: (entry.task_id, entry.number), default=None)
        return None if first is None else orphan_fault(first.task_id, first.id, first.number)

    def page(self, filters: LedgerFilter, request: PageRequest) -> Page[LedgerEntry]:
        last = _last_numbers(self._entries.values())
        matching = (
            it
            for it in self._entries.values()
            if _matches(it, filters)
            and _matches_clock(it, filters.clock)
            and filters.counted in (None, it.number == last[it.task_id])
        )
        return newest_first(matching, request, filters.position)


class InMemoryLeadCalls(LeadCalls):
    """Stores the number of calls per lead. Namespaces of the cache to be invalidated are added to `changed`."""

    def __init__(self, tables: Tables, changed: set[str]) -> None:
        self._counts = tables.lead_calls
        self._entries = tables.ledger
        self._changed = changed

    def get(self, lead_ids: Collection[UUID]) -> Mapping[UUID, CallCounts]:
        return {lead_id: self._counts[lead_id] for lead_id in set(lead_ids) if lead_id in self._counts}

    def add(self, lead_id: UUID, outcome: CallOutcome, called_at: datetime) -> int:
        self._changed.add(CALLED_LEADS_NAMESPACE)
        before = self._counts.get(lead_id) or CallCounts(outcomes={}, first_called_at=called_at)
        outcomes = {**before.outcomes, outcome: before.outcomes.get(outcome, 0) + 1}
        first = min(before.first_called_at, called_at)
        self._counts[lead_id] = after = CallCounts(outcomes=outcomes, first_called_at=first)
        return after.calls

    def correct(self, wrong: LedgerEntry, right: LedgerEntry) -> None:
        self._changed.add(CALLED_LEADS_NAMESPACE)
        counts: Counter[CallOutcome | None] = Counter(self._counts[right.lead_id].outcomes)
        counts.subtract([wrong.outcome])
        counts.update([right.outcome])
        self._counts[right.lead_id] = CallCounts(
            outcomes={outcome: count for outcome, count in counts.items() if outcome and count},
            first_called_at=min(entry.called_at for entry in calls_of_lead(self._entries.values(), right.lead_id)),
        )


def calls_of_lead(entries: Collection[LedgerEntry], lead_id: UUID) -> list[LedgerEntry]:
    """Return the counted entries of the calls that were made to the lead."""
    last = _last_numbers(entries)
    of_lead = (entry for entry in entries if entry.lead_id == lead_id and entry.outcome is not None)
    return [entry for entry in of_lead if entry.number == last[entry.task_id]]


def _last_numbers(entries: Iterable[LedgerEntry]) -> Mapping[UUID, int]:
    """Return the number of the last entry in the chain of each task."""
    last: dict[UUID, int] = {}
    for entry in entries:
        last[entry.task_id] = max(entry.number, last.get(entry.task_id, 0))
    return last


def _matches(entry: LedgerEntry, filters: LedgerFilter) -> bool:
    """Return whether the entry meets every condition but `counted`."""
    return (
        filters.agent_id in (None, entry.agent_id)
        and not (filters.without_agent and entry.agent_id is not None)
        and filters.lead_id in (None, entry.lead_id)
        and filters.task_id in (None, entry.task_id)
        and filters.visible_to in (None, entry.agent_id)
        and _in_span(entry.called_at, filters.called_from, filters.called_to)
        and _in_span(entry.at, filters.at_from, filters.at_to)
        and (not filters.results or entry.result in filters.results)
        and (not filters.sources or entry.source in filters.sources)
        and (not filters.attempts or (entry.attempt and min(entry.attempt, MAX_ATTEMPT)) in filters.attempts)
    )


def _matches_clock(entry: LedgerEntry, clock: ClockFilter | None) -> bool:
    if clock is None:
        return True
    local = moment_of(quarter_of(entry.called_at)).astimezone(ZoneInfo(clock.tz))
    return (local.isoweekday() - 1) * 24 + local.hour in clock.labels


def _in_span(at: datetime, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or at >= start) and (end is None or at < end)


def _without_notes(task: CallTask) -> CallTask:
    bare = copied(task)
    bare.notes = []
    return bare


def _task_matches(task: CallTask, filters: TaskFilter) -> bool:
    anybody = not filters.assigned_to and not filters.unassigned
    return (
        (not filters.statuses or task.status in filters.statuses)
        and (anybody or task.assigned_to in filters.assigned_to or (filters.unassigned and task.assigned_to is None))
        and filters.lead_id in (None, task.lead_id)
        and (filters.due_from is None or task.due_at >= filters.due_from)
        and (filters.due_to is None or task.due_at < filters.due_to)
        and filters.visible_to in (None, task.assigned_to)
    )
