"""What notifications need from outside: stores, destinations, messages and links."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from unite_core.errors import NotFound
from unite_core.events import Event
from unite_core.identity.ports import IdentityUnitOfWork
from unite_core.notifications.delivery_reports import DeliveryReport
from unite_core.notifications.model import Delivery, DeliveryStatus, Receipt
from unite_core.notifications.subscriptions import Subscription
from unite_core.paging import Page, PageRequest
from unite_core.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries a list holds; None where it does not matter."""

    status: DeliveryStatus | None = None
    destination: str | None = None
    event_id: UUID | None = None


class Deliveries(Protocol):
    """Every event on its way to every destination; `UnitOfWork.record` makes them."""

    @abstractmethod
    def claim(
        self, destination: str, *, now: datetime, until: datetime, limit: int
    ) -> Sequence[tuple[Delivery, Event]]:
        """Up to `limit` pending deliveries that are due at `now`, the longest due first, held until the moment `until`.

        Of several that claim at the same time each gets others; none waits for another.
        """

    @abstractmethod
    def save(self, *settled: Delivery) -> None:
        """Store what became of attempts; of one that another relay has claimed since nothing is stored.

        Which attempt it was tells `attempts`.
        """

    @abstractmethod
    def get(self, delivery_id: UUID) -> Delivery:
        """The delivery, held until a unit of work that writes ends; raises `NotFound`."""

    @abstractmethod
    def put_back(self, delivery: Delivery) -> None:
        """Store a delivery that this unit got and changed: it was replayed, or the other side told more of it."""

    @abstractmethod
    def page(self, filters: DeliveryFilter, request: PageRequest) -> Page[Delivery]:
        """A page of deliveries, newest first."""

    @abstractmethod
    def hasten(self, destination: str, *, now: datetime, limit: int) -> int:
        """Make up to `limit` deliveries due that wait after a failure and that no relay holds; how many there were."""

    @abstractmethod
    def to_follow(self, destination: str, *, now: datetime, limit: int) -> Sequence[Delivery]:
        """Up to `limit` deliveries that arrived and are to be asked after by `now`, the longest due first.

        They are held until a unit of work that writes ends. Of several that ask at the same time each gets others; none
        waits for another.
        """

    @abstractmethod
    def pending_events(
        self,
        destination: str,
        types: Collection[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Sequence[Event]:
        """The events of these types that are on their way to the destination, the oldest first (`at`, then `id`).

        With `since` and `until` only those of the moments between them, both included; up to `limit` of them.
        """

    @abstractmethod
    def purge(self, *, before: datetime, limit: int) -> int:
        """Forget up to `limit` deliveries that arrived before the moment `before`; how many there were.

        An event goes with the last of its deliveries.
        """

    @abstractmethod
    def dead(self, *, limit: int) -> int:
        """How many dead letters there are, counted up to `limit`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Somebody's word on whether text messages may go to their number (E.164): `opted_out`, or in again.

    `source` is what they said it by, which tells it from all others: the id of their message, or of the delivery that
    was refused.
    """

    id: UUID
    phone: str
    opted_out: bool
    at: datetime
    source: str


class Consents(Protocol):
    """What people said about text messages to their numbers. Nothing of it is changed or forgotten."""

    @abstractmethod
    def add(self, consent: Consent) -> bool:
        """Keep what somebody said; False, and nothing happens, where it was kept before (the same `source`)."""

    @abstractmethod
    def opted_out(self, phone: str) -> bool:
        """Whether the latest word (`at`, then `id`) about this number is that nothing may be sent to it."""


class RelayUnitOfWork(UnitOfWork, Protocol):
    """A unit of work that reaches deliveries."""

    deliveries: Deliveries


class TextsUnitOfWork(RelayUnitOfWork, IdentityUnitOfWork, Protocol):
    """A unit of work that reaches those who get text messages too, and what they said about that."""

    consents: Consents


class Destination(Protocol):
    """A recipient of events, which describes itself by its `subscription`.

    A destination whose subscription has a `follow_up` has `report_of` and `look_up` as well.
    """

    subscription: Subscription

    @abstractmethod
    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        """Hand the events over; a receipt for each, in their order. Raises `Unavailable` where none was taken.

        `again` are the ids of those that may have been handed over before: by a relay that died, or where the answer
        was lost. An event that comes a second time, known by its id, has no second effect as far as the other side can
        tell. An event that is not for this destination is skipped.
        """

    def ping(self) -> None:
        """Ask whether the destination answers, for health checks; raises `Unavailable` where it does not."""
        return  # else mypy takes the method for an abstract one

    def report_of(self, response: Mapping[str, Any]) -> DeliveryReport | None:  # noqa: ARG002 - most report nothing
        """What a receipt's response, or a later report, says; None where the other side cannot be asked about it."""
        return None

    def look_up(self, message_id: str, *, hurried: bool = False) -> DeliveryReport:  # noqa: ARG002 - the same
        """What the other side knows by now about what it took.

        `hurried` where a client waits for the answer: then it is given up soon. Raises `NotFound` and `Unavailable`.
        """
        raise NotFound("This destination does not report what became of events.")

    def follow_up_of(self, response: Mapping[str, Any]) -> Sequence[timedelta]:
        """The times since a delivery after which the other side is asked about it; none where nothing is missing."""
        report = self.report_of(response)
        return () if report is None or report.settled else self.subscription.follow_up


class Links(Protocol):
    """Links to what messages are about."""

    @abstractmethod
    def of_call_task(self, task_id: str) -> str:
        """The link to a call task."""

    @abstractmethod
    def of_import(self, import_id: str) -> str:
        """The link to an import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicMessage:
    """A message to the topic about one event: `body` is JSON (docs/events), subscribers filter by the rest.

    `role` is the role that the event concerns, a value of `Role`.
    """

    event_id: UUID
    type: str
    role: str
    correlation_id: str | None
    body: str


class Topic(Protocol):
    """A topic that other services subscribe to."""

    @abstractmethod
    def publish(self, messages: Sequence[TopicMessage]) -> Sequence[Receipt]:
        """Publish up to ten messages; a receipt for each, in their order.

        The response of one that was taken has a `message_id`. Raises `Unavailable` where none was taken, and at once
        while the topic is left alone because it failed several times.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage:
    """A text message to the number `to` (E.164), about what happened at `since`; it goes by its delivery's id."""

    delivery_id: UUID
    to: str = field(repr=False)
    text: str
    since: datetime
    correlation_id: str | None = None


class TextMessages(Protocol):
    """The provider that carries text messages."""

    @abstractmethod
    def send(self, message: TextMessage, *, look_first: bool = False) -> Receipt:
        """Send the message, once.

        With `look_first` it may have been sent before: then it is looked for first, and the answer is about the message
        that was found. The response is the provider's answer in its own words, which `report_of` reads; it has
        `segments`. The response of a refusal has a `reason` where that is `opted_out` or `not_a_number`. Raises
        `Unavailable` where it was not sent as far as anybody can tell, and at once while the provider is left alone
        because it failed several times.
        """

    @abstractmethod
    def report_of(self, response: Mapping[str, Any]) -> DeliveryReport | None:
        """What the response of `send`, a report that the provider sent later, or a stored one says.

        None where it names no message that can be looked up.
        """

    @abstractmethod
    def look_up(self, message_id: str, *, hurried: bool = False) -> DeliveryReport:
        """What is known by now of a message that was sent.

        Where nothing more will be reported of one that arrived, the report is complete. `hurried` where a client waits
        for the answer: then it is given up soon. Raises `NotFound` and `Unavailable`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events about a lead somebody may see: those of these `types`, and those of one user's calls.

    The latter are the events whose `data` has `assigned_to` with that user's id.
    """

    types: frozenset[str]
    assigned_to: UUID

    @property
    def member(self) -> str:
        """The member `assigned_to` as it stands in JSON text of `data` that has no blanks.

        A string that says the same is no match: JSON escapes the quotation marks in it (RFC 8259, 7).
        """
        return f'"assigned_to":"{self.assigned_to}"'


class ActivityLog(Destination, Protocol):
    """What has happened, as it can be read back. It takes every event, all of those handed over or none."""

    @abstractmethod
    def of_lead(self, lead_id: UUID, request: PageRequest, visible: EventFilter | None = None) -> Page[Event]:
        """A page of the events about a lead, newest first (`at`, then `id`); of their `lead_ids` this one alone.

        With `visible` the list is that of the events which meet it, as if there were no others.

        Raises `Unavailable`.
        """

    @abstractmethod
    def of_import(self, import_id: UUID, request: PageRequest) -> Page[Event]:
        """A page of what an import went through, newest first, without what it did to single leads.

        Those are the events that name the import and no lead. Raises `Unavailable`.
        """

    @abstractmethod
    def of_delivery(self, delivery_id: UUID, request: PageRequest) -> Page[Event]:
        """A page of what a delivery went through, newest first: the events that name it. Raises `Unavailable`."""

    @abstractmethod
    def purge(self, *, before: datetime, limit: int) -> int:
        """Forget up to `limit` events from before the moment `before`; how many there were.

        Whatever forgets by itself returns 0.
        """
