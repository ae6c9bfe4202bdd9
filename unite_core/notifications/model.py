"""Deliveries of events: their states, the retry policy, and the receipt of an attempt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID
from zlib import crc32

from unite_core.checks import Checked, not_negative, positive
from unite_core.errors import Conflict, FieldError
from unite_core.events import Event

ACTIVITY = "activity"
"""The destination that every event has: the activity log."""

TOPIC = "topic"
"""The destination of events for other services."""

TEXTS = "texts"
"""The destination of events that users get by text message."""

RATE_LIMITED = "rate_limited"
"""The reason of a text message that is skipped because enough were sent within the hour."""

CLAIM_TTL = timedelta(minutes=2)
"""How long a relay has for the deliveries that it claimed, before another relay may claim them."""

DELIVERY_RETENTION = timedelta(days=7)
"""How long a delivery is stored after it was delivered."""

NEVER = datetime(9999, 1, 1, tzinfo=UTC)

_MAX_CRC = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy(Checked):
    """The policy for retries of a failed delivery: when to retry, and for how long.

    The pause after the first attempt is `first_pause`, and each further pause is twice as long, up to `max_pause`. The
    delivery becomes a dead letter with the first failure at or after `give_up_after` from the first attempt.
    """

    first_pause: Annotated[timedelta, positive] = timedelta(seconds=1)
    max_pause: Annotated[timedelta, positive] = timedelta(minutes=5)
    give_up_after: Annotated[timedelta, not_negative] = timedelta(days=3)

    def pause_after(self, attempts: int, of: UUID) -> timedelta:
        """Return the pause after that many attempts: a pseudo-random share, at least half, of the length above.

        The share depends on the delivery's id, so that deliveries that failed together are not retried together. It
        comes from a checksum of the whole id, because ids that were created in sequence differ in only a few bits.
        """
        whole = min(self.max_pause, self.first_pause * (1 << min(attempts - 1, 20)))
        share = crc32(f"{of} {attempts}".encode()) / _MAX_CRC
        return whole / 2 + whole / 2 * share


DEFAULT_RETRY = RetryPolicy()


class DeliveryStatus(StrEnum):
    """The status of the delivery of an event to one destination."""

    PENDING = "pending"
    DELIVERED = "delivered"
    SKIPPED = "skipped"
    DEAD = "dead"


@dataclass(slots=True, kw_only=True)
class Delivery(Checked):
    """The delivery of an event to one destination, independent of its deliveries to other destinations.

    `attempts` counts the attempts and never decreases, so that it identifies an attempt. `next_attempt_at` is when the
    next attempt may start; while the delivery is `held`, it is when the relay's claim ends. For a delivered one, it is
    when the destination is asked for its status, `NEVER` if it is not asked. `response` is the destination's last
    response, in plain values. A delivery without a recipient is skipped. A failure after `give_up_at` makes it a dead
    letter, which is not retried unless an admin replays it. `correlation_id` is that of its event.
    """

    id: UUID
    event_id: UUID
    destination: str
    created_at: datetime
    next_attempt_at: datetime
    give_up_at: datetime
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    held: bool = False
    response: dict[str, Any] = field(default_factory=dict)
    delivered_at: datetime | None = None
    correlation_id: str | None = None

    @property
    def has_failed(self) -> bool:
        """Whether an earlier attempt failed with a stored response; a relay that died may have got none to store."""
        return bool(self.response)

    @property
    def is_dead(self) -> bool:
        """Whether it is a dead letter."""
        return self.status is DeliveryStatus.DEAD

    def claim(self, until: datetime) -> None:
        """Start an attempt; no other relay may start one before `until`."""
        self.attempts += 1
        self.next_attempt_at = until
        self.held = True

    def release(self, now: datetime, retry: RetryPolicy = DEFAULT_RETRY) -> None:
        """Make the delivery due for another relay at once, because this relay could not hand it over."""
        self.held = False
        self.next_attempt_at = now
        self._start_giving_up(now, retry)

    def succeed(self, response: dict[str, Any], now: datetime, follow_up: Sequence[timedelta] = ()) -> None:
        """Mark the delivery as delivered; `follow_up` are the times since then after which its status is asked for."""
        self.held = False
        self.status = DeliveryStatus.DELIVERED
        self.delivered_at = now
        self.follow(response, now, follow_up)

    def skip(self, response: dict[str, Any]) -> None:
        """Mark the delivery as skipped: it has no recipient, or the recipient has no number or has opted out."""
        self.held = False
        self.response = response
        self.status = DeliveryStatus.SKIPPED

    def postpone(self, response: dict[str, Any], now: datetime, retry: RetryPolicy = DEFAULT_RETRY) -> None:
        """Schedule a retry, or mark the delivery as a dead letter if it has failed for as long as the policy allows."""
        self.held = False
        self.response = response
        self._start_giving_up(now, retry)
        if now >= self.give_up_at:
            self.status = DeliveryStatus.DEAD
        else:
            self.next_attempt_at = now + retry.pause_after(self.attempts, self.id)

    def refuse(self, response: dict[str, Any]) -> None:
        """Mark the delivery as a dead letter: the destination will never accept it, or failed after accepting it."""
        self.held = False
        self.response = response
        self.status = DeliveryStatus.DEAD
        self.delivered_at = None

    def follow(self, response: dict[str, Any], now: datetime, follow_up: Sequence[timedelta] = ()) -> None:
        """Store a later `response` for a delivered event; missing details are asked for at the times of `follow_up`.

        The times count from its delivery. If none of them is left, the destination is not asked again.
        """
        self.response = response
        arrived = self.delivered_at or now
        moments = (arrived + after for after in follow_up)
        self.next_attempt_at = next((moment for moment in moments if moment > now), NEVER)

    def await_answer(self, until: datetime) -> None:
        """Postpone the next status check to `until`, because this check starts now and may get no response."""
        self.next_attempt_at = until

    def replay(self, now: datetime, retry: RetryPolicy = DEFAULT_RETRY) -> None:
        """Make the delivery due at once, with as much time for retries as a new one.

        Raises `Conflict` (`not_dead`) if it is neither dead nor skipped.
        """
        if self.status not in (DeliveryStatus.DEAD, DeliveryStatus.SKIPPED):
            raise Conflict(f"The delivery is {self.status}; only a dead or a skipped one is replayed.", code="not_dead")
        self.status = DeliveryStatus.PENDING
        self.next_attempt_at = now
        self.give_up_at = now + retry.give_up_after

    def _start_giving_up(self, now: datetime, retry: RetryPolicy) -> None:
        """Set `give_up_at` at the first attempt.

        The delivery may have waited for days because no relay was running, which is no failure of the destination.
        """
        if self.attempts == 1:
            self.give_up_at = now + retry.give_up_after


def delivery_of(event: Event, destination: str, retry: RetryPolicy = DEFAULT_RETRY) -> Delivery:
    """Return a new delivery of the event to the destination."""
    return Delivery(
        id=delivery_id(event.id, destination),
        event_id=event.id,
        destination=destination,
        created_at=event.at,
        next_attempt_at=event.at,
        give_up_at=event.at + retry.give_up_after,
        correlation_id=event.correlation_id,
    )


def delivery_id(event_id: UUID, destination: str) -> UUID:
    """Return the id of the delivery of an event to a destination; it sorts like the event's id."""
    return UUID(int=event_id.int ^ crc32(destination.encode()))


@dataclass(frozen=True, slots=True)
class Receipt(Checked):
    """The result of an attempt: `accepted`, `refused` for ever, `skipped` for lack of a recipient, or to retry.

    The delivery may be retried if none of the three is true. `response` is the destination's response, in plain values:
    message ids, a status, an error code.
    """

    accepted: bool
    refused: bool = False
    skipped: bool = False
    response: dict[str, Any] = field(default_factory=dict)

    def broken_rules(self) -> Iterable[FieldError]:
        """Return the error of a receipt with more than one result."""
        if self.accepted + self.refused + self.skipped > 1:
            detail = "An event is either accepted, or refused, or skipped."
            yield FieldError(field="accepted", code="ambiguous_receipt", detail=detail)
