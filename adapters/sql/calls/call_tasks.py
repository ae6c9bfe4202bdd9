"""SQL repository of call tasks."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, exists, func, insert, select
from sqlalchemy.engine import Row

from adapters.sql.calls.queries import (
    select_all_notes,
    select_latest_notes,
    select_tasks,
)
from adapters.sql.calls.tables import call_task_notes as notes
from adapters.sql.calls.tables import call_tasks as tasks
from adapters.sql.leads.tables import leads
from adapters.sql.statements import (
    batches,
    existing_values,
    force_index,
    matches_any,
    merge_sorted,
    save_version,
    with_lock,
)
from adapters.sql.unreadable_rows import UNREADABLE_VALUE_ERRORS, read_one_by_one
from unite_core.calls.ledger import Unreadable
from unite_core.calls.model import CallOutcome, CallTask, Completion, Note, TaskStatus
from unite_core.calls.ports import CallTasks, TaskFilter
from unite_core.errors import NotFound
from unite_core.paging import Page, PageRequest, Position, page_of


class SqlCallTasks(CallTasks):
    """Call tasks in the relational database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, task: CallTask) -> None:
        self._connection.execute(insert(tasks), _to_row(task))
        self._add_notes(task.id, task.notes, known=0)

    def get(self, task_id: UUID) -> CallTask:
        statement = with_lock(select(tasks).where(tasks.c.id == task_id), self._connection)
        row = self._connection.execute(statement).first()
        if row is None:
            raise NotFound("There is no such call task.")
        return self._with_notes([row])[0]

    def save(self, task: CallTask) -> None:
        save_version(self._connection, tasks, _to_row(task), "call task")
        if task.notes:
            known = set(self._connection.execute(select(notes.c.id).where(notes.c.task_id == task.id)).scalars())
            self._add_notes(task.id, [note for note in task.notes if note.id not in known], known=len(known))

    def page(self, filters: TaskFilter, request: PageRequest) -> Page[CallTask]:
        lists = [self._connection.execute(statement).all() for statement in select_tasks(filters, request)]
        rows = merge_sorted(lists, lambda row: (row.due_at, row.id), request.limit + 1, descending=False)
        return page_of(
            self._with_notes(rows, select_latest_notes), request.limit, lambda task: Position(task.due_at, task.id)
        )

    def overdue(self, *, before: datetime, limit: int) -> Sequence[CallTask]:
        pending = tasks.c.status == TaskStatus.PENDING.value, tasks.c.due_at < before
        statement = force_index(_in_order(select(tasks).where(*pending)), tasks, "ix_call_tasks_status_due").limit(
            limit
        )
        rows = self._connection.execute(with_lock(statement, self._connection, skip_locked=True))
        return [_to_task(row, []) for row in rows]

    def lock_pending_of_lead(self, lead_id: UUID) -> Sequence[CallTask]:
        pending = tasks.c.lead_id == lead_id, matches_any(tasks.c.status, [TaskStatus.PENDING.value])
        statement = force_index(_in_order(select(tasks).where(*pending)), tasks, "ix_call_tasks_lead_due")
        return self._with_notes(self._connection.execute(with_lock(statement, self._connection)).all())

    def lock_pending_of_deleted_leads(self, *, limit: int) -> Sequence[CallTask]:
        # The first query locks nothing, as it would lock every pending task that it reads. Then the results are locked.
        pending = tasks.c.status == TaskStatus.PENDING.value
        orphan_ids = (
            force_index(_in_order(select(tasks.c.id).where(pending)), tasks, "ix_call_tasks_status_due")
            .where(exists().where(leads.c.id == tasks.c.lead_id, leads.c.deleted_at.is_not(None)))
            .limit(limit)
        )
        orphans: list[CallTask] = []
        for portion in batches(self._connection.execute(orphan_ids).scalars().all()):
            statement = select(tasks).where(tasks.c.id.in_(portion), pending)
            rows = self._connection.execute(with_lock(_in_order(statement), self._connection, skip_locked=True))
            orphans.extend(_to_task(row, []) for row in rows)
        return orphans

    def count_pending(self, lead_id: UUID, *, limit: int) -> int:
        pending = tasks.c.lead_id == lead_id, matches_any(tasks.c.status, [TaskStatus.PENDING.value])
        # Sorted, so that SQLite uses the index even if most tasks are of one lead.
        first = force_index(_in_order(select(tasks.c.id).where(*pending)), tasks, "ix_call_tasks_lead_due").limit(limit)
        count: int = self._connection.execute(select(func.count()).select_from(first.subquery("counted"))).scalar_one()
        return count

    def leads_with_tasks(self, lead_ids: Collection[UUID]) -> set[UUID]:
        return existing_values(self._connection, tasks.c.lead_id, lead_ids)

    def iterate_by_id(self, after: UUID | None, *, limit: int) -> Sequence[CallTask | Unreadable]:
        statement = select(tasks).order_by(tasks.c.id).limit(limit)
        if after is not None:
            statement = statement.where(tasks.c.id > after)
        try:
            return [_to_task(row, []) for row in self._connection.execute(statement)]
        except UNREADABLE_VALUE_ERRORS:
            return read_one_by_one(self._connection, statement, tasks.c.id, lambda row: _to_task(row, []))

    def _add_notes(self, task_id: UUID, added: Sequence[Note], *, known: int) -> None:
        rows = [
            {
                "task_id": task_id,
                "number": number,
                "id": note.id,
                "author": note.author,
                "text": note.text,
                "at": note.at,
            }
            for number, note in enumerate(added, start=known + 1)
        ]
        if rows:
            self._connection.execute(insert(notes), rows)

    def _with_notes(
        self, rows: Sequence[Row[Any]], notes_of: Callable[[Sequence[UUID]], Select[Any]] = select_all_notes
    ) -> list[CallTask]:
        notes_by_task: dict[UUID, list[Note]] = {row.id: [] for row in rows}
        for portion in batches(list(notes_by_task)):
            for row in sorted(self._connection.execute(notes_of(portion)), key=lambda row: row.number):
                notes_by_task[row.task_id].append(Note(id=row.id, author=row.author, text=row.text, at=row.at))
        return [_to_task(row, notes_by_task[row.id]) for row in rows]


