"""MongoDB documents for events and calls, with their fields and indexes."""

import json
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from mongoengine import (  # type: ignore[import-untyped]  # the package ships no types
    BinaryField,
    DateTimeField,
    Document,
    DynamicField,
    IntField,
    ListField,
    StringField,
    UUIDField,
)
from pymongo import IndexModel
from pymongo.collection import Collection
from pymongo.database import Database

from unite_core.events import Event
from unite_core.paging import Position

Stored = dict[str, Any]
"""A document in the form of the driver."""

RETENTION = "retention"
"""The name of the TTL index. The TTL is a setting of the installation, so that it is not declared here."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_POSITION = struct.Struct(">Q16s")
_SIGN = 1 << 63


class MongoDocument(Document):  # type: ignore[misc]  # MongoEngine ships no types
    """Base of all documents: the name of the collection, and the declared indexes."""

    # Every query gets its collection from the adapter. MongoEngine's global connections are not used.
    meta: ClassVar[dict[str, Any]] = {"abstract": True, "auto_create_index": False}

    @classmethod
    def collection_name(cls) -> str:
        """Return the name of the collection."""
        return str(cls._get_collection_name())

    @classmethod
    def collection_in(cls, database: Database[Stored]) -> Collection[Stored]:
        """Return the collection in this database."""
        return database[cls.collection_name()]

    @classmethod
    def index_models(cls) -> list[IndexModel]:
        """Return the declared indexes in the form of the driver."""
        return [IndexModel(spec["fields"], name=spec["name"]) for spec in cls._meta["index_specs"]]


class EventDocument(MongoDocument):
    """An event. `_id` is the id of the event, so that each is stored once.

    `at` has milliseconds only; it is for people and for the TTL index. `position` is exact, and lists sort by it.
    `data` is JSON text, because field names in MongoDB cannot contain every character, nor numbers every integer.
    """

    id = UUIDField(primary_key=True)
    type = StringField(required=True)
    at = DateTimeField(required=True)
    position = BinaryField(required=True)
    actor_id = UUIDField()
    correlation_id = StringField()
    import_id = UUIDField()
    data = StringField(required=True)

    meta: ClassVar[dict[str, Any]] = {"abstract": True, "auto_create_index": False}

    def event(self, lead_ids: tuple[UUID, ...] = ()) -> Event:
        """Return the event, about these leads."""
        return Event(
            id=self.id,
            type=self.type,
            at=moment_of(self.position),
            actor_id=self.actor_id,
            correlation_id=self.correlation_id,
            lead_ids=lead_ids,
            import_id=self.import_id,
            data=json.loads(self.data),
        )


class Activity(EventDocument):
    """An event about leads, or about neither leads nor an import."""

    lead_ids = ListField(UUIDField())

    meta: ClassVar[dict[str, Any]] = {
        "collection": "activity",
        "indexes": [{"name": "of_lead", "fields": ["lead_ids", "-position"]}],
    }


class ImportLogEntry(EventDocument):
    """An event about an import as a whole."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "import_log",
        "indexes": [{"name": "of_import", "fields": ["import_id", "-position"]}],
    }


class DeliveryLogEntry(EventDocument):
    """An event about a delivery, with fields of its own, so that it can be searched without reading `data`.

    `status` is the status of the delivery after attempt number `attempt`; `message_status` is the status of the message
    at its carrier. `about_id` and `about_type` are those of the delivered event. `message_id` identifies the message at
    SNS, `sid` at Twilio. `price` is text, so that it stays exact.
    """

    delivery_id = UUIDField(required=True)
    destination = StringField()
    about_id = StringField()
    about_type = StringField()
    attempt = IntField()
    status = StringField()
    message_id = StringField()
    sid = StringField()
    message_status = StringField()
    segments = IntField()
    price = StringField()
    price_unit = StringField()
    error_code = DynamicField()
    error = StringField()
    reason = StringField()

    meta: ClassVar[dict[str, Any]] = {
        "collection": "delivery_log",
        "indexes": [{"name": "of_delivery", "fields": ["delivery_id", "-position"]}],
    }

    def event(self, lead_ids: tuple[UUID, ...] = ()) -> Event:
        return replace(super().event(lead_ids), delivery_id=self.delivery_id)


class CallLogEntry(MongoDocument):
    """A call, by the last entry of its task in the call ledger. `_id` is the id of the task.

    A later entry, with a higher `number`, replaces it. `called_at` and `at` are rounded down to the millisecond.
    """

    id = UUIDField(primary_key=True)
    task_id = UUIDField(required=True)
    entry_id = UUIDField(required=True)
    number = IntField(required=True)
    kind = StringField(required=True)
    result = StringField(required=True)
    outcome = StringField()
    agent_id = UUIDField()
    duration_seconds = IntField()
    called_at = DateTimeField(required=True)
    at = DateTimeField(required=True)
    source = StringField()
    attempt = IntField()
    hash = StringField(required=True)

    meta: ClassVar[dict[str, Any]] = {
        "collection": "call_log",
        "indexes": [
            {"name": "called", "fields": ["called_at", "agent_id"]},
            {"name": "of_agent", "fields": ["agent_id", "called_at"]},
            {"name": "of_task", "fields": ["task_id"]},
        ],
    }


_RESPONSE_FIELDS = ("message_id", "sid", "segments", "price", "price_unit", "error_code", "error", "reason")


def document_of(event: Event) -> Activity | ImportLogEntry | DeliveryLogEntry:
    """Return the document of an event: for the log of its delivery, of its import if it names no lead, or of leads."""
    fields: dict[str, Any] = {
        "id": event.id,
        "type": event.type,
        "at": event.at,
        "position": sort_key(Position(event.at, event.id)),
        "actor_id": event.actor_id,
        "correlation_id": event.correlation_id,
        "import_id": event.import_id,
        # In ASCII, because a lone surrogate cannot be encoded in UTF-8.
        "data": json.dumps(dict(event.data), separators=(",", ":")),
    }
    if event.delivery_id is not None:
        return DeliveryLogEntry(**fields, **_delivery_fields(event))
    if event.import_id is not None and not event.lead_ids:
        return ImportLogEntry(**fields)
    return Activity(lead_ids=list(event.lead_ids), **fields)


def _delivery_fields(event: Event) -> dict[str, Any]:
    response = event.data.get("response") or {}
    return {
        "delivery_id": event.delivery_id,
        "destination": event.data.get("destination"),
        "about_id": event.data.get("event_id"),
        "about_type": event.data.get("event_type"),
        "attempt": event.data.get("attempt"),
        "status": event.data.get("status"),
        "message_status": response.get("status"),
        **{name: response.get(name) for name in _RESPONSE_FIELDS},
    }


def sort_key(position: Position) -> bytes:
    """Return 24 bytes that sort as positions do: microseconds since 1970, then the id.

    With one key a page is one range of an index. Two keys would need a condition with OR.
    """
    microseconds = (position.at - _EPOCH) // _MICROSECOND
    return _POSITION.pack(microseconds + _SIGN, position.id.bytes)


def moment_of(key: bytes) -> datetime:
    """Return the moment in a `sort_key`."""
    shifted: int = _POSITION.unpack(key)[0]
    return _EPOCH + (shifted - _SIGN) * _MICROSECOND
