"""SQL repository of the call ledger."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from adapters.sql.calls.queries import (
    select_entries,
    select_orphan,
    sort_column,
)
from adapters.sql.calls.tables import call_ledger as ledger
from adapters.sql.errors import refusal
from adapters.sql.reports.tables import unfolded_entries
from adapters.sql.statements import batches, force_index, merge_sorted
from adapters.sql.unreadable_rows import UNREADABLE_VALUE_ERRORS, read_one_by_one, to_id
from unite_core.calls.ledger import FORMAT, ChainFault, EntryKind, LedgerEntry, Unreadable, orphan_fault
from unite_core.calls.model import CallOutcome, CallResult
from unite_core.calls.ports import CALL_COUNTS_NAMESPACE, CallLedger, LedgerFilter
from unite_core.errors import NotFound
from unite_core.identity.ports import REPORTS_NAMESPACE
from unite_core.paging import Page, PageRequest, page_of

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

    def first_orphan(self, after: UUID | None, until: UUID | None) -> ChainFault | None:
        row = self._connection.execute(select_orphan(after, until)).first()
        return None if row is None else orphan_fault(to_id(row.task_id), to_id(row.id), row.number)

    def page(self, filters: LedgerFilter, request: PageRequest) -> Page[LedgerEntry]:
        lists = [self._connection.execute(statement).all() for statement in select_entries(filters, request)]
        moment = sort_column(filters).name
        rows = merge_sorted(lists, lambda row: (getattr(row, moment), row.id), request.limit + 1)
        entries = [to_entry(row) for row in rows]
        return page_of(entries, request.limit, filters.position)


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
        outcome=None if row.outcome is None else CallOutcome(row.outcome),
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
