"""SELECT statements for pages of call tasks and of the call ledger, with the index for each filter.

Every list is sorted by an index, so that all pages cost the same. A filter with several values reads its index once for
each value, and the results are merged. Other conditions are checked row by row. The exception are the entries of one
task: they are few, and are read as a whole.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, LargeBinary, Select, and_, cast, false, func, not_, or_, select

from adapters.sql.calls.tables import call_ledger as ledger
from adapters.sql.calls.tables import call_task_notes as notes
from adapters.sql.calls.tables import call_tasks as tasks
from adapters.sql.statements import (
    equals_or_null,
    force_index,
    label_of,
    matches_any,
    newest_first,
    oldest_first,
    quarter_hour_of,
    unindexed,
)
from unite_core.calls.model import TaskStatus
from unite_core.calls.ports import MAX_ATTEMPT, MAX_NOTES_IN_LISTS, ClockFilter, LedgerFilter, TaskFilter
from unite_core.paging import PageRequest
from unite_core.periods import moment_of

MAX_INDEX_WALKS = 20
"""With more users in one filter, their tasks are filtered out of the list of all users."""

TASK_INDEXES = {
    (): "ix_call_tasks_due",
    ("status",): "ix_call_tasks_status_due",
    ("assigned_to",): "ix_call_tasks_assigned_due",
    ("assigned_to", "status"): "ix_call_tasks_assigned_status_due",
    ("lead_id",): "ix_call_tasks_lead_due",
}
"""Columns -> the index in which rows with the same values in them are in the order of the list."""

LEDGER_INDEXES = {
    "at": {
        "task_id": "uq_call_ledger_chain",
        "lead_id": "ix_call_ledger_lead_at",
        "agent_id": "ix_call_ledger_agent_at",
        None: "ix_call_ledger_at",
    },
    "called_at": {
        "task_id": "uq_call_ledger_chain",
        "lead_id": "ix_call_ledger_lead_called",
        "agent_id": "ix_call_ledger_agent_called",
        None: "ix_call_ledger_called",
    },
}
"""The same for the ledger: sort column -> filtered column -> index.

