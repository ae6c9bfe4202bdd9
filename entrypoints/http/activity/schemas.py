"""Schemas and JSON of activity events."""

from typing import Any

from marshmallow import fields

from entrypoints.http.deliveries.schemas import DELIVERY_EXAMPLE
from entrypoints.http.framework.fields import Body, Id, ListOf, Text, Timestamp
from unite_core.events import Event

EVENT_EXAMPLE = {
    "id": "01990f3e-bd7e-7f40-8b5c-3d4e5f607182",
    "type": "lead.changed",
    "at": "2026-01-31T09:30:00.123456Z",
    "actor_id": "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f",
    "correlation_id": "4c8e6a1f0b2d4f3e9a7c5b1d3e2f4a6b",
    "import_id": None,
    "delivery_id": None,
    "data": {"status": {"from": "new", "to": "contacted"}},
}
IMPORT_EVENT_EXAMPLE = {
    **EVENT_EXAMPLE,
    "type": "import.started",
    "import_id": "0190a6f0-5c1e-7b3a-9f24-6d2f8f0c1a77",
    "data": {"filename": "leads-march.csv", "size": 48213},
}

DELIVERY_EVENT_EXAMPLE = {
    **EVENT_EXAMPLE,
    "type": "delivery.answered",
    "actor_id": None,
    "delivery_id": DELIVERY_EXAMPLE["id"],
    "data": {
        "destination": "texts",
        "event_id": DELIVERY_EXAMPLE["event_id"],
        "event_type": "call_task.assigned",
        "attempt": 1,
        "status": "delivered",
        "response": {"sid": "SM0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e", "status": "queued", "segments": 1},
    },
}


class EventSchema(Body):
    """An event of the activity log."""

    id = Id(required=True)
    type = Text(
        required=True, metadata={"description": "The type of the event. Types do not change; new ones may be added."}
    )
    at = Timestamp(required=True)
    actor_id = Id(
        required=True,
        allow_none=True,
        metadata={
            "description": "The user who caused the event. It is null where the service itself did, and where an "
            "agent reads an event that another user caused."
        },
    )
    correlation_id = Text(
        required=True, allow_none=True, metadata={"description": "The correlation id of the request that caused it."}
    )
    import_id = Id(required=True, allow_none=True, metadata={"description": "The import that caused it."})
    delivery_id = Id(required=True, allow_none=True, metadata={"description": "The delivery that it is about."})
    data = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata={"description": "The details of the event; they depend on `type`."},
    )


class ActivityPageSchema(Body):
    """A page of activity events."""

    items = ListOf(EventSchema, required=True)
    next_cursor = Text(required=True, allow_none=True)


def event_json(event: Event) -> dict[str, Any]:
    """Return an event as `EventSchema` shows it."""
    return {
        "id": event.id,
        "type": event.type,
        "at": event.at,
        "actor_id": event.actor_id,
        "correlation_id": event.correlation_id,
        "import_id": event.import_id,
        "delivery_id": event.delivery_id,
        "data": event.data,
    }
