"""SQL queries for current figures of leads and call tasks, such as the funnel and overdue calls."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, literal, select

from adapters.sql.calls.tables import call_tasks as tasks
from adapters.sql.identity.tables import users
from adapters.sql.leads.lead_calls import called, first_call, with_counts
from adapters.sql.leads.tables import leads
from adapters.sql.statements import batches, force_index, microseconds_between, whole_quotient
from unite_core.calls.model import TaskStatus
from unite_core.leads.ports import LeadFilter
from unite_core.reports.metrics import CONTACTS, CONVERSIONS
from unite_core.reports.ports import Cohort, FirstCalls, FunnelCounts, LiveFigures, OverdueCall

_MICROSECONDS = 1_000_000


class SqlLiveFigures(LiveFigures):
    """Current figures from the tables of leads, calls and call tasks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def funnel(self, question: Cohort) -> Mapping[str, FunnelCounts]:
        agent = question.assigned_to
        contacts, conversions = (frozenset(metric.results) for metric in (CONTACTS, CONVERSIONS))
        cohort = _with_calls_of_cohort(
            select(
                leads.c.source,
                _matches(LeadFilter(called=True, visible_to=agent)).label("called"),
                _matches(LeadFilter(call_outcomes=contacts, visible_to=agent)).label("contacted"),
                _matches(LeadFilter(call_outcomes=conversions, visible_to=agent)).label("converted"),
            ),
            question,
        ).subquery("cohort")
        statement = select(
            cohort.c.source,
            func.count().label("leads"),
            *(_count(cohort.c[name]) for name in ("called", "contacted", "converted")),
        ).group_by(cohort.c.source)
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
        cohort = _by_cohort(select(func.count()).select_from(leads), question)
        number: int = self._connection.execute(cohort).scalar_one()
        row = self._connection.execute(_waits(question, within)).one()
        return FirstCalls(
            leads=number,
            called=int(row.called),
            within=int(row.within),
            p50=None if row.p50 is None else int(row.p50),
            p90=None if row.p90 is None else int(row.p90),
        )

    def overdue(self, *, before: datetime, assigned_to: UUID | None = None) -> int:
        pending = [tasks.c.status == TaskStatus.PENDING.value, tasks.c.due_at < before]
        if assigned_to is not None:
            pending.append(tasks.c.assigned_to == assigned_to)
        number: int = self._connection.execute(select(func.count()).select_from(tasks).where(*pending)).scalar_one()
        return number

    def overdue_calls(self, *, before: datetime, limit: int, assigned_to: UUID | None = None) -> Sequence[OverdueCall]:
        pending = [tasks.c.status == TaskStatus.PENDING.value, tasks.c.due_at < before]
        index = "ix_call_tasks_status_due"
        if assigned_to is not None:
            pending.append(tasks.c.assigned_to == assigned_to)
            index = "ix_call_tasks_assigned_status_due"
        statement = (
            select(tasks.c.id, tasks.c.due_at, leads.c.name, users.c.name.label("assignee"))
            .outerjoin(leads, and_(leads.c.id == tasks.c.lead_id, leads.c.deleted_at.is_(None)))
            .outerjoin(users, users.c.id == tasks.c.assigned_to)
            .where(*pending)
            .order_by(tasks.c.due_at, tasks.c.id)
            .limit(limit)
        )
        return [
            OverdueCall(task_id=row.id, due_at=row.due_at, lead_name=row.name, assignee_name=row.assignee)
            for row in self._connection.execute(force_index(statement, tasks, index))
        ]

    def names(self, user_ids: Collection[UUID]) -> Mapping[UUID, str]:
        names: dict[UUID, str] = {}
        for portion in batches(list(user_ids)):
            rows = self._connection.execute(select(users.c.id, users.c.name).where(users.c.id.in_(portion)))
            names.update((row.id, row.name) for row in rows)
        return names


def _waits(question: Cohort, within: int) -> Select[*tuple[Any, ...]]:
    """Return the statement for the number of called leads, those called `within` seconds, and percentiles of the wait.

    Percentiles are nearest ranks. The leads are read once: they are counted per second of waiting, and these counts are
    summed in the order of seconds.
    """
    first = first_call(question.assigned_to, joined=question.assigned_to is None)
    wait = microseconds_between(leads.c.created_at, first)
    # Rounded up to whole seconds. A call before the creation of the lead counts as a wait of 0.
    rounded_up = whole_quotient(wait + literal(_MICROSECONDS - 1), literal(_MICROSECONDS))
    seconds = case((wait <= 0, 0), else_=rounded_up).label("seconds")
    waits = _with_calls_of_cohort(select(seconds), question).where(first.is_not(None)).subquery("waits")
    counted = select(waits.c.seconds, func.count().label("calls")).group_by(waits.c.seconds).subquery("counted")
    ranked = select(
        counted.c.seconds,
        counted.c.calls,
        func.sum(counted.c.calls).over(order_by=counted.c.seconds).label("until"),
        func.sum(counted.c.calls).over().label("called"),
    ).subquery("ranked")

    def nearest_rank(percent: int) -> ColumnElement[Any]:
        reached = ranked.c.until * 100 >= ranked.c.called * percent
        return func.min(case((reached, ranked.c.seconds))).label(f"p{percent}")

    prompt = func.sum(case((ranked.c.seconds <= within, ranked.c.calls), else_=0))
    return select(
        func.coalesce(func.max(ranked.c.called), 0).label("called"),
        func.coalesce(prompt, 0).label("within"),
        nearest_rank(50),
        nearest_rank(90),
    )


def _matches(filters: LeadFilter) -> ColumnElement[int]:
    """Return an expression that is 1 for a lead that matches the conditions on its calls, and 0 for any other.

    It has to be summed in an outer query: MariaDB refuses an aggregate of a subquery inside a sum.
    """
    conditions = called(filters, joined=filters.visible_to is None)
    return case((and_(*conditions), 1), else_=0)


def _count(flag: ColumnElement[int]) -> ColumnElement[Any]:
    """Return the number of leads of a cohort with the flag, labelled with the name of the flag."""
    return func.coalesce(func.sum(flag), 0).label(flag.name)


def _with_calls_of_cohort(statement: Select[*tuple[Any, ...]], question: Cohort) -> Select[*tuple[Any, ...]]:
    """Restrict the statement to the leads of the cohort; join the call counts if it is for all agents."""
    return _by_cohort(with_counts(statement) if question.assigned_to is None else statement, question)


def _by_cohort(statement: Select[*tuple[Any, ...]], question: Cohort) -> Select[*tuple[Any, ...]]:
    """Restrict the statement to the leads of the cohort, and force the index that is sorted by creation."""
    index = "ix_leads_listed" if question.assigned_to is None else "ix_leads_assigned_listed"
    return force_index(statement.where(*_created(question)), leads, index)


def _created(question: Cohort) -> list[ColumnElement[bool]]:
    conditions = [
        # For a lead that is not deleted, `listed_at` is the moment of its creation.
        leads.c.listed_at >= question.created_from,
        leads.c.listed_at < question.created_to,
    ]
    if question.assigned_to is not None:
        conditions.append(leads.c.assigned_to == question.assigned_to)
    return conditions
