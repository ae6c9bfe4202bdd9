"""How an event reaches one of those who want to know of it."""

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

MIN_BACKOFF = timedelta(seconds=1)
MAX_BACKOFF = timedelta(minutes=5)
"""Between two attempts: twice as long after each, and never longer than this."""

MAX_RETRY_TIME = timedelta(days=3)
"""How long a destination may fail at an event, from the first failure on, before that is a dead letter."""

DELIVERY_RETENTION = timedelta(days=7)
"""How long it stays known that an event was delivered."""

STATUS_CHECKS_AFTER = (timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))
"""How long after a text message was taken it is asked what became of it, where that is not known by then."""

NEVER = datetime(9999, 1, 1, tzinfo=UTC)

_MAX_CRC = 0xFFFFFFFF


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
    `next_attempt_at` is when it may be handed over again; while `held`, that is how long the relay at it has. Of a text
    message that was taken it is when the other side is asked again what became of it, if need be.
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

    def hold(self, until: datetime) -> None:
        """Be handed over now, and by nobody else before the moment `until`."""
        self.attempts += 1
        self.next_attempt_at = until
        self.held = True

    def release(self, now: datetime) -> None:
        """Be free for another relay at once: this one could not hand it over after all."""
        self.held = False
        self.next_attempt_at = now
        self._start_timeout(now)

    def succeed(self, response: dict[str, Any], now: datetime) -> None:
        """Have arrived."""
        self.held = False
        self.status = DeliveryStatus.DELIVERED
        self.delivered_at = now
        self.follow(response, now)

    def skip(self, response: dict[str, Any]) -> None:
        """Have nobody to go to: whoever is meant has no number, or wants no messages."""
        self.held = False
        self.response = response
        self.status = DeliveryStatus.SKIPPED

    def postpone(self, response: dict[str, Any], now: datetime) -> None:
        """Be tried again later, or be given up where that has gone on for days."""
        self.held = False
        self.response = response
        self._start_timeout(now)
        if now >= self.give_up_at:
            self.status = DeliveryStatus.DEAD
        else:
            self.next_attempt_at = now + pause_after(self.attempts, self.id)

    def refuse(self, response: dict[str, Any]) -> None:
        """Be a dead letter: the destination will never take it as it is, or lost it after all."""
        self.held = False
        self.response = response
        self.status = DeliveryStatus.DEAD
        self.delivered_at = None

    def follow(self, response: dict[str, Any], now: datetime) -> None:
        """Have been taken; this is what is known by now of what became of it."""
        self.response = response
        if self.destination == TEXTS and self.delivered_at is not None:
            moments = (self.delivered_at + after for after in STATUS_CHECKS_AFTER)
            later = (moment for moment in moments if moment > now and not _is_all(response))
            self.next_attempt_at = next(later, NEVER)

    def await_answer(self, until: datetime) -> None:
        """Be asked after now, and not again before the moment `until`: nobody else does, and it may not be answered."""
        self.next_attempt_at = until

    def replay(self, now: datetime) -> None:
        """Be due at once, and given up no sooner than a new one.

        Raises `Conflict` (`not_dead`) if it is neither dead nor skipped.
        """
        if self.status not in (DeliveryStatus.DEAD, DeliveryStatus.SKIPPED):
            raise Conflict(f"The delivery is {self.status}; only a dead or a skipped one is replayed.", code="not_dead")
        self.status = DeliveryStatus.PENDING
        self.next_attempt_at = now
        self.give_up_at = now + MAX_RETRY_TIME

    def _start_timeout(self, now: datetime) -> None:
        """With the first attempt begins the time after which it is given up.

        It may have waited for days because no relay was running; the destination had no part in that.
        """
        if self.attempts == 1:
            self.give_up_at = now + MAX_RETRY_TIME


def _is_all(response: dict[str, Any]) -> bool:
    """Whether nothing more will be told of a text message: it arrived at a known price, or cannot be asked after."""
    arrived = response.get("status") == "delivered" and response.get("price") is not None
    return arrived or "sid" not in response


def delivery_of(event: Event, destination: str) -> Delivery:
    """An event that is to reach a destination, and has not set out yet."""
    return Delivery(
        id=delivery_id(event.id, destination),
        event_id=event.id,
        destination=destination,
        created_at=event.at,
        next_attempt_at=event.at,
        give_up_at=event.at + MAX_RETRY_TIME,
    )


def delivery_id(event_id: UUID, destination: str) -> UUID:
    """The id of the delivery of an event to a destination: it sorts as the event's own does."""
    return UUID(int=event_id.int ^ crc32(destination.encode()))


def pause_after(attempts: int, of: UUID) -> timedelta:
    """How long to wait after that many attempts: exponentially longer, and between half and all of that by chance.

    The chance lies in the delivery's id, so that the many that failed together do not come back together. It is a
    checksum of the whole of it: ids that were made one after the other differ in a few bits.
    """
    whole = min(MAX_BACKOFF, MIN_BACKOFF * (1 << min(attempts - 1, 20)))
    share = crc32(f"{of} {attempts}".encode()) / _MAX_CRC
    return whole / 2 + whole / 2 * share


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a destination made of one event: it took it, it never will, there is nobody for it, or (none) it may later.

    `response` is what it answered, in plain values: message ids, a status, an error code.
    """

    taken: bool
    refused: bool = False
    skipped: bool = False
    response: dict[str, Any] = field(default_factory=dict)
