"""Activity log in memory."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock
from uuid import UUID

from unite_core.events import Event
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import ActivityLog, EventFilter
from unite_core.notifications.subscriptions import ACTIVITY_SUBSCRIPTION
from unite_core.paging import Page, PageRequest, Position
from unite_core.reports.documents import CallDocuments, documents_of
from unite_core.testing.in_memory.copies import copied
from unite_core.testing.in_memory.tables import newest_first


class InMemoryActivityLog(ActivityLog):
    """An activity log that deletes nothing by itself; with `documents` it stores those of calls there."""

    subscription = ACTIVITY_SUBSCRIPTION

    def __init__(self, documents: CallDocuments | None = None) -> None:
        self._documents = documents
        self.events: dict[UUID, Event] = {}
        self._lock = Lock()

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:  # noqa: ARG002 - the log recognises repeated events by itself
        with self._lock:
            for event in events:
                self.events.setdefault(event.id, copied(event))
        if self._documents is not None:
            self._documents.store(documents_of(events))
        return [Receipt(accepted=True)] * len(events)

    def of_lead(self, lead_id: UUID, request: PageRequest, visible: EventFilter | None = None) -> Page[Event]:
        def matches(event: Event) -> bool:
            return lead_id in event.lead_ids and (visible is None or _is_visible(event, visible))

        return self._page(matches, request, (lead_id,))

    def of_import(self, import_id: UUID, request: PageRequest) -> Page[Event]:
        return self._page(lambda event: event.import_id == import_id and not event.lead_ids, request, ())

    def of_delivery(self, delivery_id: UUID, request: PageRequest) -> Page[Event]:
        return self._page(lambda event: event.delivery_id == delivery_id, request, ())

    def purge(self, *, before: datetime, limit: int) -> int:
        with self._lock:
            old = [event.id for event in self.events.values() if event.at < before][:limit]
            for event_id in old:
                del self.events[event_id]
        return len(old)

    def _page(self, matches: Callable[[Event], bool], request: PageRequest, lead_ids: tuple[UUID, ...]) -> Page[Event]:
        with self._lock:
            events = [replace(event, lead_ids=lead_ids) for event in self.events.values() if matches(event)]
        return newest_first(events, request, lambda event: Position(event.at, event.id))


def _is_visible(event: Event, visible: EventFilter) -> bool:
    return event.type in visible.types or visible.member in json.dumps(dict(event.data), separators=(",", ":"))
