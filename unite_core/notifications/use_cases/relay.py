"""Delivering events to destinations, and trying again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import NotFound, Unavailable
from unite_core.events import Event
from unite_core.ids import Ids
from unite_core.notifications.events import delivery_answered
from unite_core.notifications.model import CLAIM_TTL, RATE_LIMITED, Delivery, DeliveryStatus, Receipt
from unite_core.notifications.ports import Destination, RelayUnitOfWork
from unite_core.unit_of_work import UnitOfWorkFactory

PORTIONS = 10
MAX_CLAIM_SIZE = 100
"""A claim is of ten portions, where these are small: up to 100 deliveries, or one portion where that is larger."""

DELIVERY_TIMEOUT = CLAIM_TTL / 2
"""How long after its claim a delivery may be handed over. The rest of the claim is for the answer."""

RESUME_BATCH_SIZE = 1000

Claimed = Sequence[tuple[Delivery, Event]]
Answered = Sequence[tuple[Delivery, Event, Receipt]]


@dataclass(frozen=True, slots=True)
class Relayed:
    """What a relay has done: how many events were delivered, and which of its deliveries are dead letters now."""

    delivered: int = 0
    dead: tuple[Delivery, ...] = ()


def _not_minded(_: Delivery) -> None:
    pass


@dataclass
class _Tally:
    """What one relay has done so far; `on_dead` is told of each dead letter once it is stored.

    When a destination takes what it had failed at before, it answers again, and whatever waits for a later attempt need
    not wait any longer. That is so once, and no more after something has to wait: it would be back at once. A refusal,
    or that there is nobody to tell, says nothing of the others.
    """

    on_dead: Callable[[Delivery], None]
    delivered: int = 0
    dead: list[Delivery] = field(default_factory=list)
    may_hasten: bool = True

    def count(self, settled: Sequence[Delivery]) -> None:
        for delivery in settled:
            self.delivered += delivery.status is DeliveryStatus.DELIVERED
            if delivery.status is DeliveryStatus.DEAD:
                self.dead.append(delivery)
                self.on_dead(delivery)


@dataclass(frozen=True)
class RelayEvents:
    """Hand over what waits for one destination, until nothing is due or the worker has to stop.

    Each destination has its own attempts, so that one which does not answer delays no other. Up to ten portions are
    claimed in one transaction. A portion, which is what the destination takes at once, is handed over outside of any
    and settled in another one, before the next portion is: a relay that dies in between leaves what it held to the next
    one, which hands over again no more than that portion, under the same ids. What is not handed over within half the
    time of its claim is let go of, so that no other relay has it too. Safe to run side by side.

    What the other side answers is told to the activity log, unless it is that log which answers; so is an attempt that
    failed without an answer, where that is not what came of the one before, whatever becomes a dead letter, and what is
    skipped because too many messages were sent (`rate_limited`).

    `on_dead` is told of each dead letter that the relay has made, however it ends. Raises `NotFound` for a destination
    that there is not; `Unavailable` of the database passes through, that of the destination does not. Whatever else a
    destination raises passes through once it is counted as a failed attempt: else what makes it fail would come first
    again and again, and never be given up.
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
        on_dead: Callable[[Delivery], None] = _not_minded,
    ) -> Relayed:
        if destination not in self.destinations:
            raise NotFound(f"There is no destination {destination}.")
        tally = _Tally(on_dead)
        while not should_stop() and self._relay_a_claim(destination, should_stop, tally):
            pass
        return Relayed(tally.delivered, tuple(tally.dead))

    def _relay_a_claim(self, destination: str, should_stop: Callable[[], bool], tally: _Tally) -> bool:
        """Claim some and hand them over, portion by portion; whether there may be more to do at once."""
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
                receipts = to.deliver(
                    [event for _, event in portion],
                    {event.id for delivery, event in portion if delivery.attempts > 1},
                )
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
        """Leave to another relay, or to a later claim, what was not handed over."""
        if claimed:
            now = self.clock.now()
            for delivery, _ in claimed:
                delivery.release(now, to.subscription.retry)
            retry_on_deadlock(lambda: self._store([delivery for delivery, _ in claimed]))

    def _postpone(
        self, to: Destination, failed: Claimed, left: Claimed, response: dict[str, Any], tally: _Tally
    ) -> None:
        """Have these tried again later: those that the destination failed at, and what was left to be handed over."""
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
        """Store what became of a portion; whether others are due for it that have waited."""
        now = self.clock.now()
        recovered = any(delivery.has_failed and receipt.taken for delivery, _, receipt in answered)
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
            tally.may_hasten = False
        hastens = tally.may_hasten and recovered
        hasten = to.subscription.name if hastens else None
        hastened = retry_on_deadlock(lambda: self._store(deliveries, events, hasten=hasten))
        if hastens:
            tally.may_hasten = hastened == RESUME_BATCH_SIZE
        tally.count(deliveries)
        return bool(hastened)

    def _events_of(self, to: Destination, claimed: Claimed, now: datetime) -> Sequence[Event]:
        """The events about these deliveries; none where the destination would get them itself."""
        if to.subscription.delivery_events:
            return []
        return [delivery_answered(self.ids.new(), now, delivery, event) for delivery, event in claimed]

    def _store(self, deliveries: Sequence[Delivery], events: Sequence[Event] = (), *, hasten: str | None = None) -> int:
        """Store deliveries and the events about them; how many others were hastened to that destination."""
        with self.work() as work:
            work.deliveries.save(*deliveries)
            for event in events:
                work.record(event)
            hastened = 0
            if hasten is not None:
                hastened = work.deliveries.hasten(hasten, now=self.clock.now(), limit=RESUME_BATCH_SIZE)
            work.commit()
        return hastened


def _is_logged(receipt: Receipt) -> bool:
    """Whether the answer goes to the activity log: that an event had no recipient does not."""
    return bool(receipt.response) and (not receipt.skipped or receipt.response.get("reason") == RATE_LIMITED)


def _settle(delivery: Delivery, receipt: Receipt, to: Destination, now: datetime) -> None:
    """Change the delivery as the receipt says."""
    if receipt.taken:
        delivery.succeed(receipt.response, now, to.follow_up_of(receipt.response))
    elif receipt.skipped:
        delivery.skip(receipt.response)
    elif receipt.refused:
        delivery.refuse(receipt.response)
    else:
        delivery.postpone(receipt.response or {"error": "not_taken"}, now, to.subscription.retry)
