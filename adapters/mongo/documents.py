"""Events as MongoDB keeps them, and the indexes that their lists are read by."""

import json
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from mongoengine import (  # type: ignore[import-untyped]  # it ships no types
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
"""A document as the driver takes and gives it."""

RETENTION = "retention"
"""The name of the index by which MongoDB forgets. After how long is the installation's choice, not the document's."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_POSITION = struct.Struct(">Q16s")
_SIGN = 1 << 63


class MongoDocument(Document):  # type: ignore[misc]  # MongoEngine ships no types
    """What a collection holds, and its indexes."""

    # The adapter hands every query its collection; MongoEngine's connections, which are the process's, are left out.
    meta: ClassVar[dict[str, Any]] = {"abstract": True, "auto_create_index": False}

    @classmethod
    def collection_name(cls) -> str:
        """What the collection is called that the documents are in."""
        return str(cls._get_collection_name())

    @classmethod
    def collection_in(cls, database: Database[Stored]) -> Collection[Stored]:
        """Where the documents are."""
        return database[cls.collection_name()]

    @classmethod
    def index_models(cls) -> list[IndexModel]:
        """The indexes that the document declares, as the driver takes them."""
        return [IndexModel(spec["fields"], name=spec["name"]) for spec in cls._meta["index_specs"]]


class EventDocument(MongoDocument):
    """One event; its `_id` is the event's id, so that it is there once.

    `at` is for people and for MongoDB's own forgetting: it ends at the millisecond. `position` is exact, and sorts as a
    list does. `data` is JSON text: in a document of MongoDB's, names could not hold every character, nor numbers
    every integer.
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
        """What happened, about these leads."""
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
    """An event about leads, or about neither a lead nor an import."""

    lead_ids = ListField(UUIDField())

    meta: ClassVar[dict[str, Any]] = {
        "collection": "activity",
        "indexes": [{"name": "of_lead", "fields": ["lead_ids", "-position"]}],
    }


class ImportLogEntry(EventDocument):
    """Something that an import went through as a whole."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "import_log",
        "indexes": [{"name": "of_import", "fields": ["import_id", "-position"]}],
    }


class DeliveryLogEntry(EventDocument):
    """Something that a delivery went through, so that it can be read and searched without reading `data`.

    `status` is the delivery's own after the `attempt`-th attempt, `message_status` that of its message with whoever
    carries it; `about_id` and `about_type` are the event's that was told. SNS knows a message by its `message_id`,
    Twilio by its `sid`. `price` is text, as exact as it came.
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
    """A call as its last entry in the call ledger says it was; its `_id` is the id of its task.

    It is replaced by what a later entry says, the one with the higher `number`. Both moments end at the millisecond,
    rounded down.
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


_OF_RESPONSE = ("message_id", "sid", "segments", "price", "price_unit", "error_code", "error", "reason")


def document_of(event: Event) -> Activity | ImportLogEntry | DeliveryLogEntry:
    """The document of an event: it belongs to the log of its delivery, or of its import where it names no lead."""
    told: dict[str, Any] = {
        "id": event.id,
        "type": event.type,
        "at": event.at,
        "position": sort_key(Position(event.at, event.id)),
        "actor_id": event.actor_id,
        "correlation_id": event.correlation_id,
        "import_id": event.import_id,
        # ASCII, because half a surrogate pair has no UTF-8.
        "data": json.dumps(dict(event.data), separators=(",", ":")),
    }
    if event.delivery_id is not None:
        return DeliveryLogEntry(**told, **_delivery_fields(event))
    if event.import_id is not None and not event.lead_ids:
        return ImportLogEntry(**told)
    return Activity(lead_ids=list(event.lead_ids), **told)


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
        **{name: response.get(name) for name in _OF_RESPONSE},
    }


def sort_key(position: Position) -> bytes:
    """24 bytes that sort as positions do: microseconds since 1970, the earliest first, then the id.

    A page then begins with one range of one index key, where two keys would take a choice of conditions.
    """
    microseconds = (position.at - _EPOCH) // _MICROSECOND
    return _POSITION.pack(microseconds + _SIGN, position.id.bytes)


def moment_of(key: bytes) -> datetime:
    """The moment in a `sort_key`."""
    shifted: int = _POSITION.unpack(key)[0]
    return _EPOCH + (shifted - _SIGN) * _MICROSECOND
