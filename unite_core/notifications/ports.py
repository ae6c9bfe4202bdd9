"""Ports of notifications: deliveries, consents, destinations, activity log, topic, text messages, links."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol
from uuid import UUID

from unite_core.checks import Checked, Input
from unite_core.errors import NotFound
from unite_core.events import Event
from unite_core.identity.ports import IdentityUnitOfWork
from unite_core.notifications.delivery_reports import DeliveryReport
from unite_core.notifications.model import Delivery, DeliveryStatus, Receipt
from unite_core.notifications.subscriptions import Subscription
from unite_core.paging import Page, PageRequest
from unite_core.text import line
from unite_core.unit_of_work import UnitOfWork

MAX_NAME_LENGTH = 200
"""Characters of a destination's name in a filter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter(Input):
    """The filters of a list of deliveries; None is no filter."""

    status: DeliveryStatus | None = None
    destination: Annotated[str | None, line(MAX_NAME_LENGTH)] = None
    event_id: UUID | None = None


class Deliveries(Protocol):
    """The store of the deliveries of events to destinations; `UnitOfWork.record` creates them."""

    @abstractmethod
    def claim(
        self, destination: str, *, now: datetime, until: datetime, limit: int
    ) -> Sequence[tuple[Delivery, Event]]:
        """Claim up to `limit` pending deliveries that are due at `now`, the longest due first, until `until`.

        Concurrent claims get different deliveries; none waits for another.
        """

    @abstractmethod
    def save(self, *settled: Delivery) -> None:
        """Store the results of attempts, except those of deliveries that another relay has claimed since.

        `attempts` identifies the attempt.
        """

    @abstractmethod
    def get(self, delivery_id: UUID) -> Delivery:
        """Return the delivery, locked until a unit of work that writes ends; raise `NotFound`."""

    @abstractmethod
    def update(self, delivery: Delivery) -> None:
        """Store a delivery that this unit read and changed: it was replayed, or its destination reported on it."""

    @abstractmethod
    def page(self, filters: DeliveryFilter, request: PageRequest) -> Page[Delivery]:
        """Return a page of deliveries, newest first."""

    @abstractmethod
    def make_due(self, destination: str, *, now: datetime, limit: int) -> int:
        """Make up to `limit` deliveries due that wait for a retry and that no relay holds; return their number."""

    @abstractmethod
    def due_for_status_check(self, destination: str, *, now: datetime, limit: int) -> Sequence[Delivery]:
        """Return up to `limit` deliveries that arrived and whose status check is due at `now`, the longest due first.

        They are locked until a unit of work that writes ends. Concurrent units get different deliveries; none waits
        for another.
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
        """Return the events of these types that the destination has yet to get, oldest first (`at`, then `id`).

        With `since` and `until` only events between them, both inclusive; up to `limit` events.
        """

    @abstractmethod
    def purge(self, *, before: datetime, limit: int) -> int:
        """Delete up to `limit` deliveries that were delivered before the moment `before`; return their number.

        An event is deleted with the last of its deliveries.
        """

    @abstractmethod
    def dead(self, *, limit: int) -> int:
        """Count the dead letters, up to `limit`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(Checked):
    """A recipient's statement whether text messages may go to their number (E.164): an opt-out or a new opt-in.

    `source` identifies the statement: it is the id of the recipient's message, or of the delivery that was refused.
    """

    id: UUID
    phone: str
    opted_out: bool
    at: datetime
    source: str


class Consents(Protocol):
    """The store of opt-outs and opt-ins. It is append-only: no entry is ever changed or deleted."""

    @abstractmethod
    def add(self, consent: Consent) -> bool:
        """Store a consent; return False and store nothing if one of the same `source` is already stored."""

    @abstractmethod
    def opted_out(self, phone: str) -> bool:
        """Return whether the latest consent (`at`, then `id`) of this number is an opt-out."""


class RelayUnitOfWork(UnitOfWork, Protocol):
    """A unit of work with the store of deliveries."""

    deliveries: Deliveries


class TextsUnitOfWork(RelayUnitOfWork, IdentityUnitOfWork, Protocol):
    """A unit of work with the stores of deliveries, of users and of their consents to text messages."""

    consents: Consents


class Destination(Protocol):
    """A recipient of events, which describes itself by its `subscription`.

    A destination whose subscription has a `follow_up` has `report_of` and `look_up` as well.
    """

    subscription: Subscription

    @abstractmethod
    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        """Deliver the events; return a receipt for each, in their order. Raise `Unavailable` if none was accepted.

        `again` are the ids of the events that may have been delivered before: by a relay that died, or because the
        response was lost. An event with the same id has no second effect, as far as the destination can detect it. An
        event that is not for this destination is skipped.
        """

    def ping(self) -> None:
        """Check that the destination responds, for health checks; raise `Unavailable` if it does not."""
        return  # without it, mypy treats the method as abstract

    def report_of(self, response: Mapping[str, Any]) -> DeliveryReport | None:  # noqa: ARG002 - most report nothing
        """Return the report in a receipt's response or in a later report; None if the event cannot be looked up."""
        return None

    def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:  # noqa: ARG002 - the same
        """Return the destination's current report on a message that it accepted.

        `short_timeouts` are for a caller whose client waits. Raises `NotFound` and `Unavailable`.
        """
        raise NotFound("This destination does not report what became of events.")

    def follow_up_of(self, response: Mapping[str, Any]) -> Sequence[timedelta]:
        """Return the times since a delivery after which its status is checked; none if no detail is missing."""
        report = self.report_of(response)
        return () if report is None or report.settled else self.subscription.follow_up


