"""Broken destinations of events."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.contracts.broken.making import Port, doing_nothing, raising, returning, with_methods
from tests.contracts.broken.messages import away
from unite_core.errors import Conflict, NotFound, Unavailable
from unite_core.events import Event
from unite_core.notifications.delivery_reports import DeliveryReport, MessageProgress
from unite_core.notifications.model import Receipt, RetryPolicy
from unite_core.notifications.ports import Destination
from unite_core.notifications.subscriptions import Subscription
from unite_core.testing.builders import an_event
from unite_core.testing.contracts import DestinationContract

_TAKEN = Receipt(accepted=True, response={"status": 202})
_SKIPPED = Receipt(accepted=False, skipped=True)
MAIL = Subscription(name="mail", batch_size=3, accepts=lambda event: event.type.startswith(("lead.", "delivery.")))
FOLLOWED = replace(MAIL, follow_up=(timedelta(minutes=1), timedelta(hours=1)))


class Mail(Destination):
    """A mailbox whose server can be unavailable."""

    subscription = MAIL
    away = False

    def __init__(self) -> None:
        self.ids: list[UUID] = []

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        self.ping()
        return [self.take(event, may_be_known=event.id in again) for event in events]

    def take(self, event: Event, *, may_be_known: bool) -> Receipt:
        """Put one event into the mailbox; `may_be_known` does not matter because it knows all that it has."""
        del may_be_known
        if not self.subscription.accepts(event):
            return _SKIPPED
        if event.id not in self.ids:
            self.ids.append(event.id)
        return _TAKEN

    def ping(self) -> None:
        if self.away:
            raise Unavailable("The mailbox does not answer.")


class FollowedMail(Mail):
    """A mailbox that reports the status of each message."""

    subscription = FOLLOWED

    def take(self, event: Event, *, may_be_known: bool) -> Receipt:
        receipt = super().take(event, may_be_known=may_be_known)
        return replace(receipt, response={"message_id": str(event.id)}) if receipt.accepted else receipt

    def report_of(self, response: Mapping[str, Any]) -> DeliveryReport | None:
        if "message_id" not in response:
            return None
        return DeliveryReport(
            message_id=response["message_id"], progress=MessageProgress.QUEUED, complete=False, response=response
        )

    def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:  # noqa: ARG002 - it takes no time
        report = self.report_of({"message_id": message_id})
        if report is None or message_id not in map(str, self.ids):
            raise NotFound("There is no such message.")
        return report


def suite(make: Callable[[], Any]) -> type:
    class Suite(DestinationContract):
        @pytest.fixture
        def destination(self) -> Any:
            return make()

        @pytest.fixture
        def outage(self, destination: Any) -> AbstractContextManager[None]:
            return away(destination)

        def event(self) -> Event:
            return an_event(type="lead.created")

        def received(self, destination: Destination, events: Sequence[Event]) -> Sequence[UUID]:
            assert isinstance(destination, Mail)
            known = {event.id for event in events}
            return [event_id for event_id in destination.ids if event_id in known]

    return Suite


def _unchecked(valid: Any, **changes: Any) -> Any:
    """Return a copy with values that the class would refuse."""
    changed = copy(valid)
    for name, value in changes.items():
        object.__setattr__(changed, name, value)
    return changed


def _described(**changes: Any) -> Any:
    return with_methods(Mail, subscription=_unchecked(MAIL, **changes))


def _delivering(deliver: Callable[..., Any]) -> Any:
    return with_methods(Mail, deliver=deliver)


def _taking(take: Callable[..., Any]) -> Any:
    return with_methods(Mail, take=take)


def _take_repeated(self: Any, event: Event, **_: Any) -> Receipt:
    self.ids.append(event.id) if self.subscription.accepts(event) else None
    return _TAKEN if self.subscription.accepts(event) else _SKIPPED


def _take_trusting(self: Any, event: Event, *, may_be_known: bool) -> Receipt:
    return _TAKEN if may_be_known else Mail.take(self, event, may_be_known=False)


def _take_refusing_repeats(self: Any, event: Event, *, may_be_known: bool) -> Receipt:
    if event.id in self.ids:
        return Receipt(accepted=False, refused=True)
    return Mail.take(self, event, may_be_known=may_be_known)


def _take_everything(self: Any, event: Event, **_: Any) -> Receipt:
    if event.id not in self.ids:
        self.ids.append(event.id)
    return _TAKEN


def _take_other_kinds(answer: Receipt) -> Any:
    return _taking(
        lambda self, event, *, may_be_known: (
            Mail.take(self, event, may_be_known=may_be_known) if self.subscription.accepts(event) else answer
        )
    )


def _deliver_some(choose: Callable[[list[Event]], list[Event]]) -> Any:
    """Return a destination that delivers some of the events, and says that it took all."""

    def deliver(self: Any, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        Mail.deliver(self, choose([*events]), again)
        return [_TAKEN if self.subscription.accepts(event) else _SKIPPED for event in events]

    return _delivering(deliver)


def _deliver_when_away(answer: Callable[..., Any]) -> Any:
    return _delivering(
        lambda self, events, again=(): answer(self, events) if self.away else Mail.deliver(self, events, again)
    )


def _deliver_sorted_out(self: Any, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
    """Return the receipts of the skipped events after the others."""
    return sorted(Mail.deliver(self, events, again), key=lambda receipt: receipt.skipped)


def _deliver_without_others(self: Any, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
    return [receipt for receipt in Mail.deliver(self, events, again) if not receipt.skipped]


def _deliver_whole_or_known(self: Any, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
    """Take a batch for known if one of its events is."""
    if any(event.id in self.ids for event in events):
        return [_TAKEN] * len(events)
    return Mail.deliver(self, events, again)


def _deliver_or_raise(self: Any, events: Sequence[Event], again: Collection[UUID]) -> Sequence[Receipt]:
    if self.away:
        raise Unavailable("The mailbox does not answer.")
    return Mail.deliver(self, events, again)


def _deliver_refusing(_: Any, events: Sequence[Event], __: Collection[UUID] = ()) -> Sequence[Receipt]:
    return [Receipt(accepted=False, refused=True)] * len(events)


PORT = Port(
    name="Destination",
    suite=suite,
    right=Mail,
    broken={
        "it does nothing": _delivering(lambda *_: []),
        "it receives nothing": _deliver_some(lambda _: []),
        "it refuses everything": _delivering(_deliver_refusing),
        "it skips everything": _taking(lambda *_, **__: _SKIPPED),
        "it takes the first event alone": _deliver_some(lambda events: events[:1]),
        "it does not take the last event": _deliver_some(lambda events: events[:-1]),
        "it takes the first two events": _deliver_some(lambda events: events[:2]),
        "it takes repeated events twice": _taking(_take_repeated),
        "it takes events that are marked as repeated for known": _taking(_take_trusting),
        "it takes a batch with a known event for known": _delivering(_deliver_whole_or_known),
        "it refuses repeated events": _taking(_take_refusing_repeats),
        "it takes events of other kinds": _taking(_take_everything),
        "it says that it took events of other kinds": _take_other_kinds(_TAKEN),
        "it refuses events of other kinds": _take_other_kinds(Receipt(accepted=False, refused=True)),
        "it leaves events of other kinds for a retry": _take_other_kinds(Receipt(accepted=False)),
        "it raises at events of other kinds": _taking(
            lambda self, event, *, may_be_known: (
                Mail.take(self, event, may_be_known=may_be_known)
                if self.subscription.accepts(event)
                else raising(Conflict("No such event."))
            )
        ),
        "it has no receipts for events of other kinds": _delivering(_deliver_without_others),
        "its receipts are in another order": _delivering(_deliver_sorted_out),
        "it has one receipt for a batch": returning(Mail, "deliver", lambda receipts: receipts[:1]),
        "it has a receipt for no event": returning(Mail, "deliver", lambda receipts: receipts or [_TAKEN]),
        "no event is an error": _delivering(
            lambda self, events, again=(): (
                Mail.deliver(self, events, again) if events else raising(ValueError("There is no event."))
            )
        ),
        "its receipts are taken and refused": returning(
            Mail, "deliver", lambda receipts: [replace(it, refused=it.accepted) for it in receipts]
        ),
        "its receipts are taken and skipped": returning(
            Mail, "deliver", lambda receipts: [replace(it, skipped=True) for it in receipts]
        ),
        "its receipts have values that are not plain": returning(
            Mail, "deliver", lambda receipts: [replace(it, response={"codes": [1, 2]}) for it in receipts]
        ),
        "its receipts have names that are not texts": returning(
            Mail, "deliver", lambda receipts: [replace(it, response={1: "one"}) for it in receipts]
        ),
        "its receipts have ids that are not texts": returning(
            Mail, "deliver", lambda receipts: [replace(it, response={"id": UUID(int=1)}) for it in receipts]
        ),
        "its name has spaces": _described(name="Mail to everybody"),
        "its name is empty": _described(name=""),
        "its name is too long": _described(name="m" * 41),
        "its batches are empty": _described(batch_size=0),
        "its batches are too large": _described(batch_size=1001),
        "it gets nothing": _described(accepts=lambda _: False),
        "it does not get what it says that it takes": _described(accepts=lambda event: event.type == "lead.deleted"),
        "its pauses get shorter": _described(
            retry=_unchecked(RetryPolicy(), first_pause=timedelta(minutes=9), max_pause=timedelta(minutes=1))
        ),
        "it has no pauses": _described(retry=_unchecked(RetryPolicy(), first_pause=timedelta())),
        "it gives up before the first pause": _described(
            retry=_unchecked(RetryPolicy(), give_up_after=timedelta(seconds=1))
        ),
        "its times of follow-up are unsorted": _described(follow_up=(timedelta(hours=1), timedelta(minutes=1))),
        "its times of follow-up have passed": _described(follow_up=(timedelta(), timedelta(minutes=1))),
        "it follows what it cannot look up": with_methods(
            FollowedMail, look_up=lambda *_, **__: raising(NotFound("There is no such message."))
        ),
        "it looks up another message": with_methods(
            FollowedMail, look_up=lambda self, *_, **__: self.report_of({"message_id": "another"})
        ),
        "it reports on an empty response": with_methods(
            FollowedMail,
            report_of=lambda self, response: FollowedMail.report_of(self, {"message_id": "none", **response}),
        ),
        "it has a follow-up and no report": with_methods(FollowedMail, report_of=lambda *_: None),
        "its follow-up is another one": with_methods(FollowedMail, follow_up_of=lambda *_: (timedelta(days=1),)),
        "it cannot be looked up and says so as None": doing_nothing(Mail, "look_up"),
        "the ping fails": with_methods(
            Mail, ping=lambda _: raising(Unavailable("It never answers.")), deliver=Mail.deliver
        ),
        "the ping succeeds without the server": with_methods(
            Mail, ping=lambda _: None, deliver=lambda self, events, again=(): _deliver_or_raise(self, events, again)
        ),
        "the ping raises the error of its client": with_methods(
            Mail, ping=lambda self: raising(ConnectionError("Connection refused.")) if self.away else None
        ),
        "it raises the error of its client without the server": _deliver_when_away(
            lambda *_: raising(ConnectionError("Connection refused."))
        ),
        "it raises another error without the server": _deliver_when_away(lambda *_: raising(Conflict("No answer."))),
        "it returns no receipts without the server": _deliver_when_away(lambda *_: []),
        "it leaves events for a retry without the server": _deliver_when_away(
            lambda _, events: [Receipt(accepted=False)] * len(events)
        ),
        "it says that it took events without the server": _deliver_when_away(lambda _, events: [_TAKEN] * len(events)),
        "it raises although it took events": _deliver_when_away(
            lambda self, events: (
                self.ids.extend(event.id for event in events),
                raising(Unavailable("The response was lost.")),
            )
        ),
    },
)

FOLLOWED_PORT = Port(name="FollowedDestination", suite=suite, right=FollowedMail, broken={})
