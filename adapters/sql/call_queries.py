"""Pages of call tasks and of the ledger: which index serves which question.

Every list is in the order of an index, so that a page costs the same wherever it is. A filter with several values walks
its index once for each, and what the walks find is merged. What no index leads by is looked at on the way. The entries
of one task are the exception: they are a handful, and taken as a whole.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, LargeBinary, Select, and_, cast, false, func, not_, or_, select

from adapters.sql.call_tables import call_ledger as ledger
from adapters.sql.call_tables import call_task_notes as notes
from adapters.sql.call_tables import call_tasks as tasks
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
from unite_core.calls.ports import MAX_ATTEMPT, NOTES_IN_LISTS, ClockFilter, LedgerFilter, TaskFilter
from unite_core.days import moment_of
from unite_core.paging import PageRequest

MAX_INDEX_WALKS = 20
"""More users than this in one filter, and their tasks are picked out of a list of all users'."""

TASK_INDEXES = {
    (): "ix_call_tasks_due",
    ("status",): "ix_call_tasks_status_due",
    ("assigned_to",): "ix_call_tasks_assigned_due",
    ("assigned_to", "status"): "ix_call_tasks_assigned_status_due",
    ("lead_id",): "ix_call_tasks_lead_due",
}
"""Columns -> the index that holds what has one value of each in the order of the list."""

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
"""The same for the ledger, by the moment that a list is in the order of.

Of several conditions the one that is named first here fits the fewest entries.
"""


def select_tasks(filters: TaskFilter, request: PageRequest) -> list[Select[Any]]:
    """What to ask: the rows of the page are the soonest due of all that these find."""
    conditions = _filters(filters)
    leading = {column: values for column, values in conditions.items() if len(values) <= MAX_INDEX_WALKS}
    if filters.lead_id is not None:
        leading = {tasks.c.lead_id: [filters.lead_id]}
    on_the_way = [matches_any(column, values) for column, values in conditions.items() if column not in leading]
    index = TASK_INDEXES[tuple(column.name for column in leading)]
    page = oldest_first(tasks, tasks.c.due_at, request, *on_the_way, *_due(filters), index=index)
    return [page.where(*map(equals_or_null, leading, values)) for values in product(*leading.values())]


def select_all_notes(task_ids: Sequence[UUID]) -> Select[Any]:
    """What to ask: the notes of these tasks."""
    return force_index(select(notes), notes, "PRIMARY").where(notes.c.task_id.in_(task_ids))


def select_latest_notes(task_ids: Sequence[UUID]) -> Select[Any]:
    """As `select_all_notes`, the latest of each task alone: numbers have no gaps, so that no others are read."""
    many = force_index(select(notes.c.task_id, func.max(notes.c.number).label("many")), notes, "PRIMARY")
    counted = many.where(notes.c.task_id.in_(task_ids)).group_by(notes.c.task_id).subquery("counted")
    latest = notes.c.number > counted.c.many - NOTES_IN_LISTS
    statement = select(notes).join(counted, and_(notes.c.task_id == counted.c.task_id, latest))
    return force_index(statement, notes, "PRIMARY")


def select_entries(filters: LedgerFilter, request: PageRequest) -> list[Select[Any]]:
    """What to ask: the rows of the page are the newest of all that this finds."""
    agents = {filters.agent_id, filters.visible_to} - {None} | ({None} if filters.without_agent else set())
    if len(agents) > 1:
        return []
    asked = {"task_id": {filters.task_id} - {None}, "lead_id": {filters.lead_id} - {None}, "agent_id": agents}
    pairs = [(ledger.c[name], value) for name, values in asked.items() for value in values]
    conditions = [equals_or_null(column, value) for column, value in pairs[:1]]
    conditions += [matches_any(column, [value]) for column, value in pairs[1:]]
    order = sort_column(filters)
    index = LEDGER_INDEXES[order.name][pairs[0][0].name if pairs else None]
    page = newest_first(ledger, order, request, *conditions, *_spans(filters), *_facts(filters), index=index)
    return [page if filters.task_id is None else page.order_by(None).limit(None)]


