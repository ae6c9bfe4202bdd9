"""SQL repository of imports."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, exists, func, insert, literal, or_, select
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from adapters.sql.errors import refusal
from adapters.sql.imports.tables import import_rejections, import_snapshots
from adapters.sql.imports.tables import lead_imports as imports
from adapters.sql.statements import force_index, merge_sorted, newest_first, save_version, with_lock
from unite_core.errors import NotFound
from unite_core.imports.model import Counts, Failure, ImportOptions, ImportStatus, LeadImport, OnDuplicate, Undone
from unite_core.imports.ports import ImportFilter, Imports, OpenImports
from unite_core.paging import Page, PageRequest, Position, page_of


class SqlImports(Imports):
    """Imports in the relational database.

    An import that is due for a worker gets the current `traceparent`, unless it has one.
    """

    def __init__(self, connection: Connection, traceparent: Callable[[], str | None] | None = None) -> None:
        self._connection = connection
        self._traceparent = traceparent

    def add(self, new: LeadImport) -> None:
        try:
            self._connection.execute(insert(imports), self._traced(_to_row(new)))
        except IntegrityError as error:
            raise refusal(error) or error from None

    def get(self, import_id: UUID) -> LeadImport:
        statement = with_lock(select(imports).where(imports.c.id == import_id), self._connection)
        row = self._connection.execute(statement).first()
        if row is None:
            raise NotFound("There is no such import.")
        return _to_import(row)

    def save(self, changed: LeadImport) -> None:
        try:
            save_version(self._connection, imports, self._traced(_to_row(changed)), "import")
        except IntegrityError as error:
            raise refusal(error) or error from None

    def _traced(self, row: dict[str, Any]) -> dict[str, Any]:
        if self._traceparent is not None and row["due"] and row["traceparent"] is None:
            row["traceparent"] = self._traceparent()
        return row

    def page(self, filters: ImportFilter, request: PageRequest) -> Page[LeadImport]:
        index = "ix_lead_imports_status_created" if filters.statuses else "ix_lead_imports_created"
        statement = newest_first(imports, imports.c.created_at, request, index=index)
        if filters.statuses:
            lists = [
                self._connection.execute(statement.where(imports.c.status == status.value)).all()
                for status in filters.statuses
            ]
            rows = merge_sorted(lists, lambda row: (row.created_at, row.id), request.limit + 1)
        else:
            rows = list(self._connection.execute(statement))
        page = [_to_import(row) for row in rows]
        return page_of(page, request.limit, lambda item: Position(item.created_at, item.id))

    def find_same_file(self, same_file_key: str) -> LeadImport | None:
        statement = with_lock(select(imports).where(imports.c.same_file_key == same_file_key), self._connection)
        row = self._connection.execute(statement).first()
        return None if row is None else _to_import(row)

    def count_open(self, user_id: UUID) -> OpenImports:
        is_open = imports.c.status.in_([status.value for status in ImportStatus if not status.ended])
        statement = force_index(
            select(func.count(), func.coalesce(func.sum(imports.c.size), 0)), imports, "ix_lead_imports_status_created"
        ).where(is_open, imports.c.created_by == user_id)
        count, size = self._connection.execute(statement).one()
        return OpenImports(count, int(size))  # MySQL's sum is a Decimal

    def unfinished(self, *, now: datetime, limit: int) -> Sequence[LeadImport]:
        free = or_(imports.c.held_until.is_(None), imports.c.held_until <= now)
        statement = (
            select(imports)
            .where(imports.c.due == literal(True), free)
            .order_by(imports.c.created_at, imports.c.id)
            .limit(limit)
        )
        return [_to_import(row) for row in self._connection.execute(statement)]

    def abandoned(self, *, before: datetime, limit: int) -> Sequence[LeadImport]:
        waiting = imports.c.status == ImportStatus.AWAITING_UPLOAD.value
        statement = (
            select(imports)
            .where(waiting, imports.c.created_at < before)
            .order_by(imports.c.created_at, imports.c.id)
            .limit(limit)
        )
        return [_to_import(row) for row in self._connection.execute(statement)]

    def expired(self, *, before: datetime) -> UUID | None:
        leftovers = [exists().where(rows.c.import_id == imports.c.id) for rows in (import_snapshots, import_rejections)]
        # An import that ended before the moment was created before it, and `created_at` has an index.
        statement = (
            select(imports.c.id)
            .where(imports.c.created_at < before, imports.c.finished_at < before, imports.c.due == literal(False))
            .where(or_(imports.c.report_key.is_not(None), *leftovers))
            .order_by(imports.c.created_at, imports.c.id)
            .limit(1)
        )
        import_id: UUID | None = self._connection.execute(statement).scalar()
        return import_id


def _to_row(stored: LeadImport) -> dict[str, Any]:
    return {
        "id": stored.id,
        "filename": stored.filename,
        "size": stored.size,
        "status": stored.status.value,
        "due": stored.status in (ImportStatus.QUEUED, ImportStatus.RUNNING) or stored.undoing,
        "options": _options_to_json(stored.options),
        "file_key": stored.key,
        "created_by": stored.created_by,
        "created_at": stored.created_at,
        "dialect": stored.dialect,
        "columns": stored.columns,
        "created": stored.counts.created,
        "updated": stored.counts.updated,
        "duplicate": stored.counts.duplicate,
        "rejected": stored.counts.rejected,
        "last_row": stored.last_row,
        "bytes_done": stored.bytes_done,
        "seconds_worked": stored.seconds_worked,
        "started_at": stored.started_at,
        "finished_at": stored.finished_at,
        "failure": {"code": stored.failure.code, "detail": stored.failure.detail} if stored.failure else None,
        "report_key": stored.report_key,
        "same_file_key": stored.same_file_key,
        "cancel_requested": stored.cancel_requested,
        "undone": _undone_to_json(stored.undone) if stored.undone else None,
        "undo_row": stored.undo_row,
        "holder": stored.holder,
        "held_until": stored.held_until,
        "attempts": stored.attempts,
        "correlation_id": stored.correlation_id,
        "traceparent": stored.traceparent,
        "version": stored.version,
    }


def _to_import(row: Row[Any]) -> LeadImport:
    return LeadImport(
        id=row.id,
        filename=row.filename,
        size=row.size,
        status=ImportStatus(row.status),
        options=_options(row.options),
        key=row.file_key,
        created_by=row.created_by,
        created_at=row.created_at,
        dialect=row.dialect,
        columns=row.columns,
        counts=Counts(row.created, row.updated, row.duplicate, row.rejected),
        last_row=row.last_row,
        bytes_done=row.bytes_done,
        seconds_worked=row.seconds_worked,
        started_at=row.started_at,
        finished_at=row.finished_at,
        failure=Failure(**row.failure) if row.failure else None,
        report_key=row.report_key,
        same_file_key=row.same_file_key,
        cancel_requested=row.cancel_requested,
        undone=_undone(row.undone) if row.undone else None,
        undo_row=row.undo_row,
        holder=row.holder,
        held_until=row.held_until,
        attempts=row.attempts,
        correlation_id=row.correlation_id,
        traceparent=row.traceparent,
        version=row.version,
    )


def _options_to_json(options: ImportOptions) -> dict[str, Any]:
    return {
        "on_duplicate": options.on_duplicate.value,
        "default_country": options.default_country,
        "default_source": options.default_source,
        "default_assigned_to": str(options.default_assigned_to) if options.default_assigned_to else None,
        "columns": dict(options.columns),
        "dry_run": options.dry_run,
    }


def _options(stored: dict[str, Any]) -> ImportOptions:
    assigned_to = stored["default_assigned_to"]
    return ImportOptions(
        on_duplicate=OnDuplicate(stored["on_duplicate"]),
        default_country=stored["default_country"],
        default_source=stored["default_source"],
        default_assigned_to=UUID(assigned_to) if assigned_to else None,
        columns=stored["columns"],
        dry_run=stored["dry_run"],
    )


def _undone_to_json(undone: Undone) -> dict[str, Any]:
    return {
        "removed": undone.removed,
        "restored": undone.restored,
        "kept": undone.kept,
        "finished_at": undone.finished_at.isoformat() if undone.finished_at else None,
    }


def _undone(stored: dict[str, Any]) -> Undone:
    finished_at = stored["finished_at"]
    return Undone(
        removed=stored["removed"],
        restored=stored["restored"],
        kept=stored["kept"],
        finished_at=datetime.fromisoformat(finished_at) if finished_at else None,
    )
