"""The events of deliveries, which only the activity log gets."""

from datetime import datetime
from typing import Any
from uuid import UUID

from unite_core.events import Event
from unite_core.notifications.model import Delivery

ANSWERED = "delivery.answered"
REPORTED = "delivery.reported"


def delivery_answered(event_id: UUID, at: datetime, delivery: Delivery, event: Event) -> Event:
    """Return the event that a destination responded to an attempt; `data` holds the response and the new status."""
    return Event(
        id=event_id,
        type=ANSWERED,
        at=at,
        correlation_id=event.correlation_id,
        traceparent=event.traceparent,
        delivery_id=delivery.id,
        data={**_of(delivery), "event_type": event.type},
    )


def delivery_reported(event_id: UUID, at: datetime, delivery: Delivery) -> Event:
    """Return the event that a destination reported on a delivery that it accepted; `data` holds all that is known."""
    return Event(
        id=event_id,
        type=REPORTED,
        at=at,
        correlation_id=delivery.correlation_id,
        delivery_id=delivery.id,
        data=_of(delivery),
    )


def _of(delivery: Delivery) -> dict[str, Any]:
    return {
        "destination": delivery.destination,
        "event_id": str(delivery.event_id),
        "attempt": delivery.attempts,
        "status": delivery.status.value,
        "response": delivery.response,
    }
