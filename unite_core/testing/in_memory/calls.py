"""Call tasks and the call ledger in memory."""

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from uuid import UUID

from unite_core.calls.ledger import BrokenChain, LedgerEntry, Unreadable, orphaned
from unite_core.calls.model import CallTask, TaskStatus
from unite_core.calls.ports import NOTES_IN_LISTS, CallLedger, CallTasks, LedgerFilter, TaskFilter
from unite_core.errors import Contended, NotFound, PreconditionFailed
from unite_core.paging import Page, PageRequest, Position
from unite_core.testing.in_memory.tables import Tables, newest_first, oldest_first
from unite_core.versions import require_version


class InMemoryCallTasks(CallTasks):
    """All call tasks, each with its notes."""

    def __init__(self, tables: Tables) -> None:
        self._tasks = tables.tasks

    def add(self, task: CallTask) -> None:
        self._tasks[task.id] = deepcopy(task)

    def get(self, task_id: UUID) -> CallTask:
        if task_id not in self._tasks:
            raise NotFound("There is no such call task.")
        return deepcopy(self._tasks[task_id])

    def save(self, task: CallTask) -> None:
        stored = self._tasks.get(task.id)
        if stored is None:
            raise PreconditionFailed("There is no such call task.")
        require_version(task.version - 1, stored.version)
        changed = deepcopy(task)
        known = {note.id for note in stored.notes}
        changed.notes = [*stored.notes, *(note for note in task.notes if note.id not in known)]
        self._tasks[task.id] = changed

    def page(self, wanted: TaskFilter, request: PageRequest) -> Page[CallTask]:
        found = (task for task in self._tasks.values() if _meets(task, wanted))
        page = oldest_first(found, request, lambda task: Position(task.due_at, task.id))
        for task in page.items:
            task.notes = task.notes[-NOTES_IN_LISTS:]
        return page

    def overdue(self, *, before: datetime, limit: int) -> Sequence[CallTask]:
        found = (task for task in self._tasks.values() if task.status is TaskStatus.PENDING and task.due_at < before)
        return [_without_notes(task) for task in sorted(found, key=lambda task: (task.due_at, task.id))[:limit]]

    def pending_of_lead(self, lead_id: UUID) -> Sequence[CallTask]:
        found = (task for task in self._tasks.values() if task.lead_id == lead_id)
        return deepcopy([task for task in found if task.status is TaskStatus.PENDING])

    def count_pending(self, lead_id: UUID, *, limit: int) -> int:
        return min(limit, len(self.pending_of_lead(lead_id)))

    def leads_with_tasks(self, lead_ids: Collection[UUID]) -> set[UUID]:
        return {task.lead_id for task in self._tasks.values()} & set(lead_ids)

    def walk(self, after: UUID | None, *, limit: int) -> Sequence[CallTask | Unreadable]:
        following = sorted(task_id for task_id in self._tasks if after is None or task_id > after)
        return [_without_notes(self._tasks[task_id]) for task_id in following[:limit]]


class InMemoryCallLedger(CallLedger):
    """The entries of every chain."""

    def __init__(self, tables: Tables) -> None:
        self._entries = tables.ledger
        self._tasks = tables.tasks

    def append(self, entry: LedgerEntry) -> None:
        if any((it.task_id, it.number) == (entry.task_id, entry.number) for it in self._entries.values()):
            raise Contended("Another entry was quicker to be the next in the chain.")
        self._entries[entry.id] = entry

    def get(self, entry_id: UUID) -> LedgerEntry:
        if entry_id not in self._entries:
            raise NotFound("There is no such entry in the call log.")
        return self._entries[entry_id]

    def chains(self, task_ids: Collection[UUID]) -> Mapping[UUID, Sequence[LedgerEntry]]:
        chains: dict[UUID, list[LedgerEntry]] = {}
        wanted = set(task_ids)
        for entry in sorted(self._entries.values(), key=lambda it: it.number):
            if entry.task_id in wanted:
                chains.setdefault(entry.task_id, []).append(entry)
        return chains

    def as_stored(self, task_ids: Collection[UUID]) -> Mapping[UUID, Sequence[LedgerEntry]]:
        return self.chains(task_ids)

    def orphan(self, after: UUID | None, until: UUID | None) -> BrokenChain | None:
        orphans = (
            it
            for it in self._entries.values()
            if it.task_id not in self._tasks
            and (after is None or it.task_id > after)
            and (until is None or it.task_id <= until)
        )
        first = min(orphans, key=lambda it: (it.task_id, it.number), default=None)
        return None if first is None else orphaned(first.task_id, first.id, first.number)

    def page(self, wanted: LedgerFilter, request: PageRequest) -> Page[LedgerEntry]:
        found = (
            it
            for it in self._entries.values()
            if wanted.agent_id in (None, it.agent_id)
            and wanted.lead_id in (None, it.lead_id)
            and wanted.task_id in (None, it.task_id)
            and wanted.visible_to in (None, it.agent_id)
            and (wanted.at_from is None or it.at >= wanted.at_from)
            and (wanted.at_to is None or it.at < wanted.at_to)
        )
        return newest_first(found, request, lambda it: Position(it.at, it.id))


def _without_notes(task: CallTask) -> CallTask:
    bare = deepcopy(task)
    bare.notes = []
    return bare


def _meets(task: CallTask, wanted: TaskFilter) -> bool:
    anybody = not wanted.assigned_to and not wanted.unassigned
    return (
        (not wanted.statuses or task.status in wanted.statuses)
        and (anybody or task.assigned_to in wanted.assigned_to or (wanted.unassigned and task.assigned_to is None))
        and wanted.lead_id in (None, task.lead_id)
        and (wanted.due_from is None or task.due_at >= wanted.due_from)
        and (wanted.due_to is None or task.due_at < wanted.due_to)
        and wanted.visible_to in (None, task.assigned_to)
    )
