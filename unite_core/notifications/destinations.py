"""The destinations of events in addition to the activity log: the topic, and users by text message."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from unite_core.clock import Clock, rfc3339
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import NotFound
from unite_core.events import Event
from unite_core.identity.model import PERMISSIONS, Permission, User
from unite_core.ids import Ids
from unite_core.notifications.audience import AUDIENCES, Audience, recipient
from unite_core.notifications.delivery_reports import OPTED_OUT, DeliveryReport
from unite_core.notifications.links import link_of
from unite_core.notifications.model import RATE_LIMITED, TEXTS, Receipt, delivery_id
from unite_core.notifications.ports import (
    Consent,
    Destination,
    Links,
    TextMessage,
    TextMessages,
    TextsUnitOfWork,
    Topic,
    TopicMessage,
    receipts_of,
)
from unite_core.notifications.subscriptions import TEXTS_SUBSCRIPTION, TOPIC_SUBSCRIPTION
from unite_core.notifications.texts import compose
from unite_core.quotas import NO_LIMIT, Quotas
from unite_core.unit_of_work import UnitOfWorkFactory

VERSION = 1
"""The version of the messages to the topic: docs/events/event.v1.schema.json."""

_FOR_NOBODY = Receipt(accepted=False, skipped=True, response={"reason": "no_audience"})


@dataclass(frozen=True)
class TopicOfEvents(Destination):
    """A destination that publishes events as JSON for the subscribers of the topic."""

    subscription = TOPIC_SUBSCRIPTION
    topic: Topic
    links: Links

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:  # noqa: ARG002 - subscribers go by ids
        messages = [
            topic_message(event, AUDIENCES[event.type], self.links) for event in events if event.type in AUDIENCES
        ]
        published = iter(receipts_of("The topic", messages, self.topic.publish(messages) if messages else ()))
        return [next(published) if event.type in AUDIENCES else _FOR_NOBODY for event in events]


def topic_message(event: Event, audience: Audience, links: Links) -> TopicMessage:
    """Return the message to the topic about the event (docs/reference/messages.md)."""
    body = {
        "version": VERSION,
        "id": str(event.id),
        "type": event.type,
        "at": rfc3339(event.at),
        "actor_id": str(event.actor_id) if event.actor_id else None,
        "correlation_id": event.correlation_id,
        "role": audience.role.value,
        "lead_ids": [str(lead_id) for lead_id in event.lead_ids],
        "import_id": str(event.import_id) if event.import_id else None,
        "link": link_of(event, links),
        "data": dict(event.data),
    }
    return TopicMessage(
        event_id=event.id,
        type=event.type,
        role=audience.role.value,
        correlation_id=event.correlation_id,
        body=json.dumps(body, separators=(",", ":")),
        traceparent=event.traceparent,
    )


@dataclass(frozen=True)
class TextsOfEvents(Destination):
    """A destination that sends text messages to the users that events concern, if they have a number and no opt-out.

    Within any hour one number gets up to `texts_per_number` messages, and all numbers together get up to `texts`;
    further messages are skipped (`rate_limited`). A message counts when it is handed to the provider, even if that
    fails, because perhaps only the response was lost. A message that is sent again counts once.

    A refusal because of an opt-out at the carrier is stored as an opt-out.
    """

    subscription = TEXTS_SUBSCRIPTION
    work: UnitOfWorkFactory[TextsUnitOfWork]
    reads: UnitOfWorkFactory[TextsUnitOfWork]
    messages: TextMessages
    clock: Clock
    ids: Ids
    links: Links
    quotas: Quotas = field(default_factory=Quotas)

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        return [self._send(event, may_have_been_sent=event.id in again) for event in events]

    def report_of(self, response: Mapping[str, Any]) -> DeliveryReport | None:
        return self.messages.report_of(response)

    def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:
        return self.messages.look_up(message_id, short_timeouts=short_timeouts)

    def _send(self, event: Event, *, may_have_been_sent: bool) -> Receipt:
        number = self._number(event)
        if isinstance(number, Receipt):
            return number
        message = TextMessage(
            delivery_id=delivery_id(event.id, TEXTS),
            to=number,
            text=compose(event, self.links),
            since=event.at,
            correlation_id=event.correlation_id,
        )
        if not retry_on_deadlock(lambda: self._count(message)):
            return _skipped(RATE_LIMITED)
        receipt = self.messages.send(message, may_have_been_sent=may_have_been_sent)
        if receipt.refused and receipt.response.get("reason") == OPTED_OUT:
            self._store_opt_out(message)
        return receipt

    def _number(self, event: Event) -> str | Receipt:
        """Return the number that gets a text message about the event, or a skipped receipt if there is none."""
        user_id = recipient(event)
        if user_id is None:
            return _FOR_NOBODY
        with self.reads() as reads:
            try:
                user = reads.users.get(user_id)
            except NotFound:
                return _skipped("no_user")
            if not user.active:
                return _skipped("inactive")
            if user.phone is None:
                return _skipped("no_phone")
            if not _may_see(user, event):
                return _skipped("not_visible")
            return _skipped(OPTED_OUT) if reads.consents.opted_out(user.phone) else user.phone

    def _count(self, message: TextMessage) -> bool:
        """Count the message against the quotas; return False and count nothing if one of them is used up."""
        number = hashlib.sha256(message.to.encode()).hexdigest()
        quotas = {f"texts to {number}": self.quotas.texts_per_number, "texts": self.quotas.texts}
        now = self.clock.now()
        with self.work() as work:
            for subject, limit in quotas.items():
                if limit == NO_LIMIT:
                    continue
                if work.usage.take(subject, message.delivery_id, limit=limit, now=now) is not None:
                    return False
            work.commit()
        return True

    def _store_opt_out(self, message: TextMessage) -> None:
        with self.work() as work:
            work.consents.add(opt_out_by_refusal(message.delivery_id, message.to, self.ids, self.clock))
            work.commit()


def opt_out_by_refusal(delivery: UUID, phone: str, ids: Ids, clock: Clock) -> Consent:
    """Return the opt-out for a delivery that was refused because of an opt-out at the carrier."""
    return Consent(id=ids.new(), phone=phone, opted_out=True, at=clock.now(), source=str(delivery))


def _may_see(user: User, event: Event) -> bool:
    """Return whether the user may see the event's call: agents see their own calls, admins and managers all."""
    return Permission.SEE_ALL_CALLS in PERMISSIONS[user.role] or event.data.get("assigned_to") == str(user.id)


def _skipped(reason: str) -> Receipt:
    return Receipt(accepted=False, skipped=True, response={"reason": reason})