def sort_column(filters: LedgerFilter) -> Column[Any]:
    """The moment that the list is in the order of."""
    return ledger.c.called_at if filters.by_call_time else ledger.c.at


def select_call_moments(lead: UUID | Column[UUID], agent_id: UUID | None = None) -> Select[Any]:
    """What to ask: when the calls to the lead were, by the entries that count; all of them, or those of one agent."""
    made = ledger.c.lead_id == lead, ledger.c.outcome.is_not(None), is_counted()
    statement = force_index(select(ledger.c.called_at), ledger, LEDGER_INDEXES["called_at"]["lead_id"]).where(*made)
    return statement if agent_id is None else statement.where(matches_any(ledger.c.agent_id, [agent_id]))


def is_counted() -> ColumnElement[bool]:
    """The entry is the last one of its chain."""
    # A value that is looked up per row: databases turn NOT EXISTS into joins of their own choice, over the whole table.
    chain = ledger.alias("chain")
    last = force_index(select(func.max(chain.c.number)), chain, LEDGER_INDEXES["at"]["task_id"])
    return ledger.c.number == last.where(chain.c.task_id == ledger.c.task_id).scalar_subquery()


def select_orphan(after: UUID | None, until: UUID | None) -> Select[Any]:
    """What to ask: the ids, as bytes, of the first entry whose task is not there."""
    place = cast(ledger.c.task_id, LargeBinary).label("task_id"), cast(ledger.c.id, LargeBinary).label("id")
    missing = ~select(tasks.c.id).where(tasks.c.id == ledger.c.task_id).exists()
    statement = select(*place, ledger.c.number).where(missing).order_by(ledger.c.task_id, ledger.c.number).limit(1)
    if after is not None:
        statement = statement.where(ledger.c.task_id > after)
    if until is not None:
        statement = statement.where(ledger.c.task_id <= until)
    return force_index(statement, ledger, LEDGER_INDEXES["at"]["task_id"])


def _spans(filters: LedgerFilter) -> list[ColumnElement[bool]]:
    """The conditions on moments; no index is considered for the one that the list is not in the order of."""
    at: ColumnElement[Any] = unindexed(ledger.c.at) if filters.by_call_time else ledger.c.at
    starts = ((ledger.c.called_at, filters.called_from), (at, filters.at_from))
    ends = ((ledger.c.called_at, filters.called_to), (at, filters.at_to))
    return [
        *(column >= start for column, start in starts if start is not None),
        *(column < end for column, end in ends if end is not None),
    ]


def _facts(filters: LedgerFilter) -> list[ColumnElement[bool]]:
    """The conditions on what an entry says; no index leads by them."""
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
    """The call was in one of the hours of the week."""
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


def _filters(filters: TaskFilter) -> dict[Column[Any], Collection[Any]]:
    """The columns that are filtered by, and what they may be; a filter by every status there is, is none."""
    conditions: dict[Column[Any], Collection[Any]] = {}
    users: frozenset[UUID | None] = filters.assigned_to | (frozenset({None}) if filters.unassigned else frozenset())
    if filters.visible_to is not None:
        mine = frozenset({filters.visible_to})
        conditions[tasks.c.assigned_to] = mine & users if users else mine
    elif users:
        conditions[tasks.c.assigned_to] = users
    if filters.statuses and len(filters.statuses) < len(TaskStatus):
        conditions[tasks.c.status] = [status.value for status in filters.statuses]
    return conditions


def _due(filters: TaskFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.due_from is not None:
        conditions.append(tasks.c.due_at >= filters.due_from)
    if filters.due_to is not None:
        conditions.append(tasks.c.due_at < filters.due_to)
    return conditions
