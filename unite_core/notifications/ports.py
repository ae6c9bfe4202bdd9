"""What it takes to tell others of events."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from unite_core.events import Event
from unite_core.notifications.model import Delivery, DeliveryStatus, Receipt
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
    def save(self, delivery: Delivery) -> None:
        """Store what became of an attempt; of one that another relay has claimed since nothing is stored.

        Which attempt it was tells `attempts`.
        """

    @abstractmethod
    def get(self, delivery_id: UUID) -> Delivery:
        """The delivery, held until a unit of work that writes ends; raises `NotFound`."""

    @abstractmethod
    def put_back(self, delivery: Delivery) -> None:
        """Store a delivery that was replayed."""

    @abstractmethod
    def page(self, wanted: DeliveryFilter, request: PageRequest) -> Page[Delivery]:
        """A page of deliveries, newest first."""

    @abstractmethod
    def hasten(self, destination: str, *, now: datetime, limit: int) -> int:
        """Make up to `limit` deliveries due that wait after a failure and that no relay holds; how many there were."""

    @abstractmethod
    def purge(self, *, before: datetime, limit: int) -> int:
        """Forget up to `limit` deliveries that arrived before the moment `before`; how many there were.

        An event goes with the last of its deliveries.
        """


class RelayWork(UnitOfWork, Protocol):
    """A unit of work that reaches deliveries."""

    deliveries: Deliveries


class Destination(Protocol):
    """Somebody who wants to know of events."""

    at_once: int
    """How many events are handed over at once: few enough to be dealt with well within the two minutes of a claim.

    What is handed over by a relay that dies comes again.
    """

    @abstractmethod
    def deliver(self, events: Sequence[Event]) -> Sequence[Receipt]:
        """Hand the events over; a receipt for each, in their order. Raises `Unavailable` where none was taken.

        An event that comes a second time, known by its id, has no second effect.
        """


class ActivityLog(Destination, Protocol):
    """What has happened, as it can be read back. It takes every event, all of those handed over or none."""

    @abstractmethod
    def of_lead(self, lead_id: UUID, request: PageRequest) -> Page[Event]:
        """A page of the events about a lead, newest first (`at`, then `id`); of their `lead_ids` this one alone.

        Raises `Unavailable`.
        """

    @abstractmethod
    def of_import(self, import_id: UUID, request: PageRequest) -> Page[Event]:
        """A page of what an import went through, newest first, without what it did to single leads.

        Those are the events that name the import and no lead. Raises `Unavailable`.
        """

    @abstractmethod
    def purge(self, *, before: datetime, limit: int) -> int:
        """Forget up to `limit` events from before the moment `before`; how many there were.

        Whatever forgets by itself returns 0.
        """