def _in_order(statement: Select[Any]) -> Select[Any]:
    return statement.order_by(tasks.c.due_at, tasks.c.id)


def _to_row(task: CallTask) -> dict[str, Any]:
    completion = task.completion
    return {
        "id": task.id,
        "lead_id": task.lead_id,
        "assigned_to": task.assigned_to,
        "status": task.status.value,
        "due_at": task.due_at,
        "created_by": task.created_by,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "closed_at": task.closed_at,
        "cancel_reason": task.cancel_reason,
        "outcome": completion.outcome.value if completion else None,
        "duration_seconds": completion.duration_seconds if completion else None,
        "note": completion.note if completion else None,
        "started_at": completion.started_at if completion else None,
        "follow_up_at": completion.follow_up_at if completion else None,
        "follow_up_of": task.follow_up_of,
        "follow_up_id": task.follow_up_id,
        "version": task.version,
    }


def _to_task(row: Row[Any], task_notes: list[Note]) -> CallTask:
    return CallTask(
        id=row.id,
        lead_id=row.lead_id,
        assigned_to=row.assigned_to,
        due_at=row.due_at,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        status=TaskStatus(row.status),
        notes=task_notes,
        completion=None if row.outcome is None else _to_completion(row),
        closed_at=row.closed_at,
        cancel_reason=row.cancel_reason,
        follow_up_of=row.follow_up_of,
        follow_up_id=row.follow_up_id,
        version=row.version,
    )


def _to_completion(row: Row[Any]) -> Completion:
    return Completion(
        outcome=CallOutcome(row.outcome),
        duration_seconds=row.duration_seconds,
        note=row.note,
        started_at=row.started_at,
        follow_up_at=row.follow_up_at,
    )
