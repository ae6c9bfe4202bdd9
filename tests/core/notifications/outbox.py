"""An outbox with one destination that a test controls, and the relay between them."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from unite_core.events import Event
from unite_core.notifications.model import DEFAULT_RETRY, Delivery, Receipt, RetryPolicy
from unite_core.notifications.ports import DeliveryFilter, Destination
from unite_core.notifications.subscriptions import Subscription
from unite_core.notifications.use_cases import RelayEvents
from unite_core.paging import PageRequest
from unite_core.testing.builders import an_event
from unite_core.testing.in_memory import FixedClock, InMemoryUnitOfWorkFactory, SequentialIds, Store

MAIL = "mail"
ACCEPTED = Receipt(accepted=True)
SKIPPED = Receipt(accepted=False, skipped=True)
LATER = Receipt(accepted=False)
REFUSED = Receipt(accepted=False, refused=True)


@dataclass
class FakeDestination(Destination):
    """A destination that returns the receipt `answer(event)`, and records the delivered events."""

    answer: Callable[[Event], Receipt] = lambda _: ACCEPTED
    handed: list[list[Event]] = field(default_factory=list)
    handed_again: list[UUID] = field(default_factory=list)
    at_once: int = 10
    name: str = MAIL
    delivery_events: bool = False
    retry: RetryPolicy = DEFAULT_RETRY
    follow_up: tuple[timedelta, ...] = ()

    def __post_init__(self) -> None:
        self.subscription = Subscription(
            name=self.name,
            batch_size=self.at_once,
            delivery_events=self.delivery_events,
            retry=self.retry,
            follow_up=self.follow_up,
        )

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        self.handed.append([*events])
        self.handed_again += again
        return [self.answer(event) for event in events]

    def times(self) -> Counter[UUID]:
        """Return how often each event was delivered to it."""
        return Counter(event.id for events in self.handed for event in events)

    def fail(self, error: Exception) -> None:
        """Raise the error from now on."""

        def raise_it(_: Event) -> Receipt:
            raise error

        self.answer = raise_it


@dataclass
class OutboxScenario:
    """Events are recorded for the mailbox alone."""

    mailbox: FakeDestination = field(default_factory=FakeDestination)
    clock: FixedClock = field(default_factory=FixedClock)
    store: Store = field(default_factory=Store)

    def __post_init__(self) -> None:
        self.work = InMemoryUnitOfWorkFactory(self.store, subscriptions=(self.mailbox.subscription,))
        self.ids = SequentialIds()
        self.relay = RelayEvents(self.work, {MAIL: self.mailbox}, self.clock, self.ids)

    def record(self, count: int = 1, *, at: datetime | None = None) -> list[Event]:
        events = [an_event(at=at or self.clock.now()) for _ in range(count)]
        with self.work() as work:
            for event in events:
                work.record(event)
            work.commit()
        return events

    def deliveries(self) -> list[Delivery]:
        """All of them, the oldest first."""
        with self.work() as work:
            page = work.deliveries.page(DeliveryFilter(), PageRequest(limit=200))
        return [*page.items][::-1]

    def advance(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))
