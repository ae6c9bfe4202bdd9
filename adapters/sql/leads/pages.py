"""Read pages of leads, and choose the index for each filter.

Every list of leads is in the order of an index, so that each page costs the same, however far down the list it is.
There is one index for all leads, and one for each column that leads can be filtered by. A filter with one value walks
its own index. A filter with several values walks its index once for each value. If there are several filters, the one
that matches the fewest leads decides which index is walked. All other conditions are checked during the walk, and must
not lead the database to another index: on MySQL the index is named, on SQLite the other columns are made unfit for
their indexes.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, Select, and_, func, literal, or_, select
from sqlalchemy.engine import Row

from adapters.sql.leads.lead_calls import called
from adapters.sql.leads.status_choices import with_choices
from adapters.sql.leads.tables import leads
from adapters.sql.leads.words import lead_words_for
from adapters.sql.statements import after, equals_or_null, force_index, matches_any, merge_sorted, unindexed
from unite_core.leads.details import FILTERED_TEXTS
from unite_core.leads.ports import LeadFilter
from unite_core.paging import PageRequest

MAX_INDEX_WALKS = 20
"""Values of one filter for which its index is walked; with more, the list of all leads is walked instead."""

COUNTED = 2_000
"""Leads that are counted at most for one value, to find the filter that matches the fewest."""

INDEXES = {
    "listed_at": "ix_leads_listed",
    "status": "ix_leads_status_listed",
    "assigned_to": "ix_leads_assigned_listed",
    **{field.key_column: f"ix_leads_{field.name}_listed" for field in FILTERED_TEXTS},
}
"""Column -> the index that has the leads with one value of the column in the order of the list."""

# A deleted lead has no `listed_at`; this time is before that of every other lead.
_BEGINNING = datetime(1000, 1, 1, tzinfo=UTC)

Values = frozenset[str] | frozenset[UUID | None]


class LeadPages:
    """The query for one page of leads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._words = lead_words_for(connection.dialect)

    def rows(self, filters: LeadFilter, request: PageRequest) -> Sequence[Row[Any]]:
        """Return up to `request.limit + 1` rows, newest first: the extra one shows whether there is a next page."""
        statements = map(with_choices, self.statements(filters, request))
        lists = [self._connection.execute(statement).all() for statement in statements]
        return lists[0] if len(lists) == 1 else merge_sorted(lists, _position, request.limit + 1)

    def statements(self, filters: LeadFilter, request: PageRequest) -> list[Select[Any]]:
        """Return the statements for a page, which has the newest of all rows that they find."""
        conditions = _filters(filters)
        words = filters.words
        if words == ():
            return []
        if words and not self._words.are_common(self._connection, words):
            on_the_way = [matches_any(column, values) for column, values in conditions.items()] + called(filters)
            return [_few(filters, request).where(self._words.index_condition(words), *on_the_way)]
        leading = self._leading(conditions)
        on_the_way = [matches_any(column, values) for column, values in conditions.items() if column is not leading]
        on_the_way += [*self._words.text_conditions(words or ()), *called(filters)]
        page = _in_order(filters, request, "listed_at" if leading is None else leading.name).where(*on_the_way)
        if leading is None:
            return [page]
        return [page.where(equals_or_null(leading, value)) for value in conditions[leading]]

    def _leading(self, conditions: dict[Column[Any], Values]) -> Column[Any] | None:
        candidates = [column for column, values in conditions.items() if len(values) <= MAX_INDEX_WALKS]
        if len(candidates) > 1:
            return min(candidates, key=lambda column: self._count(column, conditions[column]))
        return candidates[0] if candidates else None

    def _count(self, column: Column[Any], values: Values) -> int:
        total = 0
        for value in values:
            some = select(literal(1)).select_from(leads).where(equals_or_null(column, value)).limit(COUNTED)
            some = force_index(some, leads, INDEXES[column.name])
            total += self._connection.execute(select(func.count()).select_from(some.subquery("counted"))).scalar_one()
        return total


def _filters(filters: LeadFilter) -> dict[Column[Any], Values]:
    """Return the filtered columns and their allowed values; if all match many leads, the first column is walked."""
    conditions: dict[Column[Any], Values] = {}
    assignees: frozenset[UUID | None] = frozenset(filters.assigned_to) | ({None} if filters.unassigned else set())
    if filters.visible_to is not None:
        mine: frozenset[UUID | None] = frozenset({filters.visible_to})
        assignees = mine & assignees if assignees else mine
        conditions[leads.c.assigned_to] = assignees
    elif assignees:
        conditions[leads.c.assigned_to] = assignees
    texts = filters.texts
    conditions |= {leads.c[field.key_column]: texts[field.name] for field in FILTERED_TEXTS if field.name in texts}
    if filters.statuses:
        conditions[leads.c.status] = frozenset(status.value for status in filters.statuses)
    return conditions


def _in_order(filters: LeadFilter, request: PageRequest, column: str) -> Select[Any]:
    listed_at = leads.c.listed_at
    statement = force_index(select(leads), leads, INDEXES[column]).where(
        listed_at >= (filters.created_from or _BEGINNING)
    )
    if filters.created_to is not None:
        statement = statement.where(listed_at < filters.created_to)
    if request.after is not None:
        statement = statement.where(after(listed_at, leads.c.id, request.after))
    return statement.order_by(listed_at.desc(), leads.c.id.desc()).limit(request.limit + 1)


def _few(filters: LeadFilter, request: PageRequest) -> Select[Any]:
    """Select the page if so few leads match that it is faster to find them all and sort them afterwards."""
    listed_at = unindexed(leads.c.listed_at)
    statement = select(leads).where(listed_at >= (filters.created_from or _BEGINNING))
    if filters.created_to is not None:
        statement = statement.where(listed_at < filters.created_to)
    if request.after is not None:
        at, lead_id = request.after.at, request.after.id
        statement = statement.where(or_(listed_at < at, and_(listed_at == at, unindexed(leads.c.id) < lead_id)))
    return statement.order_by(listed_at.desc(), leads.c.id.desc()).limit(request.limit + 1)


def _position(row: Row[Any]) -> tuple[datetime, UUID]:
    return row.listed_at, row.id
