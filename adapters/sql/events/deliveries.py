"""SQL repository of events and their deliveries: the outbox."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, literal, select, update
from sqlalchemy.engine import Row

from adapters.sql.events.tables import deliveries, outbox_events
from adapters.sql.statements import batches, force_index, newest_first, with_lock
from unite_core.errors import NotFound
from unite_core.events import Event
from unite_core.notifications.model import Delivery, DeliveryStatus, delivery_of
from unite_core.notifications.ports import Deliveries, DeliveryFilter
from unite_core.notifications.subscriptions import Subscription, recipients_of
from unite_core.paging import Page, PageRequest, Position, page_of

_ID_BYTES = 16

_FINAL_STATUSES = (DeliveryStatus.DELIVERED, DeliveryStatus.SKIPPED)
"""The final statuses of deliveries that need no attention."""


class SqlDeliveries(Deliveries):
    """The outbox in the relational database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def record(self, events: Sequence[Event], subscriptions: Sequence[Subscription]) -> set[str]:
        """Store events, and a delivery of each for every subscription that includes it; return their names."""
        recipients = [(event, recipients_of(event, subscriptions)) for event in events]
        coming = [delivery_of(event, each.name, each.retry) for event, those in recipients for each in those]
        if coming:
            rows = [_event_to_row(event) for event, those in recipients if those]
            self._connection.execute(insert(outbox_events), rows)
            self._connection.execute(insert(deliveries), [_to_row(delivery) for delivery in coming])
        return {delivery.destination for delivery in coming}

    def claim(
        self, destination: str, *, now: datetime, until: datetime, limit: int
    ) -> Sequence[tuple[Delivery, Event]]:
        due = _due(destination, DeliveryStatus.PENDING, now, limit)
        rows = self._connection.execute(with_lock(due, self._connection, skip_locked=True)).all()
        events = self._events({row.event_id for row in rows})
        claimed = [_to_delivery(row, events[row.event_id].correlation_id) for row in rows]
        for delivery in claimed:
            delivery.claim(until)
        for portion in batches([delivery.id for delivery in claimed]):
            self._connection.execute(
                update(deliveries)
                .where(deliveries.c.id.in_(portion))
                .values(attempts=deliveries.c.attempts + 1, held=True, next_attempt_at=until)
            )
        return [(delivery, events[delivery.event_id]) for delivery in claimed]

    def save(self, *settled: Delivery) -> None:
        # Many deliveries are settled at once with the same outcome: one statement stores them.
        alike: dict[str, tuple[dict[str, Any], list[UUID]]] = {}
        for delivery in settled:
            outcome = _outcome(delivery)
            alike.setdefault(json.dumps(outcome, default=str, sort_keys=True), (outcome, []))[1].append(delivery.id)
        for outcome, ids in alike.values():
            mine = deliveries.c.attempts == outcome["attempts"], deliveries.c.held == literal(True)
            for portion in batches(ids):
                self._connection.execute(update(deliveries).where(deliveries.c.id.in_(portion), *mine).values(outcome))

    def get(self, delivery_id: UUID) -> Delivery:
        statement = with_lock(select(deliveries).where(deliveries.c.id == delivery_id), self._connection)
        for delivery in self._read(statement):
            return delivery
        raise NotFound("There is no such delivery.")

    def update(self, delivery: Delivery) -> None:
        self._connection.execute(update(deliveries).where(deliveries.c.id == delivery.id).values(_to_row(delivery)))

    def page(self, filters: DeliveryFilter, request: PageRequest) -> Page[Delivery]:
        conditions, index = [], "ix_deliveries_created"
        if filters.destination is not None:
            conditions.append(deliveries.c.destination == filters.destination)
            index = "ix_deliveries_destination_created"
        if filters.status is not None:
            conditions.append(deliveries.c.status == filters.status.value)
            index = "ix_deliveries_status_created"
        if filters.event_id is not None:
            conditions.append(deliveries.c.event_id == filters.event_id)
            index = "ix_deliveries_event_created"
        statement = newest_first(deliveries, deliveries.c.created_at, request, *conditions, index=index)
        return page_of(self._read(statement), request.limit, lambda it: Position(it.created_at, it.id))

    def make_due(self, destination: str, *, now: datetime, limit: int) -> int:
        failed = deliveries.c.attempts > 0, deliveries.c.held == literal(False), deliveries.c.next_attempt_at > now
        waiting = (
            force_index(select(deliveries.c.id), deliveries, "ix_deliveries_due")
            .where(_those(destination, DeliveryStatus.PENDING), *failed)
            .order_by(deliveries.c.next_attempt_at, deliveries.c.id)
            .limit(limit)
        )
        ids = self._connection.execute(with_lock(waiting, self._connection, skip_locked=True)).scalars().all()
        for portion in batches(ids):
            self._connection.execute(update(deliveries).where(deliveries.c.id.in_(portion)).values(next_attempt_at=now))
        return len(ids)

    def due_for_status_check(self, destination: str, *, now: datetime, limit: int) -> Sequence[Delivery]:
        due = _due(destination, DeliveryStatus.DELIVERED, now, limit)
        return self._read(with_lock(due, self._connection, skip_locked=True))

    def pending_events(
        self,
        destination: str,
        types: Collection[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Sequence[Event]:
        # A delivery is as old as its event.
        created_at = deliveries.c.created_at
        statement = (
            select(outbox_events)
            .join_from(deliveries, outbox_events, outbox_events.c.id == deliveries.c.event_id)
            .where(_those(destination, DeliveryStatus.PENDING), outbox_events.c.type.in_(sorted(types)))
            .order_by(created_at, deliveries.c.id)
            .limit(limit)
        )
        if since is not None:
            statement = statement.where(created_at >= since)
        if until is not None:
            statement = statement.where(created_at <= until)
        statement = force_index(statement, deliveries, "ix_deliveries_status_created")
        return [_to_event(row) for row in self._connection.execute(statement)]

    def purge(self, *, before: datetime, limit: int) -> int:
        old: list[Row[Any]] = []
        for status in _FINAL_STATUSES:
            old += self._connection.execute(_older(status, before, limit - len(old))).all()
        for portion in batches([row.id for row in old]):
            self._connection.execute(delete(deliveries).where(deliveries.c.id.in_(portion)))
        for portion in batches(list({row.event_id for row in old})):
            on_its_way = select(deliveries.c.event_id).where(deliveries.c.event_id.in_(portion))
            still = set(self._connection.execute(on_its_way).scalars())
            without_agent = [event_id for event_id in portion if event_id not in still]
            self._connection.execute(delete(outbox_events).where(outbox_events.c.id.in_(without_agent)))
        return len(old)

    def dead(self, *, limit: int) -> int:
        some = select(literal(1)).select_from(deliveries).where(deliveries.c.status == DeliveryStatus.DEAD.value)
        some = force_index(some, deliveries, "ix_deliveries_status_created").limit(limit)
        counted: int = self._connection.execute(select(func.count()).select_from(some.subquery("counted"))).scalar_one()
        return counted

    def _read(self, statement: Select[Any]) -> list[Delivery]:
        """Return the deliveries that the statement selects, each with the correlation id of its event."""
        of_event = select(outbox_events.c.correlation_id).where(outbox_events.c.id == deliveries.c.event_id)
        rows = self._connection.execute(statement.add_columns(of_event.scalar_subquery().label("correlation_id")))
        return [_to_delivery(row, row.correlation_id) for row in rows]

    def _events(self, event_ids: set[UUID]) -> dict[UUID, Event]:
        events: dict[UUID, Event] = {}
        for portion in batches(list(event_ids)):
            rows = self._connection.execute(select(outbox_events).where(outbox_events.c.id.in_(portion)))
            events.update((row.id, _to_event(row)) for row in rows)
        return events


def _those(destination: str, status: DeliveryStatus) -> ColumnElement[bool]:
    return (deliveries.c.destination == destination) & (deliveries.c.status == status.value)


def _due(destination: str, status: DeliveryStatus, now: datetime, limit: int) -> Select[Any]:
    """Select the deliveries with that status whose `next_attempt_at` has come, the longest due first."""
    return (
        force_index(select(deliveries), deliveries, "ix_deliveries_due")
        .where(_those(destination, status), deliveries.c.next_attempt_at <= now)
        .order_by(deliveries.c.next_attempt_at, deliveries.c.id)
        .limit(limit)
    )


def _older(status: DeliveryStatus, before: datetime, limit: int) -> Select[Any]:
    """Select the deliveries with that status that arrived before that time; a skipped one counts from its creation."""
    # No delivery arrives before it is created, so the index finds all that are old enough, and few others.
    return (
        force_index(select(deliveries.c.id, deliveries.c.event_id), deliveries, "ix_deliveries_status_created")
        .where(
            deliveries.c.status == status.value,
            deliveries.c.created_at < before,
            func.coalesce(deliveries.c.delivered_at, deliveries.c.created_at) < before,
        )
        .order_by(deliveries.c.created_at, deliveries.c.id)
        .limit(limit)
    )


def _event_to_row(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "type": event.type,
        "at": event.at,
        "actor_id": event.actor_id,
        "correlation_id": event.correlation_id,
        "lead_ids": b"".join(lead_id.bytes for lead_id in event.lead_ids),
        "import_id": event.import_id,
        "data": dict(event.data),
        "delivery_id": event.delivery_id,
        "traceparent": event.traceparent,
    }


def _to_event(row: Row[Any]) -> Event:
    ids = row.lead_ids
    return Event(
        id=row.id,
        type=row.type,
        at=row.at,
        actor_id=row.actor_id,
        correlation_id=row.correlation_id,
        lead_ids=tuple(UUID(bytes=ids[start : start + _ID_BYTES]) for start in range(0, len(ids), _ID_BYTES)),
        import_id=row.import_id,
        delivery_id=row.delivery_id,
        traceparent=row.traceparent,
        data=row.data,
    )


def _to_row(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "event_id": delivery.event_id,
        "destination": delivery.destination,
        "status": delivery.status.value,
        "attempts": delivery.attempts,
        "held": delivery.held,
        "next_attempt_at": delivery.next_attempt_at,
        "give_up_at": delivery.give_up_at,
        "created_at": delivery.created_at,
        "delivered_at": delivery.delivered_at,
        "response": delivery.response,
    }


def _to_delivery(row: Row[Any], correlation_id: str | None) -> Delivery:
    return Delivery(
        id=row.id,
        event_id=row.event_id,
        destination=row.destination,
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at,
        give_up_at=row.give_up_at,
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        held=row.held,
        response=row.response,
        delivered_at=row.delivered_at,
        correlation_id=correlation_id,
    )


def _outcome(delivery: Delivery) -> dict[str, Any]:
    """Return the columns that an attempt may change; `give_up_at` is among them only if it failed."""
    row = _to_row(delivery)
    changed = ["attempts", "status", "held", "next_attempt_at", "delivered_at", "response"]
    if delivery.status in (DeliveryStatus.PENDING, DeliveryStatus.DEAD):
        changed.append("give_up_at")
    return {name: row[name] for name in changed}