def receipts_of(recipient: str, sent: Sequence[object], receipts: Sequence[Receipt]) -> Sequence[Receipt]:
    """Return the receipts; raise `ValueError` unless there is one for each thing that was sent."""
    if len(receipts) != len(sent):
        raise ValueError(
            f"{recipient} returned {len(receipts)} receipts for {len(sent)}; there has to be one for each."
        )
    return receipts


class Links(Protocol):
    """The links to the subjects of messages."""

    @abstractmethod
    def of_call_task(self, task_id: str) -> str:
        """Return the link to a call task."""

    @abstractmethod
    def of_import(self, import_id: str) -> str:
        """Return the link to an import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicMessage(Checked):
    """A message to the topic about one event: `body` is JSON (docs/events); subscribers filter by the other fields.

    `role` is the role that the event concerns, a value of `Role`. `traceparent` (W3C Trace Context) names the span of
    the delivery, for subscribers that are traced.
    """

    event_id: UUID
    type: str
    role: str
    correlation_id: str | None
    body: str
    traceparent: str | None = None


class Topic(Protocol):
    """A topic that other services subscribe to."""

    @abstractmethod
    def publish(self, messages: Sequence[TopicMessage]) -> Sequence[Receipt]:
        """Publish up to ten messages; return a receipt for each, in their order.

        The response of an accepted message has a `message_id`. Raises `Unavailable` if none was accepted, and raises
        it at once while calls to the topic are suspended after several failures.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage(Checked):
    """A text message to the number `to` (E.164) about an event at `since`; its delivery's id identifies it."""

    delivery_id: UUID
    to: str = field(repr=False)
    text: str
    since: datetime
    correlation_id: str | None = None


class TextMessages(Protocol):
    """The provider of text messages."""

    @abstractmethod
    def send(self, message: TextMessage, *, may_have_been_sent: bool = False) -> Receipt:
        """Send the message, once.

        With `may_have_been_sent` the provider is searched for the message first, and if it is there, the receipt is
        about that message. The response is the provider's own response, which `report_of` reads; it has `segments`. The
        response of a refusal has a `reason` if that is `opted_out` or `not_a_number`. Raises
        `Unavailable` if the message was, as far as is known, not sent, and raises it at once while calls to the
        provider are suspended after several failures.
        """

    @abstractmethod
    def report_of(self, response: Mapping[str, Any]) -> DeliveryReport | None:
        """Return the report in the response of `send`, in a later report of the provider, or in a stored response.

        Returns None if it names no message that can be looked up.
        """

    @abstractmethod
    def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:
        """Return the current report on a message that was sent.

        If nothing more will be reported on a delivered message, the report is complete. `short_timeouts` are for
        a caller whose client waits. Raises `NotFound` and `Unavailable`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """The events about a lead that a user may see: those of these `types`, and those of the user's calls.

    The latter are the events whose `data` has `assigned_to` with that user's id.
    """

    types: frozenset[str]
    assigned_to: UUID

    @property
    def member(self) -> str:
        """The member `assigned_to` as it is written in the JSON text of `data`, which has no spaces.

        A string value with the same text does not match, because JSON escapes its quotation marks (RFC 8259, 7).
        """
        return f'"assigned_to":"{self.assigned_to}"'


class ActivityLog(Destination, Protocol):
    """The log of all events. It accepts either all of the events that are delivered together, or none."""

    @abstractmethod
    def of_lead(self, lead_id: UUID, request: PageRequest, visible: EventFilter | None = None) -> Page[Event]:
        """Return a page of the events about a lead, newest first (`at`, then `id`), with only its id in `lead_ids`.

        With `visible` the list has only the events that match it, as if there were no others.

        Raises `Unavailable`.
        """

    @abstractmethod
    def of_import(self, import_id: UUID, request: PageRequest) -> Page[Event]:
        """Return a page of the events of an import, newest first, without its events of single leads.

        Those are the events that name the import and no lead. Raises `Unavailable`.
        """

    @abstractmethod
    def of_delivery(self, delivery_id: UUID, request: PageRequest) -> Page[Event]:
        """Return a page of the events that name a delivery, newest first; raise `Unavailable`."""

    @abstractmethod
    def purge(self, *, before: datetime, limit: int) -> int:
        """Delete up to `limit` events from before the moment `before`; return their number.

        A log that deletes old events by itself returns 0.
        """
