"""SQL implementation of the activity log, used where MongoDB is not configured."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, Select, delete, func, or_, select
from sqlalchemy.engine import Row

from adapters.sql.events.tables import activity, activity_leads
from adapters.sql.execution_options import READ_ONLY
from adapters.sql.statements import after, batches, insert_if_absent, newest_first
from adapters.sql.types import exact_json, moment
from unite_core.events import Event
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import ActivityLog, EventFilter
from unite_core.notifications.subscriptions import ACTIVITY_SUBSCRIPTION
from unite_core.paging import Page, PageRequest, Position, page_of


class SqlActivityLog(ActivityLog):
    """The activity log in the relational database, in transactions of its own."""

    subscription = ACTIVITY_SUBSCRIPTION

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:  # noqa: ARG002 - events that exist already are found by their id
        # Sorted, so that two relays which deliver the same events lock the rows in the same order: no deadlock.
        ordered = sorted(events, key=lambda event: event.id)
        with self._engine.begin() as connection:
            insert_if_absent(connection, activity, [_to_row(event, connection) for event in ordered])
            lead_rows = [row for event in ordered for row in _lead_rows(event, connection)]
            insert_if_absent(connection, activity_leads, lead_rows)
        return [Receipt(accepted=True)] * len(events)

    def of_lead(self, lead_id: UUID, request: PageRequest, visible: EventFilter | None = None) -> Page[Event]:
        at, event_id = activity_leads.c.at, activity_leads.c.event_id
        statement = (
            select(activity)
            .join_from(activity_leads, activity, event_id == activity.c.id)
            .where(activity_leads.c.lead_id == lead_id)
            .order_by(at.desc(), event_id.desc())
            .limit(request.limit + 1)
        )
        if visible is not None:
            statement = statement.where(_matches(visible))
        if request.after is not None:
            statement = statement.where(after(at, event_id, request.after))
        return self._page(statement, request, (lead_id,))

    def of_import(self, import_id: UUID, request: PageRequest) -> Page[Event]:
        of_this = activity.c.of_import_id == import_id
        statement = newest_first(activity, activity.c.at, request, of_this, index="ix_activity_of_import")
        return self._page(statement, request)

    def of_delivery(self, delivery_id: UUID, request: PageRequest) -> Page[Event]:
        of_this = activity.c.delivery_id == delivery_id
        statement = newest_first(activity, activity.c.at, request, of_this, index="ix_activity_delivery")
        return self._page(statement, request)

    def purge(self, *, before: datetime, limit: int) -> int:
        old = select(activity.c.id).where(activity.c.at < before).order_by(activity.c.at, activity.c.id).limit(limit)
        with self._engine.begin() as connection:
            ids = connection.execute(old).scalars().all()
            for portion in batches(ids):
                connection.execute(delete(activity_leads).where(activity_leads.c.event_id.in_(portion)))
                connection.execute(delete(activity).where(activity.c.id.in_(portion)))
        return len(ids)

    def _page(self, statement: Select[Any], request: PageRequest, lead_ids: tuple[UUID, ...] = ()) -> Page[Event]:
        with self._engine.connect().execution_options(**{READ_ONLY: True}) as connection:
            rows = connection.execute(statement).all()
        return page_of([_to_event(row, lead_ids) for row in rows], request.limit, lambda it: Position(it.at, it.id))


def _matches(visible: EventFilter) -> ColumnElement[bool]:
    """Return the filter as a condition on rows of `activity`.

    `data` is searched as text, because the databases' JSON functions refuse some valid JSON, such as lone surrogates.
    """
    return or_(activity.c.type.in_(sorted(visible.types)), func.instr(activity.c.data, visible.member) > 0)


def _to_row(event: Event, connection: Connection) -> tuple[Any, ...]:
    import_id = event.import_id.bytes if event.import_id else None
    return (
        event.id.bytes,
        event.type,
        moment(event.at, connection.dialect),
        event.actor_id.bytes if event.actor_id else None,
        event.correlation_id,
        import_id,
        None if event.lead_ids else import_id,
        exact_json(event.data),
        event.delivery_id.bytes if event.delivery_id else None,
    )


def _lead_rows(event: Event, connection: Connection) -> list[tuple[Any, ...]]:
    at = moment(event.at, connection.dialect)
    return [(lead_id.bytes, at, event.id.bytes) for lead_id in event.lead_ids]


def _to_event(row: Row[Any], lead_ids: tuple[UUID, ...]) -> Event:
    return Event(
        id=row.id,
        type=row.type,
        at=row.at,
        actor_id=row.actor_id,
        correlation_id=row.correlation_id,
        lead_ids=lead_ids,
        import_id=row.import_id,
        delivery_id=row.delivery_id,
        data=row.data,
    )
