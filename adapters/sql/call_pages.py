"""Pages of call tasks and of the ledger: which index serves which question.

Every list is in the order of an index, so that a page costs the same wherever it is. A filter with several values walks
its index once for each, and what the walks find is merged. What no index leads by is looked at on the way. The entries
of one task are the exception: they are a handful, and taken as a whole.
"""

from collections.abc import Collection, Sequence
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, LargeBinary, Select, and_, cast, func, select

from adapters.sql.call_tables import call_ledger as ledger
from adapters.sql.call_tables import call_task_notes as notes
from adapters.sql.call_tables import call_tasks as tasks
from adapters.sql.statements import by_index, equals, fits, newest_first, oldest_first
from unite_core.calls.model import TaskStatus
from unite_core.calls.ports import NOTES_IN_LISTS, LedgerFilter, TaskFilter
from unite_core.paging import PageRequest

MOST_WALKS = 20
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
    "task_id": "uq_call_ledger_chain",
    "lead_id": "ix_call_ledger_lead_at",
    "agent_id": "ix_call_ledger_agent_at",
}
"""The same for the ledger; of several filters the one that is named first here fits the fewest entries."""


def tasks_of(wanted: TaskFilter, request: PageRequest) -> list[Select[Any]]:
    """What to ask: the rows of the page are the soonest due of all that these find."""
    filters = _filters(wanted)
    leading = {column: values for column, values in filters.items() if len(values) <= MOST_WALKS}
    if wanted.lead_id is not None:
        leading = {tasks.c.lead_id: [wanted.lead_id]}
    on_the_way = [fits(column, values) for column, values in filters.items() if column not in leading]
    index = TASK_INDEXES[tuple(column.name for column in leading)]
    page = oldest_first(tasks, tasks.c.due_at, request, *on_the_way, *_due(wanted), index=index)
    return [page.where(*map(equals, leading, values)) for values in product(*leading.values())]


def all_notes(task_ids: Sequence[UUID]) -> Select[Any]:
    """What to ask: the notes of these tasks."""
    return by_index(select(notes), notes, "PRIMARY").where(notes.c.task_id.in_(task_ids))


def latest_notes(task_ids: Sequence[UUID]) -> Select[Any]:
    """As `all_notes`, of each task the latest alone: their numbers have no gaps, so that no others are looked at."""
    many = by_index(select(notes.c.task_id, func.max(notes.c.number).label("many")), notes, "PRIMARY")
    counted = many.where(notes.c.task_id.in_(task_ids)).group_by(notes.c.task_id).subquery("counted")
    latest = notes.c.number > counted.c.many - NOTES_IN_LISTS
    statement = select(notes).join(counted, and_(notes.c.task_id == counted.c.task_id, latest))
    return by_index(statement, notes, "PRIMARY")


def entries_of(wanted: LedgerFilter, request: PageRequest) -> list[Select[Any]]:
    """What to ask: the rows of the page are the newest of all that this finds."""
    agents = {wanted.agent_id, wanted.visible_to} - {None}
    if len(agents) > 1:
        return []
    ids = {"task_id": wanted.task_id, "lead_id": wanted.lead_id, "agent_id": next(iter(agents), None)}
    filters = [(ledger.c[name], ids[name]) for name in LEDGER_INDEXES if ids[name] is not None]
    conditions = [column == value for column, value in filters[:1]]
    conditions += [fits(column, [value]) for column, value in filters[1:]]
    if wanted.at_from is not None:
        conditions.append(ledger.c.at >= wanted.at_from)
    if wanted.at_to is not None:
        conditions.append(ledger.c.at < wanted.at_to)
    index = LEDGER_INDEXES[filters[0][0].name] if filters else "ix_call_ledger_at"
    page = newest_first(ledger, ledger.c.at, request, *conditions, index=index)
    return [page if wanted.task_id is None else page.order_by(None).limit(None)]


def orphan_of(after: UUID | None, until: UUID | None) -> Select[Any]:
    """What to ask: the ids, as bytes, of the first entry whose task is not there."""
    place = cast(ledger.c.task_id, LargeBinary).label("task_id"), cast(ledger.c.id, LargeBinary).label("id")
    missing = ~select(tasks.c.id).where(tasks.c.id == ledger.c.task_id).exists()
    statement = select(*place, ledger.c.number).where(missing).order_by(ledger.c.task_id, ledger.c.number).limit(1)
    if after is not None:
        statement = statement.where(ledger.c.task_id > after)
    if until is not None:
        statement = statement.where(ledger.c.task_id <= until)
    return by_index(statement, ledger, LEDGER_INDEXES["task_id"])


def _filters(wanted: TaskFilter) -> dict[Column[Any], Collection[Any]]:
    """The columns that are filtered by, and what they may be; a filter by every status there is, is none."""
    filters: dict[Column[Any], Collection[Any]] = {}
    users: frozenset[UUID | None] = wanted.assigned_to | (frozenset({None}) if wanted.unassigned else frozenset())
    if wanted.visible_to is not None:
        mine = frozenset({wanted.visible_to})
        filters[tasks.c.assigned_to] = mine & users if users else mine
    elif users:
        filters[tasks.c.assigned_to] = users
    if wanted.statuses and len(wanted.statuses) < len(TaskStatus):
        filters[tasks.c.status] = [status.value for status in wanted.statuses]
    return filters


def _due(wanted: TaskFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.due_from is not None:
        conditions.append(tasks.c.due_at >= wanted.due_from)
    if wanted.due_to is not None:
        conditions.append(tasks.c.due_at < wanted.due_to)
    return conditions
