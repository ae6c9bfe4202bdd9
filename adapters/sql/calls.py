"""SQL repositories of call tasks and of the call ledger."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, exists, func, insert, select
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from adapters.sql.call_queries import (
    select_all_notes,
    select_entries,
    select_latest_notes,
    select_orphan,
    select_tasks,
    sort_column,
)
from adapters.sql.call_tables import call_ledger as ledger
from adapters.sql.call_tables import call_task_notes as notes
from adapters.sql.call_tables import call_tasks as tasks
from adapters.sql.errors import refusal
from adapters.sql.report_tables import unfolded_entries
from adapters.sql.statements import batches, force_index, matches_any, merge_sorted, save_version, with_lock
from adapters.sql.tables import leads
from adapters.sql.unreadable_rows import UNREADABLE_VALUE_ERRORS, read_one_by_one, to_id
from unite_core.calls.ledger import FORMAT, ChainFault, EntryKind, LedgerEntry, Unreadable, orphan_fault
from unite_core.calls.model import CallResult, CallTask, Completion, Note, Outcome, TaskStatus
from unite_core.calls.ports import CALL_COUNTS_NAMESPACE, CallLedger, CallTasks, LedgerFilter, TaskFilter
from unite_core.errors import NotFound
from unite_core.identity.ports import REPORTS_NAMESPACE
from unite_core.paging import Page, PageRequest, Position, page_of

# SQLite stores values of any type in any column, so that the types are checked when rows are read.
_COLUMN_TYPES = {
    "number": int,
    "duration_seconds": int | None,
    "note": str | None,
    "reason": str | None,
    "previous_hash": str,
    "hash": str,
    "source": str | None,
    "attempt": int | None,
    "format": int,
}


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
        leads_with_tasks: set[UUID] = set()
        for portion in batches(list(lead_ids)):
            statement = select(tasks.c.lead_id).where(tasks.c.lead_id.in_(portion)).distinct()
            leads_with_tasks.update(self._connection.execute(statement).scalars())
        return leads_with_tasks

    def walk(self, after: UUID | None, *, limit: int) -> Sequence[CallTask | Unreadable]:
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


class SqlCallLedger(CallLedger):
    """The call ledger in the relational database. Triggers refuse to change or delete its entries.

    Cache namespaces that depend on the ledger are added to `changed`.
    """

    def __init__(self, connection: Connection, changed: set[str]) -> None:
        self._connection = connection
        self._changed = changed

    def append(self, entry: LedgerEntry) -> None:
        self._insert(entry)
        self._connection.execute(insert(unfolded_entries), {"entry_id": entry.id})

    def _insert(self, entry: LedgerEntry) -> None:
        try:
            self._connection.execute(insert(ledger), _entry_to_row(entry))
        except IntegrityError as error:
            raise refusal(error) or error from None
        self._changed.update((CALL_COUNTS_NAMESPACE, REPORTS_NAMESPACE))

    def get(self, entry_id: UUID) -> LedgerEntry:
        row = self._connection.execute(select(ledger).where(ledger.c.id == entry_id)).first()
        if row is None:
            raise NotFound("There is no such entry in the call log.")
        return to_entry(row)

    def chains(self, task_ids: Collection[UUID]) -> Mapping[UUID, Sequence[LedgerEntry]]:
        chains: dict[UUID, list[LedgerEntry]] = {}
        for portion in batches(list(task_ids)):
            statement = force_index(
                select(ledger).where(ledger.c.task_id.in_(portion)).order_by(ledger.c.task_id, ledger.c.number),
                ledger,
                "uq_call_ledger_chain",
            )
            for row in self._connection.execute(statement):
                chains.setdefault(row.task_id, []).append(to_entry(row))
        return chains

    def chains_as_stored(self, task_ids: Collection[UUID]) -> Mapping[UUID, Sequence[LedgerEntry | Unreadable]]:
        try:
            return self.chains(task_ids)
        except UNREADABLE_VALUE_ERRORS:
            chains = {task_id: self._as_stored(task_id) for task_id in task_ids}
        return {task_id: chain for task_id, chain in chains.items() if chain}

    def _as_stored(self, task_id: UUID) -> list[LedgerEntry | Unreadable]:
        statement = select(ledger).where(ledger.c.task_id == task_id).order_by(ledger.c.number)
        return read_one_by_one(self._connection, statement, ledger.c.id, to_entry)

    def orphan(self, after: UUID | None, until: UUID | None) -> ChainFault | None:
        row = self._connection.execute(select_orphan(after, until)).first()
        return None if row is None else orphan_fault(to_id(row.task_id), to_id(row.id), row.number)

    def page(self, filters: LedgerFilter, request: PageRequest) -> Page[LedgerEntry]:
        lists = [self._connection.execute(statement).all() for statement in select_entries(filters, request)]
        moment = sort_column(filters).name
        rows = merge_sorted(lists, lambda row: (getattr(row, moment), row.id), request.limit + 1)
        entries = [to_entry(row) for row in rows]
        return page_of(entries, request.limit, filters.position)


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
        outcome=Outcome(row.outcome),
        duration_seconds=row.duration_seconds,
        note=row.note,
        started_at=row.started_at,
        follow_up_at=row.follow_up_at,
    )


def _entry_to_row(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "task_id": entry.task_id,
        "number": entry.number,
        "kind": entry.kind.value,
        "lead_id": entry.lead_id,
        "agent_id": entry.agent_id,
        "actor_id": entry.actor_id,
        "at": entry.at,
        "outcome": entry.outcome.value if entry.outcome else None,
        "duration_seconds": entry.duration_seconds,
        "started_at": entry.started_at,
        "follow_up_at": entry.follow_up_at,
        "note": entry.note,
        "reason": entry.reason,
        "corrects": entry.corrects,
        "called_at": entry.called_at,
        "source": entry.source,
        "attempt": entry.attempt,
        "format": entry.format,
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }


def to_entry(row: Row[Any]) -> LedgerEntry:
    """Return the entry of a row of the ledger; raise `TypeError` or `ValueError` if a value is not valid."""
    if any(not isinstance(getattr(row, name), kinds) for name, kinds in _COLUMN_TYPES.items()):
        raise TypeError("An entry of the call ledger has a value that Unite never writes.")
    entry = LedgerEntry(
        id=row.id,
        task_id=row.task_id,
        number=row.number,
        kind=EntryKind(row.kind),
        lead_id=row.lead_id,
        agent_id=row.agent_id,
        actor_id=row.actor_id,
        at=row.at,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        duration_seconds=row.duration_seconds,
        started_at=row.started_at,
        follow_up_at=row.follow_up_at,
        note=row.note,
        reason=row.reason,
        corrects=row.corrects,
        called_at=row.called_at,
        source=row.source,
        attempt=row.attempt,
        format=row.format,
        previous_hash=row.previous_hash,
        hash=row.hash,
    )
    if entry.format not in (1, FORMAT) or entry.result not in CallResult:
        raise TypeError("An entry of the call ledger has a value that Unite never writes.")
    return entry
