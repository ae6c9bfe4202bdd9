"""Events and their deliveries in memory."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from unite_core.errors import NotFound
from unite_core.events import Event
from unite_core.notifications.model import Delivery, DeliveryStatus, delivery_of
from unite_core.notifications.ports import Deliveries, DeliveryFilter
from unite_core.notifications.subscriptions import Subscription, recipients_of
from unite_core.paging import Page, PageRequest, Position
from unite_core.testing.in_memory.copies import copied
from unite_core.testing.in_memory.tables import Tables, newest_first


class InMemoryDeliveries(Deliveries):
    """The store of the deliveries of events to destinations."""

    def __init__(self, tables: Tables) -> None:
        self._events = tables.events
        self._deliveries = tables.deliveries

    def claim(
        self, destination: str, *, now: datetime, until: datetime, limit: int
    ) -> Sequence[tuple[Delivery, Event]]:
        due = [it for it in self._pending(destination) if it.next_attempt_at <= now]
        claimed = copied(sorted(due, key=lambda it: (it.next_attempt_at, it.id))[:limit])
        for delivery in claimed:
            delivery.claim(until)
            self._deliveries[delivery.id] = copied(delivery)
        return [(delivery, copied(self._events[delivery.event_id])) for delivery in claimed]

    def save(self, *settled: Delivery) -> None:
        for delivery in settled:
            known = self._deliveries.get(delivery.id)
            if known is not None and known.held and known.attempts == delivery.attempts:
                self._deliveries[delivery.id] = copied(delivery)

    def get(self, delivery_id: UUID) -> Delivery:
        if delivery_id not in self._deliveries:
            raise NotFound("There is no such delivery.")
        return copied(self._deliveries[delivery_id])

    def update(self, delivery: Delivery) -> None:
        self._deliveries[delivery.id] = copied(delivery)

    def page(self, filters: DeliveryFilter, request: PageRequest) -> Page[Delivery]:
        matching = (
            it
            for it in self._deliveries.values()
            if filters.status in (None, it.status)
            and filters.destination in (None, it.destination)
            and filters.event_id in (None, it.event_id)
        )
        return newest_first(matching, request, lambda it: Position(it.created_at, it.id))

    def make_due(self, destination: str, *, now: datetime, limit: int) -> int:
        failed = [it for it in self._pending(destination) if it.attempts and not it.held and it.next_attempt_at > now]
        waiting = copied(sorted(failed, key=lambda it: (it.next_attempt_at, it.id))[:limit])
        for delivery in waiting:
            delivery.next_attempt_at = now
            self._deliveries[delivery.id] = delivery
        return len(waiting)

    def due_for_status_check(self, destination: str, *, now: datetime, limit: int) -> Sequence[Delivery]:
        due = (
            it
            for it in self._deliveries.values()
            if it.destination == destination and it.status is DeliveryStatus.DELIVERED and it.next_attempt_at <= now
        )
        return copied(sorted(due, key=lambda it: (it.next_attempt_at, it.id))[:limit])

    def pending_events(
        self,
        destination: str,
        types: Collection[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Sequence[Event]:
        coming = (self._events[it.event_id] for it in self._pending(destination))
        pending = [
            event
            for event in coming
            if event.type in types and (since is None or event.at >= since) and (until is None or event.at <= until)
        ]
        return copied(sorted(pending, key=lambda event: (event.at, event.id))[:limit])

    def purge(self, *, before: datetime, limit: int) -> int:
        over = (
            it for it in self._deliveries.values() if it.status in (DeliveryStatus.DELIVERED, DeliveryStatus.SKIPPED)
        )
        old = [it for it in over if (it.delivered_at or it.created_at) < before]
        for delivery in old[:limit]:
            del self._deliveries[delivery.id]
            if all(it.event_id != delivery.event_id for it in self._deliveries.values()):
                del self._events[delivery.event_id]
        return len(old[:limit])

    def dead(self, *, limit: int) -> int:
        return min(limit, sum(it.status is DeliveryStatus.DEAD for it in self._deliveries.values()))

    def _pending(self, destination: str) -> Iterable[Delivery]:
        return (
            it
            for it in self._deliveries.values()
            if it.destination == destination and it.status is DeliveryStatus.PENDING
        )


def record(tables: Tables, event: Event, subscriptions: Sequence[Subscription]) -> None:
    """Store an event that has a recipient, and a delivery for each of the subscriptions that include it."""
    recipients = recipients_of(event, subscriptions)
    if recipients:
        tables.events[event.id] = copied(event)
    for recipient in recipients:
        coming = delivery_of(event, recipient.name, recipient.retry)
        tables.deliveries[coming.id] = coming
