"""The activity log in MongoDB."""

import logging
from collections.abc import Collection as Ids
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from mongoengine.queryset import Q, QuerySet  # type: ignore[import-untyped]  # it ships no types
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, OperationFailure

from adapters.mongo.calls import MongoCallDocuments
from adapters.mongo.connection import Mongo
from adapters.mongo.documents import (
    RETENTION,
    Activity,
    CallLogEntry,
    DeliveryLogEntry,
    EventDocument,
    ImportLogEntry,
    MongoDocument,
    Stored,
    document_of,
    sort_key,
)
from unite_core.errors import Unavailable
from unite_core.events import Event
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import ActivityLog, EventFilter
from unite_core.notifications.subscriptions import ACTIVITY_SUBSCRIPTION, Subscription
from unite_core.paging import Page, PageRequest, Position, page_of
from unite_core.reports.documents import documents_of

log = logging.getLogger(__name__)

E = TypeVar("E", bound=EventDocument)

_DOCUMENTS: tuple[type[EventDocument], ...] = (Activity, ImportLogEntry, DeliveryLogEntry)

COLLECTIONS = tuple(kind.collection_name() for kind in _DOCUMENTS)
"""The names of the collections of the activity log."""

_DUPLICATE_KEY = 11000
_UNAUTHORIZED = 13

_MAX_RETENTION_SECONDS = 2**31 - 1
"""MongoDB's limit: 68 years."""


class MongoActivityLog(ActivityLog):
    """The activity log in the collections `activity`, `import_log` and `delivery_log`; `_id` is the id of the event.

    MongoDB removes events that are older than `retention`, within about a minute; with None it removes none. Results of
    calls are also written to the call documents in `call_log`, and are not removed there.
    """

    subscription: Subscription = replace(ACTIVITY_SUBSCRIPTION, batch_size=200)

    def __init__(self, mongo: Mongo, *, retention: timedelta | None = None) -> None:
        self._mongo = mongo
        self._calls = MongoCallDocuments(mongo)
        self._retention = retention
        self._prepared = False
        self._failing = False

    def prepare(self) -> None:
        """Create the collections and indexes, and set their retention; safe to repeat.

        Raises `Unavailable`. The first delivery of a process calls it where nothing else has. Where the account lacks
        the privilege, a warning is logged and nothing changes.
        """
        self._mongo.call(self._prepare)
        self._prepared = True

    def deliver(self, events: Sequence[Event], again: Ids[UUID] = ()) -> Sequence[Receipt]:  # noqa: ARG002 - documents that exist already are found by their id
        if not events:
            return []
        documents = [document_of(event) for event in events]
        with self._log_outage():
            if not self._prepared:
                self.prepare()
            for kind in _DOCUMENTS:
                self._store(kind, [document for document in documents if isinstance(document, kind)])
            self._calls.store(documents_of(events))
        return [Receipt(accepted=True)] * len(events)

    @contextmanager
    def _log_outage(self) -> Iterator[None]:
        # A relay retries again and again. Only the beginning and the end of an outage are logged.
        try:
            yield
        except Unavailable as error:
            if not self._failing:
                log.warning("The activity log takes no events, which wait meanwhile: %s", error.detail)
            self._failing = True
            raise
        if self._failing:
            log.info("The activity log takes events again.")
        self._failing = False

    def of_lead(self, lead_id: UUID, request: PageRequest, visible: EventFilter | None = None) -> Page[Event]:
        def query(database: Database[Stored]) -> list[Activity]:
            events = _newest_first(Activity, database, request).filter(lead_ids=lead_id)
            if visible is not None:
                events = events.filter(Q(type__in=sorted(visible.types)) | Q(data__contains=visible.member))
            return list(events.exclude("lead_ids"))

        events = [activity.event((lead_id,)) for activity in self._mongo.call(query)]
        return page_of(events, request.limit, _position)

    def of_import(self, import_id: UUID, request: PageRequest) -> Page[Event]:
        def query(database: Database[Stored]) -> list[ImportLogEntry]:
            return list(_newest_first(ImportLogEntry, database, request).filter(import_id=import_id))

        events = [entry.event() for entry in self._mongo.call(query)]
        return page_of(events, request.limit, _position)

    def of_delivery(self, delivery_id: UUID, request: PageRequest) -> Page[Event]:
        def query(database: Database[Stored]) -> list[DeliveryLogEntry]:
            return list(_newest_first(DeliveryLogEntry, database, request).filter(delivery_id=delivery_id))

        events = [entry.event() for entry in self._mongo.call(query)]
        return page_of(events, request.limit, _position)

    def purge(self, *, before: datetime, limit: int) -> int:  # noqa: ARG002 - MongoDB removes old documents by itself
        return 0

    def _store(self, kind: type[EventDocument], documents: Sequence[EventDocument]) -> None:
        """Insert the documents that do not exist yet, in one round trip."""
        if documents:
            stored = [document.to_mongo() for document in documents]
            self._mongo.call(lambda database: _insert_new(kind.collection_in(database), stored))

    def _prepare(self, database: Database[Stored]) -> None:
        for kind in _DOCUMENTS:
            with _warn_if_unauthorized(kind):
                indexes = _create_missing_indexes(kind, database)
                self._set_retention(kind.collection_in(database), indexes.get(RETENTION))
        with _warn_if_unauthorized(CallLogEntry):
            _create_missing_indexes(CallLogEntry, database)

    def _set_retention(self, collection: Collection[Stored], current: Mapping[str, Any] | None) -> None:
        if self._retention is None:
            if current is not None:
                collection.drop_index(RETENTION)
            return
        seconds = min(self._retention // timedelta(seconds=1), _MAX_RETENTION_SECONDS)
        if current is None:
            collection.create_index("at", name=RETENTION, expireAfterSeconds=seconds)
        elif current["expireAfterSeconds"] != seconds:
            # To drop and create the index again would build it over the whole collection.
            changed = {"name": RETENTION, "expireAfterSeconds": seconds}
            collection.database.command("collMod", collection.name, index=changed)


@contextmanager
def _warn_if_unauthorized(kind: type[MongoDocument]) -> Iterator[None]:
    try:
        yield
    except OperationFailure as error:
        if error.code != _UNAUTHORIZED:
            raise
        # The log still works, but it may be slower, or may store events for longer than configured.
        log.warning(
            "The account on MongoDB may not bring the indexes of %s up to date; run `migrate`, which may.",
            kind.collection_name(),
        )


def _create_missing_indexes(kind: type[MongoDocument], database: Database[Stored]) -> Mapping[str, Any]:
    """Create the declared indexes that are missing; return those that existed before, by name."""
    collection = kind.collection_in(database)
    indexes = collection.index_information()
    missing = [model for model in kind.index_models() if model.document["name"] not in indexes]
    if missing:
        collection.create_indexes(missing)
    return indexes


def _newest_first(kind: type[E], database: Database[Stored], request: PageRequest) -> Any:
    """Return a query for one document more than fits on the page, which shows whether there is a next page."""
    query = QuerySet(kind, kind.collection_in(database)).order_by("-position").limit(request.limit + 1)
    return query if request.after is None else query.filter(position__lt=sort_key(request.after))


def _insert_new(collection: Collection[Stored], documents: Sequence[Stored]) -> None:
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        # A duplicate was stored by an earlier attempt. With `ordered=False` all other documents are stored.
        if error.details["writeConcernErrors"] or any(
            each["code"] != _DUPLICATE_KEY for each in error.details["writeErrors"]
        ):
            raise


def _position(event: Event) -> Position:
    return Position(event.at, event.id)
