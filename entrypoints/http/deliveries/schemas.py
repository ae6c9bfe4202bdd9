"""Schemas and JSON of deliveries of events."""

from typing import Any

from marshmallow.fields import Raw

from entrypoints.http.framework.fields import Body, Choice, Id, ListOf, Text, Timestamp, WholeNumber
from entrypoints.http.framework.paging import PageQuery
from unite_core.notifications.model import Delivery, DeliveryStatus

DELIVERY_EXAMPLE = {
    "id": "01990f3e-8a4b-7c1d-9e2f-0a1b5b0f0c3e",
    "event_id": "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f",
    "destination": "activity",
    "status": "dead",
    "attempts": 871,
    "next_attempt_at": None,
    "created_at": "2026-01-31T09:30:00.123456Z",
    "delivered_at": None,
    "response": {"error": "unavailable", "detail": "The activity log does not answer."},
}
REPLAYED_EXAMPLE = DELIVERY_EXAMPLE | {"status": "pending", "next_attempt_at": "2026-02-04T08:15:00Z"}

_STATUS = (
    "`pending`: waiting for delivery; `delivered`: accepted by the destination; `skipped`: no recipient, such as "
    "a user without a number; `dead`: refused, or not delivered within three days. Dead and skipped deliveries can be "
    "replayed."
)


class DeliverySchema(Body):
    """The delivery of an event to one destination."""

    id = Id(required=True)
    event_id = Id(required=True)
    destination = Text(required=True, metadata={"description": "The destination of the event."})
    status = Choice(DeliveryStatus, required=True, metadata={"description": _STATUS})
    attempts = WholeNumber(required=True, minimum=0, metadata={"description": "The number of attempts so far."})
    next_attempt_at = Timestamp(
        required=True,
        allow_none=True,
        metadata={"description": "The earliest time of the next attempt, while the delivery is pending."},
    )
    created_at = Timestamp(required=True, metadata={"description": "When the event happened."})
    delivered_at = Timestamp(required=True, allow_none=True)
    response = Raw(
        required=True,
        metadata={"type": "object", "description": "The destination's last response, or why there was none."},
    )


def delivery_json(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as `DeliverySchema` shows it."""
    pending = delivery.status is DeliveryStatus.PENDING
    return {
        "id": delivery.id,
        "event_id": delivery.event_id,
        "destination": delivery.destination,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "next_attempt_at": delivery.next_attempt_at if pending else None,
        "created_at": delivery.created_at,
        "delivered_at": delivery.delivered_at,
        "response": delivery.response,
    }


class DeliveryPageSchema(Body):
    """A page of deliveries."""

    items = ListOf(DeliverySchema, required=True)
    next_cursor = Text(required=True, allow_none=True)


class DeliveryQuery(PageQuery):
    """The filters of the list of deliveries."""

    status = Choice(DeliveryStatus)
    destination = Text(metadata={"description": "The destination's name, such as `activity`, `topic` or `texts`."})
    event_id = Id()
