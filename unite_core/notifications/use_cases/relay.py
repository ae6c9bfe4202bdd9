"""The use case that delivers events to destinations, with retries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from unite_core.checks import UseCase
from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import NotFound, Unavailable
from unite_core.events import Event
from unite_core.ids import Ids
from unite_core.notifications.events import delivery_answered
from unite_core.notifications.model import CLAIM_TTL, RATE_LIMITED, Delivery, DeliveryStatus, Receipt
from unite_core.notifications.ports import Destination, RelayUnitOfWork, receipts_of
from unite_core.unit_of_work import UnitOfWorkFactory

PORTIONS = 10
MAX_CLAIM_SIZE = 100
"""A claim has ten portions, but at most 100 deliveries; it has one portion if that alone is larger."""

DELIVERY_TIMEOUT = CLAIM_TTL / 2
"""How long after its claim a delivery may be attempted. The rest of the claim is for the response."""

RESUME_BATCH_SIZE = 1000

Claimed = Sequence[tuple[Delivery, Event]]
Answered = Sequence[tuple[Delivery, Event, Receipt]]


@dataclass(frozen=True, slots=True)
class Relayed:
    """The result of a relay: the number of events delivered, and the deliveries that became dead letters."""

    delivered: int = 0
    dead: tuple[Delivery, ...] = ()


def _do_nothing(_: Delivery) -> None:
    pass


@dataclass
class _Tally:
    """The counts of one relay so far; `on_dead` is called with each dead letter after it is stored.

    When a destination accepts a delivery that failed before, it works again, and deliveries that wait for a retry need
    not wait any longer. They are made due only once, and not after another delivery has to be retried, because that
    delivery would be due again at once. A refused or skipped delivery does not show whether the destination works.
    """

    on_dead: Callable[[Delivery], None]
    delivered: int = 0
    dead: list[Delivery] = field(default_factory=list)
    may_make_due: bool = True

    def count(self, settled: Sequence[Delivery]) -> None:
        for delivery in settled:
            self.delivered += delivery.status is DeliveryStatus.DELIVERED
            if delivery.status is DeliveryStatus.DEAD:
                self.dead.append(delivery)
                self.on_dead(delivery)


@dataclass(frozen=True)
class RelayEvents(UseCase):
    """Deliver the pending events of one destination, until nothing is due or the worker has to stop.

    Each destination has its own attempts, so that a destination that does not respond delays no other. Up to ten
    portions are claimed in one transaction. A portion is the number of events that the destination accepts at once. It
    is delivered outside of any transaction, and its results are stored in another transaction before the next portion
    is delivered. If a relay dies in between, the next relay delivers no more than that portion again, under the same
    ids. Deliveries that were not attempted within half the time of their claim are released, so that no other relay
    delivers them too. It is safe to run several relays at the same time.

    Responses are recorded in the activity log, except the log's own. These are recorded too: an attempt that failed
    without a response, if the attempt before it did not end in the same way; every delivery that becomes a dead letter;
    and every delivery that is skipped because too many messages were sent (`rate_limited`).

    `on_dead` is called with each new dead letter, even if the relay ends with an error. Raises `NotFound` for an
    unknown destination, and the `Unavailable` of the database, but not that of the destination. Any other error of a
    destination is raised after it is counted as a failed attempt; otherwise the delivery that causes it would come
    first again and again, and would never become a dead letter.
    """

    work: UnitOfWorkFactory[RelayUnitOfWork]
    destinations: Mapping[str, Destination]
    clock: Clock
    ids: Ids

    def __call__(
        self,
        destination: str,
        *,
        should_stop: Callable[[], bool] = lambda: False,
        on_dead: Callable[[Delivery], None] = _do_nothing,
    ) -> Relayed:
        if destination not in self.destinations:
            raise NotFound(f"There is no destination {destination}.")
        tally = _Tally(on_dead)
        while not should_stop() and self._relay_a_claim(destination, should_stop, tally):
            pass
        return Relayed(tally.delivered, tuple(tally.dead))

    def _relay_a_claim(self, destination: str, should_stop: Callable[[], bool], tally: _Tally) -> bool:
        """Claim deliveries and deliver them in portions; return whether there may be more to do at once."""
        to = self.destinations[destination]
        size = to.subscription.batch_size
        limit = max(size, min(PORTIONS * size, MAX_CLAIM_SIZE))
        left = retry_on_deadlock(lambda: self._claim(destination, limit))
        more = len(left) == limit
        while left:
            if should_stop() or self.clock.now() >= left[0][0].next_attempt_at - CLAIM_TTL + DELIVERY_TIMEOUT:
                self._let_go(to, left)
                return True
            portion, left = left[:size], left[size:]
            try:
                answers = to.deliver(
                    [event for _, event in portion],
                    {event.id for delivery, event in portion if delivery.attempts > 1},
                )
                receipts = receipts_of(f"The destination {destination}", portion, answers)
                answered = [(*claimed, receipt) for claimed, receipt in zip(portion, receipts, strict=True)]
            except Unavailable as error:
                self._postpone(to, portion, left, {"error": error.code, "detail": error.detail}, tally)
                return False
            except Exception:
                self._postpone(to, portion, [], {"error": "internal_error"}, tally)
                self._let_go(to, left)
                raise
            more |= self._settle(to, answered, tally)
        return more

    def _claim(self, destination: str, limit: int) -> Claimed:
        now = self.clock.now()
        with self.work() as work:
            claimed = work.deliveries.claim(destination, now=now, until=now + CLAIM_TTL, limit=limit)
            work.commit()
        return claimed

    def _let_go(self, to: Destination, claimed: Claimed) -> None:
        """Release deliveries that were not attempted, for another relay or a later claim."""
        if claimed:
            now = self.clock.now()
            for delivery, _ in claimed:
                delivery.release(now, to.subscription.retry)
            retry_on_deadlock(lambda: self._store([delivery for delivery, _ in claimed]))

    def _postpone(
        self, to: Destination, failed: Claimed, left: Claimed, response: dict[str, Any], tally: _Tally
    ) -> None:
        """Schedule retries of the deliveries that failed and of those that were not yet attempted."""
        now = self.clock.now()
        news = {delivery.id for delivery, _ in failed if delivery.response != response}
        claimed = [*failed, *left]
        deliveries = [delivery for delivery, _ in claimed]
        for delivery in deliveries:
            delivery.postpone(response, now, to.subscription.retry)
        news |= {delivery.id for delivery in deliveries if delivery.status is DeliveryStatus.DEAD}
        events = self._events_of(to, [each for each in claimed if each[0].id in news], now)
        retry_on_deadlock(lambda: self._store(deliveries, events))
        tally.count(deliveries)

    def _settle(self, to: Destination, answered: Answered, tally: _Tally) -> bool:
        """Store the results of a portion; return whether that made waiting deliveries due."""
        now = self.clock.now()
        recovered = any(delivery.has_failed and receipt.accepted for delivery, _, receipt in answered)
        for delivery, _, receipt in answered:
            _settle(delivery, receipt, to, now)
        answers = [
            (delivery, event)
            for delivery, event, receipt in answered
            if delivery.status is DeliveryStatus.DEAD or _is_logged(receipt)
        ]
        events = self._events_of(to, answers, now)
        deliveries = [delivery for delivery, _, _ in answered]
        if any(delivery.status is DeliveryStatus.PENDING for delivery in deliveries):
            tally.may_make_due = False
        makes_due = tally.may_make_due and recovered
        due_again = to.subscription.name if makes_due else None
        made_due = retry_on_deadlock(lambda: self._store(deliveries, events, due_again=due_again))
        if makes_due:
            tally.may_make_due = made_due == RESUME_BATCH_SIZE
        tally.count(deliveries)
        return bool(made_due)

    def _events_of(self, to: Destination, claimed: Claimed, now: datetime) -> Sequence[Event]:
        """Return the events about these deliveries; none if their destination would get these events itself."""
        if to.subscription.delivery_events:
            return []
        return [delivery_answered(self.ids.new(), now, delivery, event) for delivery, event in claimed]

    def _store(
        self, deliveries: Sequence[Delivery], events: Sequence[Event] = (), *, due_again: str | None = None
    ) -> int:
        """Store deliveries and events about them; return how many others of the destination `due_again` became due."""
        with self.work() as work:
            work.deliveries.save(*deliveries)
            for event in events:
                work.record(event)
            made_due = 0
            if due_again is not None:
                made_due = work.deliveries.make_due(due_again, now=self.clock.now(), limit=RESUME_BATCH_SIZE)
            work.commit()
        return made_due


def _is_logged(receipt: Receipt) -> bool:
    """Return whether the response is recorded in the activity log: that an event had no recipient is not."""
    return bool(receipt.response) and (not receipt.skipped or receipt.response.get("reason") == RATE_LIMITED)


def _settle(delivery: Delivery, receipt: Receipt, to: Destination, now: datetime) -> None:
    """Change the delivery as the receipt says."""
    if receipt.accepted:
        delivery.succeed(receipt.response, now, to.follow_up_of(receipt.response))
    elif receipt.skipped:
        delivery.skip(receipt.response)
    elif receipt.refused:
        delivery.refuse(receipt.response)
    else:
        delivery.postpone(receipt.response or {"error": "not_taken"}, now, to.subscription.retry)