The columns are in the order of their selectivity: of several filters the first one here matches the fewest entries.
"""


def select_tasks(filters: TaskFilter, request: PageRequest) -> list[Select[Any]]:
    """Return statements for a page of tasks; the page is made of the earliest due rows of all of them."""
    columns = _columns(filters)
    leading = {column: values for column, values in columns.items() if len(values) <= MAX_INDEX_WALKS}
    if filters.lead_id is not None:
        leading = {tasks.c.lead_id: [filters.lead_id]}
    unindexed_conditions = [matches_any(column, values) for column, values in columns.items() if column not in leading]
    index = TASK_INDEXES[tuple(column.name for column in leading)]
    page = oldest_first(tasks, tasks.c.due_at, request, *unindexed_conditions, *_due(filters), index=index)
    return [page.where(*map(equals_or_null, leading, values)) for values in product(*leading.values())]


def select_all_notes(task_ids: Sequence[UUID]) -> Select[Any]:
    """Return the statement for all notes of these tasks."""
    return force_index(select(notes), notes, "PRIMARY").where(notes.c.task_id.in_(task_ids))


def select_latest_notes(task_ids: Sequence[UUID]) -> Select[Any]:
    """Return the statement for the latest notes of each task. Numbers have no gaps, so that no others are read."""
    numbers = force_index(select(notes.c.task_id, func.max(notes.c.number).label("last_number")), notes, "PRIMARY")
    counted = numbers.where(notes.c.task_id.in_(task_ids)).group_by(notes.c.task_id).subquery("counted")
    latest = notes.c.number > counted.c.last_number - MAX_NOTES_IN_LISTS
    statement = select(notes).join(counted, and_(notes.c.task_id == counted.c.task_id, latest))
    return force_index(statement, notes, "PRIMARY")


def select_entries(filters: LedgerFilter, request: PageRequest) -> list[Select[Any]]:
    """Return statements for a page of entries; the page is made of the newest rows of all of them."""
    agents = {filters.agent_id, filters.visible_to} - {None} | ({None} if filters.without_agent else set())
    if len(agents) > 1:
        return []
    values_of = {"task_id": {filters.task_id} - {None}, "lead_id": {filters.lead_id} - {None}, "agent_id": agents}
    pairs = [(ledger.c[name], value) for name, values in values_of.items() for value in values]
    conditions = [equals_or_null(column, value) for column, value in pairs[:1]]
    conditions += [matches_any(column, [value]) for column, value in pairs[1:]]
    order = sort_column(filters)
    index = LEDGER_INDEXES[order.name][pairs[0][0].name if pairs else None]
    page = newest_first(ledger, order, request, *conditions, *_spans(filters), *_facts(filters), index=index)
    return [page if filters.task_id is None else page.order_by(None).limit(None)]


def sort_column(filters: LedgerFilter) -> Column[Any]:
    """Return the column by which the list is sorted."""
    return ledger.c.called_at if filters.by_call_time else ledger.c.at


def select_call_moments(lead: UUID | Column[UUID], agent_id: UUID | None = None) -> Select[Any]:
    """Return the statement for the moments of all calls to the lead, or those of one agent, by counted entries."""
    conditions = ledger.c.lead_id == lead, ledger.c.outcome.is_not(None), is_counted()
    statement = force_index(select(ledger.c.called_at), ledger, LEDGER_INDEXES["called_at"]["lead_id"]).where(
        *conditions
    )
    return statement if agent_id is None else statement.where(matches_any(ledger.c.agent_id, [agent_id]))


def is_counted() -> ColumnElement[bool]:
    """Return the condition that the entry is the last one of its chain, and so is counted."""
    # A scalar subquery per row, because databases turn NOT EXISTS into a join over the whole table.
    chain = ledger.alias("chain")
    last = force_index(select(func.max(chain.c.number)), chain, LEDGER_INDEXES["at"]["task_id"])
    return ledger.c.number == last.where(chain.c.task_id == ledger.c.task_id).scalar_subquery()


def select_orphan(after: UUID | None, until: UUID | None) -> Select[Any]:
    """Return the statement for the ids, as bytes, of the first entry whose task does not exist."""
    ids = cast(ledger.c.task_id, LargeBinary).label("task_id"), cast(ledger.c.id, LargeBinary).label("id")
    missing = ~select(tasks.c.id).where(tasks.c.id == ledger.c.task_id).exists()
    statement = select(*ids, ledger.c.number).where(missing).order_by(ledger.c.task_id, ledger.c.number).limit(1)
    if after is not None:
        statement = statement.where(ledger.c.task_id > after)
    if until is not None:
        statement = statement.where(ledger.c.task_id <= until)
    return force_index(statement, ledger, LEDGER_INDEXES["at"]["task_id"])


def _spans(filters: LedgerFilter) -> list[ColumnElement[bool]]:
    """Return the conditions on moments; the one that the list is not sorted by may not use an index."""
    at: ColumnElement[Any] = unindexed(ledger.c.at) if filters.by_call_time else ledger.c.at
    starts = ((ledger.c.called_at, filters.called_from), (at, filters.at_from))
    ends = ((ledger.c.called_at, filters.called_to), (at, filters.at_to))
    return [
        *(column >= start for column, start in starts if start is not None),
        *(column < end for column, end in ends if end is not None),
    ]


def _facts(filters: LedgerFilter) -> list[ColumnElement[bool]]:
    """Return the conditions on the content of an entry, for which there is no index."""
    conditions: list[ColumnElement[bool]] = []
    if filters.results:
        values = [result.value for result in filters.results]
        conditions.append(func.coalesce(ledger.c.outcome, ledger.c.kind).in_(values))
    if filters.sources:
        conditions.append(matches_any(ledger.c.source, filters.sources))
    if filters.attempts:
        later = ledger.c.attempt >= MAX_ATTEMPT if MAX_ATTEMPT in filters.attempts else false()
        conditions.append(or_(ledger.c.attempt.in_(filters.attempts), later))
    if filters.counted is not None:
        conditions.append(is_counted() if filters.counted else not_(is_counted()))
    if filters.clock is not None and filters.called_from is not None and filters.called_to is not None:
        conditions.append(_on_clocks(filters.clock, filters.called_from, filters.called_to))
    return conditions


def _on_clocks(clock: ClockFilter, start: datetime, end: datetime) -> ColumnElement[bool]:
    """Return the condition that the call was in one of the hours of the week."""
    quarter = quarter_hour_of(ledger.c.called_at)
    called_at = unindexed(ledger.c.called_at)
    return or_(
        *(
            and_(
                called_at >= moment_of(segment.first),
                called_at < moment_of(segment.end),
                label_of(quarter, segment.shift, segment.per, segment.modulo).in_(clock.labels),
            )
            for segment in clock.segments(start, end)
        )
    )


def _columns(filters: TaskFilter) -> dict[Column[Any], Collection[Any]]:
    """Return the filtered columns with their allowed values. A filter by all statuses is no filter."""
    columns: dict[Column[Any], Collection[Any]] = {}
    users: frozenset[UUID | None] = filters.assigned_to | (frozenset({None}) if filters.unassigned else frozenset())
    if filters.visible_to is not None:
        visible = frozenset({filters.visible_to})
        columns[tasks.c.assigned_to] = visible & users if users else visible
    elif users:
        columns[tasks.c.assigned_to] = users
    if filters.statuses and len(filters.statuses) < len(TaskStatus):
        columns[tasks.c.status] = [status.value for status in filters.statuses]
    return columns


def _due(filters: TaskFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.due_from is not None:
        conditions.append(tasks.c.due_at >= filters.due_from)
    if filters.due_to is not None:
        conditions.append(tasks.c.due_at < filters.due_to)
    return conditions
