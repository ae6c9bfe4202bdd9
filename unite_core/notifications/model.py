"""The delivery of an event to one destination."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zlib import crc32

from unite_core.errors import Conflict
from unite_core.events import Event

ACTIVITY = "activity"
"""The destination that every event has: the activity log."""

TOPIC = "topic"
"""The destination of what other services want to know."""

TEXTS = "texts"
"""The destination of what somebody is told by text message."""

RATE_LIMITED = "rate_limited"
"""The reason of a text message that is skipped because enough were sent within the hour."""

CLAIM_TTL = timedelta(minutes=2)
"""How long a relay may take over what it has claimed before another one takes it."""

DELIVERY_RETENTION = timedelta(days=7)
"""How long it stays known that an event was delivered."""

NEVER = datetime(9999, 1, 1, tzinfo=UTC)

_MAX_CRC = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When a failed delivery is tried again, and for how long.

    The pause after the first attempt is `first_pause`, and each further one is twice as long, up to `max_pause`. With
    the first failure that comes `give_up_after` after the first attempt, or later, the delivery becomes a dead letter.
    """

    first_pause: timedelta = timedelta(seconds=1)
    max_pause: timedelta = timedelta(minutes=5)
    give_up_after: timedelta = timedelta(days=3)

    def pause_after(self, attempts: int, of: UUID) -> timedelta:
        """The pause after that many attempts at a delivery: between half and all of the length above, by chance.

        The chance lies in the delivery's id, so that the many that failed together do not come back together. It is a
        checksum of the whole of it: ids that were made one after the other differ in a few bits.
        """
        whole = min(self.max_pause, self.first_pause * (1 << min(attempts - 1, 20)))
        share = crc32(f"{of} {attempts}".encode()) / _MAX_CRC
        return whole / 2 + whole / 2 * share


DEFAULT_RETRY = RetryPolicy()


class DeliveryStatus(StrEnum):
    """How far an event has come on its way to one destination."""

    PENDING = "pending"
    DELIVERED = "delivered"
    SKIPPED = "skipped"
    DEAD = "dead"


@dataclass(slots=True, kw_only=True)
class Delivery:
    """An event on its way to one destination, apart from all others.

    `attempts` counts how often it was handed over and never falls: by it an attempt is told from all others.
    `next_attempt_at` is when it may be handed over again; while `held`, that is how long the relay at it has. Of one
    that arrived it is when the other side is asked what became of it, `NEVER` where it is not asked.
    `response` is what came back the last time, in plain values. It is skipped where there was nobody to hand it to.
    After `give_up_at` a failure is the last one: a dead letter is not tried again unless somebody replays it.
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

    @property
    def has_failed(self) -> bool:
        """Whether the destination failed at it before: a relay that died may have tried it too, and got no answer."""
        return bool(self.response)

    @property
    def is_dead(self) -> bool:
        """Whether it is a dead letter."""
        return self.status is DeliveryStatus.DEAD

    def hold(self, until: datetime) -> None:
        """Be handed over now, and by nobody else before the moment `until`."""
        self.attempts += 1
        self.next_attempt_at = until
        self.held = True

    def release(self, now: datetime, retry: RetryPolicy = DEFAULT_RETRY) -> None:
        """Be free for another relay at once: this one could not hand it over after all."""
        self.held = False
        self.next_attempt_at = now
        self._start_giving_up(now, retry)

    def succeed(self, response: dict[str, Any], now: datetime, follow_up: Sequence[timedelta] = ()) -> None:
        """Have arrived; the other side is asked what became of it so long after that."""
        self.held = False
        self.status = DeliveryStatus.DELIVERED
        self.delivered_at = now
        self.follow(response, now, follow_up)

    def skip(self, response: dict[str, Any]) -> None:
        """Have nobody to go to: whoever is meant has no number, or wants no messages."""
        self.held = False
        self.response = response
        self.status = DeliveryStatus.SKIPPED

    def postpone(self, response: dict[str, Any], now: datetime, retry: RetryPolicy = DEFAULT_RETRY) -> None:
        """Be tried again later, or become a dead letter where it has failed for as long as the policy allows."""
        self.held = False
        self.response = response
        self._start_giving_up(now, retry)
        if now >= self.give_up_at:
            self.status = DeliveryStatus.DEAD
        else:
            self.next_attempt_at = now + retry.pause_after(self.attempts, self.id)

    def refuse(self, response: dict[str, Any]) -> None:
        """Be a dead letter: the destination will never take it as it is, or lost it after all."""
        self.held = False
        self.response = response
        self.status = DeliveryStatus.DEAD
        self.delivered_at = None

    def follow(self, response: dict[str, Any], now: datetime, follow_up: Sequence[timedelta] = ()) -> None:
        """Have arrived before; `response` is what is known by now, and what is missing is asked for by `follow_up`.

        Those are times since it arrived. Without any the other side is not asked again.
        """
        self.response = response
        arrived = self.delivered_at or now
        moments = (arrived + after for after in follow_up)
        self.next_attempt_at = next((moment for moment in moments if moment > now), NEVER)

    def await_answer(self, until: datetime) -> None:
        """Be asked after now, and not again before the moment `until`: nobody else does, and it may not be answered."""
        self.next_attempt_at = until

    def replay(self, now: datetime, retry: RetryPolicy = DEFAULT_RETRY) -> None:
        """Be due at once, and given up no sooner than a new one.

        Raises `Conflict` (`not_dead`) if it is neither dead nor skipped.
        """
        if self.status not in (DeliveryStatus.DEAD, DeliveryStatus.SKIPPED):
            raise Conflict(f"The delivery is {self.status}; only a dead or a skipped one is replayed.", code="not_dead")
        self.status = DeliveryStatus.PENDING
        self.next_attempt_at = now
        self.give_up_at = now + retry.give_up_after

    def _start_giving_up(self, now: datetime, retry: RetryPolicy) -> None:
        """Start the time after which it is given up, with the first attempt.

        It may have waited for days because no relay was running; the destination had no part in that.
        """
        if self.attempts == 1:
            self.give_up_at = now + retry.give_up_after


def delivery_of(event: Event, destination: str, retry: RetryPolicy = DEFAULT_RETRY) -> Delivery:
    """A delivery of the event to the destination that was not tried yet."""
    return Delivery(
        id=delivery_id(event.id, destination),
        event_id=event.id,
        destination=destination,
        created_at=event.at,
        next_attempt_at=event.at,
        give_up_at=event.at + retry.give_up_after,
    )


def delivery_id(event_id: UUID, destination: str) -> UUID:
    """The id of the delivery of an event to a destination: it sorts as the event's own does."""
    return UUID(int=event_id.int ^ crc32(destination.encode()))


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a destination made of one event: it took it, it never will, there is nobody for it, or (none) it may later.

    `response` is what it answered, in plain values: message ids, a status, an error code.
    """

    taken: bool
    refused: bool = False
    skipped: bool = False
    response: dict[str, Any] = field(default_factory=dict)
