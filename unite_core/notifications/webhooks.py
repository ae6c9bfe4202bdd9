"""What comes back about text messages: how far one has come, and what people answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import NotFound, Unavailable
from unite_core.ids import Ids
from unite_core.notifications.destinations import OPTED_OUT, opt_out_by_refusal
from unite_core.notifications.events import delivery_reported
from unite_core.notifications.model import TEXTS, Delivery, DeliveryStatus
from unite_core.notifications.ports import Consent, TextMessages, TextsUnitOfWork
from unite_core.unit_of_work import UnitOfWorkFactory

PROGRESS: Mapping[str, int] = {
    "queued": 0,
    "accepted": 0,
    "scheduled": 0,
    "sending": 1,
    "sent": 2,
    "delivered": 3,
    "undelivered": 3,
    "failed": 3,
    "canceled": 3,
}
"""How far a message has come with each status (those of Twilio's message resource); the last ones are final."""

FINAL = max(PROGRESS.values())
LOST = frozenset({"undelivered", "failed", "canceled"})
OPTED_OUT_CODE = 21610

STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
"""What people answer to get no more messages, and to get them again: the words that Twilio acts on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStatus:
    """How far the message `sid` of a delivery has come; `error_code` is Twilio's, where it went wrong.

    `phone` is the number that it went to (E.164), where that was told.
    """

    delivery_id: UUID
    sid: str
    status: str
    error_code: int | None = None
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ReceiveTextStatus:
    """Keep how far a text message has come. Returns the delivery where it has become a dead letter by that.

    Statuses come late, twice and in any order: one that is not further than what is known has no effect, nor has one of
    a message that the delivery does not go by. What a relay sent and did not live to store is settled by the first
    status of it. A message that did not arrive makes its delivery a dead letter, and where the reason is that somebody
    wants none, that is remembered.
    """

    work: UnitOfWorkFactory[TextsUnitOfWork]
    messages: TextMessages
    clock: Clock
    ids: Ids

    def __call__(self, status: TextStatus) -> Delivery | None:
        if status.status not in PROGRESS:
            return None
        found = self._found(status)
        return retry_on_deadlock(lambda: self._take(status, found))

    def _found(self, status: TextStatus) -> dict[str, Any]:
        """What is known of a message that has come to its end: its price and its segments.

        Whoever tells the status waits for us. What is not known by now is asked for later, by `FollowTexts`.
        """
        if PROGRESS[status.status] < FINAL:
            return {}
        try:
            return self.messages.look_up(status.sid, hurried=True)
        except (NotFound, Unavailable):
            return {}

    def _take(self, status: TextStatus, found: Mapping[str, Any]) -> Delivery | None:
        with self.work() as work:
            try:
                delivery = work.deliveries.get(status.delivery_id)
            except NotFound:
                return None
            if delivery.destination != TEXTS:
                return None
            if not keep_status(work, delivery, status, found, now=self.clock.now(), ids=self.ids):
                return None
            if status.error_code == OPTED_OUT_CODE and status.phone is not None:
                work.consents.add(opt_out_by_refusal(delivery.id, status.phone, self.ids, self.clock))
            work.commit()
        return delivery if delivery.status is DeliveryStatus.DEAD else None


def keep_status(
    work: TextsUnitOfWork,
    delivery: Delivery,
    status: TextStatus,
    found: Mapping[str, Any],
    *,
    now: datetime,
    ids: Ids,
) -> bool:
    """Have the delivery be what the status makes of it, where that is news; whether it is.

    `found` is what is known of the message by a look at it, if there was one.
    """
    if not _is_news(status, found, delivery):
        return False
    response = _response(status, found, delivery)
    if status.status in LOST:
        delivery.refuse(response)
    elif delivery.status is DeliveryStatus.DELIVERED:
        delivery.follow(response, now)
    else:
        delivery.succeed(response, now)
    work.deliveries.put_back(delivery)
    work.record(delivery_reported(ids.new(), now, delivery))
    return True


def _is_news(status: TextStatus, found: Mapping[str, Any], delivery: Delivery) -> bool:
    """Whether the status, or what was found, tells more than is known of the message that the delivery goes by.

    While a delivery is pending, it goes by whichever message was sent last.
    """
    sid = delivery.response.get("sid")
    if sid != status.sid:
        return sid is None or delivery.status is DeliveryStatus.PENDING
    known = delivery.response.get("status")
    if known == status.status and delivery.status is DeliveryStatus.DELIVERED:
        return delivery.response.get("price") is None and found.get("price") is not None
    return PROGRESS[status.status] > PROGRESS.get(str(known), -1)


def _response(status: TextStatus, found: Mapping[str, Any], delivery: Delivery) -> dict[str, Any]:
    """What is known of the message by now."""
    known = delivery.response if delivery.response.get("sid") == status.sid else {}
    response = {**known, **found, "sid": status.sid, "status": status.status}
    if status.error_code is not None:
        response["error_code"] = status.error_code
    if status.error_code == OPTED_OUT_CODE:
        response["reason"] = OPTED_OUT
    return response


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundText:
    """What somebody texted to us. `opt_out_type` is what whoever took the message made of it: STOP, START or HELP."""

    sid: str
    phone: str = field(repr=False)
    body: str = field(repr=False)
    opt_out_type: str | None = None


@dataclass(frozen=True)
class ReceiveInboundText:
    """Keep that somebody wants no more messages, or wants them again. Anything else that they say has no effect.

    The same message has its effect once, however often it is told.
    """

    work: UnitOfWorkFactory[TextsUnitOfWork]
    clock: Clock
    ids: Ids

    def __call__(self, text: InboundText) -> None:
        opted_out = _opts_out(text)
        if opted_out is None:
            return
        with self.work() as work:
            work.consents.add(
                Consent(
                    id=self.ids.new(),
                    phone=text.phone,
                    opted_out=opted_out,
                    at=self.clock.now(),
                    source=text.sid,
                )
            )
            work.commit()


def _opts_out(text: InboundText) -> bool | None:
    """Whether somebody wants no more messages, or wants them again; None where they say neither."""
    word = (text.opt_out_type or text.body).strip().upper()
    if word in STOP_WORDS:
        return True
    return False if word in START_WORDS else None
