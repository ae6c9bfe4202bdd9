"""Figures of leads and call tasks as they are at the moment, counted by the database."""

import operator
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import reduce
from math import ceil
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, literal_column, select

from adapters.sql.call_tables import call_tasks as tasks
from adapters.sql.call_tables import lead_calls
from adapters.sql.statements import in_lists, microseconds_between
from adapters.sql.tables import leads, users
from unite_core.calls.model import CallResult, Outcome, TaskStatus
from unite_core.reports.metrics import CONTACTS, CONVERSIONS
from unite_core.reports.ports import Cohort, FirstCalls, FunnelCounts, LiveFigures

_MICROSECONDS = 1_000_000


class SqlLiveFigures(LiveFigures):
    """Figures out of the tables of leads, calls and call tasks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def funnel(self, question: Cohort) -> Mapping[str, FunnelCounts]:
        statement = (
            select(
                leads.c.source,
                func.count().label("leads"),
                _number_with(Outcome).label("called"),
                _number_with(CONTACTS.results).label("contacted"),
                _number_with(CONVERSIONS.results).label("converted"),
            )
            .select_from(leads.outerjoin(lead_calls, lead_calls.c.lead_id == leads.c.id))
            .where(*_created(question))
            .group_by(leads.c.source)
        )
        return {
            row.source: FunnelCounts(
                leads=row.leads,
                called=int(row.called),
                contacted=int(row.contacted),
                converted=int(row.converted),
            )
            for row in self._connection.execute(statement)
        }

    def first_calls(self, question: Cohort, *, within: int) -> FirstCalls:
        wait = microseconds_between(leads.c.created_at, lead_calls.c.first_called_at)
        cohort = leads.outerjoin(lead_calls, lead_calls.c.lead_id == leads.c.id)
        in_time = case((wait <= within * _MICROSECONDS, 1), else_=0)
        counts = select(
            func.count().label("leads"),
            func.count(lead_calls.c.lead_id).label("called"),
            func.coalesce(func.sum(in_time), 0).label("within"),
        )
        found = self._connection.execute(counts.select_from(cohort).where(*_created(question))).one()
        waits = (
            select(wait.label("wait"))
            .select_from(leads.join(lead_calls, lead_calls.c.lead_id == leads.c.id))
            .where(*_created(question))
            .order_by(literal_column("wait"))
        )
        return FirstCalls(
            leads=found.leads,
            called=found.called,
            within=int(found.within),
            p50=self._nearest_rank(waits, found.called, 50),
            p90=self._nearest_rank(waits, found.called, 90),
        )

    def overdue(self, *, before: datetime, assigned_to: UUID | None = None) -> int:
        pending = [tasks.c.status == TaskStatus.PENDING.value, tasks.c.due_at < before]
        if assigned_to is not None:
            pending.append(tasks.c.assigned_to == assigned_to)
        number: int = self._connection.execute(select(func.count()).select_from(tasks).where(*pending)).scalar_one()
        return number

    def names(self, user_ids: Collection[UUID]) -> Mapping[UUID, str]:
        found: dict[UUID, str] = {}
        for portion in in_lists(list(user_ids)):
            rows = self._connection.execute(select(users.c.id, users.c.name).where(users.c.id.in_(portion)))
            found.update((row.id, row.name) for row in rows)
        return found

    def _nearest_rank(self, waits: Select[Any], number: int, percent: int) -> int | None:
        if not number:
            return None
        place = ceil(number * percent / 100) - 1
        wait: int = self._connection.execute(waits.limit(1).offset(place)).scalar_one()
        return max(0, wait) // _MICROSECONDS


def _number_with(results: Collection[Outcome] | Collection[CallResult] | type[Outcome]) -> ColumnElement[Any]:
    """How many leads have a call with one of the results."""
    calls = reduce(operator.add, (lead_calls.c[result.value] for result in sorted(results)))
    return func.coalesce(func.sum(case((calls > literal(0), 1), else_=0)), 0)


def _created(question: Cohort) -> list[ColumnElement[bool]]:
    conditions = [
        leads.c.deleted_at.is_(None),
        leads.c.created_at >= question.created_from,
        leads.c.created_at < question.created_to,
    ]
    if question.assigned_to is not None:
        conditions.append(leads.c.assigned_to == question.assigned_to)
    return conditions
