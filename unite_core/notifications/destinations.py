"""Those who are told of events beside the activity log: the topic, and people by text message."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from uuid import UUID

from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import NotFound
from unite_core.events import Event
from unite_core.identity.model import PERMISSIONS, Permission, User
from unite_core.ids import Ids
from unite_core.notifications.audience import AUDIENCES, Audience, recipient
from unite_core.notifications.links import link_of
from unite_core.notifications.model import RATE_LIMITED, TEXTS, Receipt, delivery_id
from unite_core.notifications.ports import (
    Consent,
    Destination,
    TextMessage,
    TextMessages,
    TextsUnitOfWork,
    Topic,
    TopicMessage,
)
from unite_core.notifications.texts import compose
from unite_core.quotas import NO_LIMIT, Quotas
from unite_core.unit_of_work import UnitOfWorkFactory

VERSION = 1
"""Of what the topic is told: docs/events/event.v1.schema.json."""

OPTED_OUT = "opted_out"
"""The reason that nothing is sent to a number whose owner wants nothing, whether we know it or are told by refusal."""

_FOR_NOBODY = Receipt(taken=False, skipped=True, response={"reason": "no_audience"})


@dataclass(frozen=True)
class TopicOfEvents(Destination):
    """Publishes events as JSON, for whoever listens to the topic."""

    topic: Topic
    public_url: str
    at_once = 10

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:  # noqa: ARG002 - who listens goes by ids
        messages = [
            topic_message(event, AUDIENCES[event.type], self.public_url) for event in events if event.type in AUDIENCES
        ]
        published = iter(self.topic.publish(messages) if messages else ())
        return [next(published) if event.type in AUDIENCES else _FOR_NOBODY for event in events]


def topic_message(event: Event, audience: Audience, public_url: str) -> TopicMessage:
    """What the topic is told of the event (docs/messages.md)."""
    body = {
        "version": VERSION,
        "id": str(event.id),
        "type": event.type,
        "at": event.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "actor_id": str(event.actor_id) if event.actor_id else None,
        "correlation_id": event.correlation_id,
        "role": audience.role.value,
        "lead_ids": [str(lead_id) for lead_id in event.lead_ids],
        "import_id": str(event.import_id) if event.import_id else None,
        "link": link_of(event, public_url),
        "data": dict(event.data),
    }
    return TopicMessage(
        event_id=event.id,
        type=event.type,
        role=audience.role.value,
        correlation_id=event.correlation_id,
        body=json.dumps(body, separators=(",", ":")),
    )


@dataclass(frozen=True)
class TextsOfEvents(Destination):
    """Texts events to the people whom they concern, if these have a number and want messages.

    Within any hour one number gets up to `texts_per_number` messages, and all numbers together get up to `texts`; what
    is beyond that is skipped (`rate_limited`). A message counts when it is handed over, whether it is taken or not: the
    answer may be all that was lost. Handed over again, it counts once.

    Whoever is refused because they opted out with the carrier is known to have, from then on.
    """

    work: UnitOfWorkFactory[TextsUnitOfWork]
    reads: UnitOfWorkFactory[TextsUnitOfWork]
    messages: TextMessages
    clock: Clock
    ids: Ids
    public_url: str
    quotas: Quotas = field(default_factory=Quotas)
    at_once = 1

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        return [self._tell(event, look_first=event.id in again) for event in events]

    def _tell(self, event: Event, *, look_first: bool) -> Receipt:
        found = self._number(event)
        if isinstance(found, Receipt):
            return found
        message = TextMessage(
            delivery_id=delivery_id(event.id, TEXTS),
            to=found,
            text=compose(event, self.public_url),
            since=event.at,
            correlation_id=event.correlation_id,
        )
        if not retry_on_deadlock(lambda: self._count(message)):
            return _skipped(RATE_LIMITED)
        receipt = self.messages.send(message, look_first=look_first)
        if receipt.refused and receipt.response.get("reason") == OPTED_OUT:
            self._remember_opt_out(message)
        return receipt

    def _number(self, event: Event) -> str | Receipt:
        """The number that the event is texted to, or why it is texted to none."""
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
        """Count the message against the quotas; False, and nothing is counted, where one of them is used up."""
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

    def _remember_opt_out(self, message: TextMessage) -> None:
        with self.work() as work:
            work.consents.add(opt_out_by_refusal(message.delivery_id, message.to, self.ids, self.clock))
            work.commit()


def opt_out_by_refusal(delivery: UUID, phone: str, ids: Ids, clock: Clock) -> Consent:
    """What a delivery that was refused tells of whoever it was for."""
    return Consent(id=ids.new(), phone=phone, opted_out=True, at=clock.now(), source=str(delivery))


def _may_see(user: User, event: Event) -> bool:
    """Whether the user may see the call that the event tells of: an agent their own, admins and managers all."""
    return Permission.SEE_ALL_CALLS in PERMISSIONS[user.role] or event.data.get("assigned_to") == str(user.id)


def _skipped(reason: str) -> Receipt:
    return Receipt(taken=False, skipped=True, response={"reason": reason})
