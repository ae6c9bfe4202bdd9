"""The activity log in MongoDB."""

import logging
from collections.abc import Collection as Ids
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from unite_core.paging import Page, PageRequest, Position, page_of
from unite_core.reports.documents import documents_of

log = logging.getLogger(__name__)

E = TypeVar("E", bound=EventDocument)

_DOCUMENTS: tuple[type[EventDocument], ...] = (Activity, ImportLogEntry, DeliveryLogEntry)

COLLECTIONS = tuple(kind.collection_name() for kind in _DOCUMENTS)
"""The collections that the log is made of."""

_DUPLICATE_KEY = 11000
_UNAUTHORIZED = 13

_MAX_RETENTION = 2**31 - 1
"""The most seconds that MongoDB takes: 68 years."""


class MongoActivityLog(ActivityLog):
    """Documents by the id of their event, in the collections `activity`, `import_log` and `delivery_log`.

    MongoDB itself forgets what is older than `retention`, within about a minute; with None nothing is forgotten. What
    became of calls goes to the call documents in `call_log` as well, and stays there.
    """

    at_once = 200

    def __init__(self, mongo: Mongo, *, retention: timedelta | None = None) -> None:
        self._mongo = mongo
        self._calls = MongoCallDocuments(mongo)
        self._kept_for = retention
        self._prepared = False
        self._failing = False

    def prepare(self) -> None:
        """Make the collections, their indexes and how long they are kept what they are to be; safe to repeat.

        Raises `Unavailable`. The first delivery does it where nobody has done it before. Where the account may not, a
        warning says so, and everything stays as it is.
        """
        self._mongo.call(self._prepare)
        self._prepared = True

    def deliver(self, events: Sequence[Event], again: Ids[UUID] = ()) -> Sequence[Receipt]:  # noqa: ARG002 - a log knows by itself what it has
        if not events:
            return []
        documents = [document_of(event) for event in events]
        with self._failures_told():
            if not self._prepared:
                self.prepare()
            for kind in _DOCUMENTS:
                self._store(kind, [document for document in documents if isinstance(document, kind)])
            self._calls.store(documents_of(events))
        return [Receipt(taken=True)] * len(events)

    @contextmanager
    def _failures_told(self) -> Iterator[None]:
        # A relay tries again and again: it is told once, and once more when it is over.
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
        def ask(database: Database[Stored]) -> list[Activity]:
            about = _newest_first(Activity, database, request).filter(lead_ids=lead_id)
            if visible is not None:
                about = about.filter(Q(type__in=sorted(visible.types)) | Q(data__contains=visible.member))
            return list(about.exclude("lead_ids"))

        found = [activity.event((lead_id,)) for activity in self._mongo.call(ask)]
        return page_of(found, request.limit, _position)

    def of_import(self, import_id: UUID, request: PageRequest) -> Page[Event]:
        def ask(database: Database[Stored]) -> list[ImportLogEntry]:
            return list(_newest_first(ImportLogEntry, database, request).filter(import_id=import_id))

        found = [entry.event() for entry in self._mongo.call(ask)]
        return page_of(found, request.limit, _position)

    def of_delivery(self, delivery_id: UUID, request: PageRequest) -> Page[Event]:
        def ask(database: Database[Stored]) -> list[DeliveryLogEntry]:
            return list(_newest_first(DeliveryLogEntry, database, request).filter(delivery_id=delivery_id))

        found = [entry.event() for entry in self._mongo.call(ask)]
        return page_of(found, request.limit, _position)

    def purge(self, *, before: datetime, limit: int) -> int:  # noqa: ARG002 - MongoDB forgets by itself
        return 0

    def _store(self, kind: type[EventDocument], documents: Sequence[EventDocument]) -> None:
        """Store all of these documents that are not there yet, in one round trip."""
        if documents:
            stored = [document.to_mongo() for document in documents]
            self._mongo.call(lambda database: _insert_new(kind.collection_in(database), stored))

    def _prepare(self, database: Database[Stored]) -> None:
        for kind in _DOCUMENTS:
            with _warned_where_not_allowed(kind):
                indexes = _bring_indexes(kind, database)
                self._set_retention(kind.collection_in(database), indexes.get(RETENTION))
        with _warned_where_not_allowed(CallLogEntry):
            _bring_indexes(CallLogEntry, database)

    def _set_retention(self, collection: Collection[Stored], is_now: Mapping[str, Any] | None) -> None:
        if self._kept_for is None:
            if is_now is not None:
                collection.drop_index(RETENTION)
            return
        seconds = min(self._kept_for // timedelta(seconds=1), _MAX_RETENTION)
        if is_now is None:
            collection.create_index("at", name=RETENTION, expireAfterSeconds=seconds)
        elif is_now["expireAfterSeconds"] != seconds:
            # Dropped and made anew, it would be built over the whole collection.
            changed = {"name": RETENTION, "expireAfterSeconds": seconds}
            collection.database.command("collMod", collection.name, index=changed)


@contextmanager
def _warned_where_not_allowed(kind: type[MongoDocument]) -> Iterator[None]:
    try:
        yield
    except OperationFailure as error:
        if error.code != _UNAUTHORIZED:
            raise
        # The log works nevertheless, only slower, or it remembers for longer than it should.
        log.warning(
            "The account on MongoDB may not bring the indexes of %s up to date; run `migrate`, which may.",
            kind.collection_name(),
        )


def _bring_indexes(kind: type[MongoDocument], database: Database[Stored]) -> Mapping[str, Any]:
    """Make the declared indexes that are missing; what there was before, by name."""
    collection = kind.collection_in(database)
    indexes = collection.index_information()
    missing = [model for model in kind.index_models() if model.document["name"] not in indexes]
    if missing:
        collection.create_indexes(missing)
    return indexes


def _newest_first(kind: type[E], database: Database[Stored], request: PageRequest) -> Any:
    """A query for one document more than the page holds, which tells whether there is a next one."""
    query = QuerySet(kind, kind.collection_in(database)).order_by("-position").limit(request.limit + 1)
    return query if request.after is None else query.filter(position__lt=sort_key(request.after))


def _insert_new(collection: Collection[Stored], documents: Sequence[Stored]) -> None:
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        # What is there already came before; everything else was stored nevertheless, as nothing was in order.
        if error.details["writeConcernErrors"] or any(
            each["code"] != _DUPLICATE_KEY for each in error.details["writeErrors"]
        ):
            raise


def _position(event: Event) -> Position:
    return Position(event.at, event.id)
