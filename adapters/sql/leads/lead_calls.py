"""Count the calls to each lead in a table, and filter leads by their calls."""

import operator
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import reduce
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Select, func, literal, select, update
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.engine import Row

from adapters.sql.calls.queries import select_call_moments
from adapters.sql.calls.tables import call_ledger as ledger
from adapters.sql.calls.tables import lead_calls as table
from adapters.sql.leads.tables import leads
from adapters.sql.statements import batches, microseconds_between, with_lock
from adapters.sql.types import MICROSECOND
from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallOutcome
from unite_core.calls.ports import CallCounts, LeadCalls
from unite_core.leads.ports import CALLED_LEADS_NAMESPACE, LeadFilter

_COUNTS = {outcome: table.c[outcome.value] for outcome in CallOutcome}
_NONE = {column.name: 0 for column in _COUNTS.values()}


class SqlLeadCalls(LeadCalls):
    """The counts of calls in the relational database. `changed` collects the cache namespaces that contain them."""

    def __init__(self, connection: Connection, changed: set[str]) -> None:
        self._connection = connection
        self._changed = changed

    def get(self, lead_ids: Collection[UUID]) -> Mapping[UUID, CallCounts]:
        counts: dict[UUID, CallCounts] = {}
        for portion in batches(list(lead_ids)):
            rows = self._connection.execute(select(table).where(table.c.lead_id.in_(portion)))
            counts.update((row.lead_id, _to_counts(row)) for row in rows)
        return counts

    def add(self, lead_id: UUID, outcome: CallOutcome, called_at: datetime) -> int:
        self._changed.add(CALLED_LEADS_NAMESPACE)
        row = {**_NONE, "lead_id": lead_id, outcome.value: 1, "first_called_at": called_at}
        one_more = _COUNTS[outcome] + 1
        at = literal(called_at, table.c.first_called_at.type)
        # The upsert locks the row, whether or not it existed.
        if self._connection.dialect.name == "sqlite":
            values = {outcome.value: one_more, "first_called_at": func.min(table.c.first_called_at, at)}
            self._connection.execute(
                sqlite.insert(table).on_conflict_do_update(index_elements=[table.c.lead_id], set_=values), row
            )
        else:
            values = {outcome.value: one_more, "first_called_at": func.least(table.c.first_called_at, at)}
            self._connection.execute(mysql.insert(table).on_duplicate_key_update(values), row)
        calls = select(_sum(_COUNTS.values())).where(table.c.lead_id == lead_id)
        made: int = self._connection.execute(calls).scalar_one()
        return made

    def correct(self, wrong: LedgerEntry, right: LedgerEntry) -> None:
        self._changed.add(CALLED_LEADS_NAMESPACE)
        of_lead = table.c.lead_id == right.lead_id
        row = self._connection.execute(with_lock(select(table).where(of_lead), self._connection)).one()
        counts = dict(_to_counts(row).outcomes)
        for outcome, difference in ((wrong.outcome, -1), (right.outcome, 1)):
            if outcome is not None:
                counts[outcome] = counts.get(outcome, 0) + difference
        values: dict[str, Any] = {outcome.value: count for outcome, count in counts.items()}
        if wrong.called_at != right.called_at:
            first = select_call_moments(right.lead_id).order_by(ledger.c.called_at, ledger.c.id).limit(1)
            values["first_called_at"] = self._connection.execute(first).scalar_one()
        self._connection.execute(update(table).where(of_lead).values(values))


def called(filters: LeadFilter, *, joined: bool = False) -> list[ColumnElement[bool]]:
    """Return the conditions on the calls of a lead; `joined` if the statement has the counts by `with_counts`.

    The join is faster if every lead is read. In a list it would influence which index the database chooses.
    """
    first_called_at = first_call(filters.visible_to, joined=joined)
    calls: ColumnElement[Any]
    if filters.visible_to is None:
        calls = _sum(_COUNTS[CallOutcome(outcome)] for outcome in filters.call_outcomes or CallOutcome)
        if not joined:
            calls = select(calls).where(table.c.lead_id == leads.c.id).scalar_subquery()
    else:
        outcomes = ledger.c.outcome.in_(filters.call_outcomes)
        own = select_call_moments(leads.c.id, filters.visible_to)
        calls = own.with_only_columns(func.count()).where(outcomes).scalar_subquery()
    conditions: list[ColumnElement[bool]] = []
    if filters.called is not None:
        conditions.append(first_called_at.is_not(None) if filters.called else first_called_at.is_(None))
    if filters.call_outcomes:
        conditions.append(calls > 0)
    if filters.called_within is not None:
        took = microseconds_between(leads.c.created_at, first_called_at)
        conditions.append(took <= filters.called_within // MICROSECOND)
    return conditions


def with_counts(statement: Select[Any]) -> Select[Any]:
    """Join the counts of the calls of each lead to a statement about leads."""
    return statement.select_from(leads.outerjoin(table, table.c.lead_id == leads.c.id))


def first_call(agent_id: UUID | None = None, *, joined: bool = False) -> ColumnElement[Any]:
    """Return the time of the first call to a lead, by anybody or by that agent; NULL if there was none."""
    if agent_id is None:
        if joined:
            return table.c.first_called_at
        return select(table.c.first_called_at).where(table.c.lead_id == leads.c.id).scalar_subquery()
    return select_call_moments(leads.c.id, agent_id).with_only_columns(func.min(ledger.c.called_at)).scalar_subquery()


def _sum(columns: Iterable[Column[int]]) -> ColumnElement[int]:
    return reduce(operator.add, columns)


def _to_counts(row: Row[Any]) -> CallCounts:
    counts = {outcome: getattr(row, outcome.value) for outcome in CallOutcome}
    return CallCounts(
        outcomes={outcome: count for outcome, count in counts.items() if count}, first_called_at=row.first_called_at
    )
