"""No destination passes the contract that does nothing, or forgets what it is for."""

from collections.abc import Callable, Collection, Sequence
from uuid import UUID

import pytest

from unite_core.events import Event
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import Destination
from unite_core.notifications.subscriptions import Subscription
from unite_core.testing.contracts import DestinationContract

Deliver = Callable[["Kept", Sequence[Event], Collection[UUID]], Sequence[Receipt]]


class Kept(Destination):
    """Has received what `deliver` puts into `ids`."""

    def __init__(self, deliver: Deliver, subscription: Subscription) -> None:
        self.subscription = subscription
        self.ids: list[UUID] = []
        self._deliver = deliver

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        return self._deliver(self, events, again)


class Suite(DestinationContract):
    __test__ = False  # it is run by hand below

    @pytest.fixture
    def destination(self) -> Destination:
        return Kept(right, MAIL)

    def received(self, destination: Destination, events: Sequence[Event]) -> Sequence[UUID]:
        assert isinstance(destination, Kept)
        known = {event.id for event in events}
        return [event_id for event_id in destination.ids if event_id in known]


ACCEPTED = Receipt(accepted=True)


def right(kept: Kept, events: Sequence[Event], _: Collection[UUID]) -> Sequence[Receipt]:
    kept.ids += [event.id for event in events if event.id not in kept.ids]
    return [ACCEPTED] * len(events)


def silent(_kept: Kept, _events: Sequence[Event], _again: Collection[UUID]) -> Sequence[Receipt]:
    return []


def pretending(_kept: Kept, events: Sequence[Event], _again: Collection[UUID]) -> Sequence[Receipt]:
    return [ACCEPTED] * len(events)


def refusing(_kept: Kept, events: Sequence[Event], _again: Collection[UUID]) -> Sequence[Receipt]:
    return [Receipt(accepted=False, refused=True)] * len(events)


def repeating(kept: Kept, events: Sequence[Event], _: Collection[UUID]) -> Sequence[Receipt]:
    kept.ids += [event.id for event in events]
    return [ACCEPTED] * len(events)


def trusting(kept: Kept, events: Sequence[Event], again: Collection[UUID]) -> Sequence[Receipt]:
    kept.ids += [event.id for event in events if event.id not in again]
    return [ACCEPTED] * len(events)


def only_one(kept: Kept, events: Sequence[Event], again: Collection[UUID]) -> Sequence[Receipt]:
    right(kept, events[:1], again)
    return [ACCEPTED] * len(events)


def failures(deliver: Deliver, subscription: Subscription) -> list[str]:
    """The tests of the suite that the destination fails."""
    failed = []
    for name in dir(Suite):
        if name.startswith("test_"):
            try:
                getattr(Suite(), name)(Kept(deliver, subscription))
            except (AssertionError, ValueError):
                failed.append(name)
    return failed


MAIL = Subscription(name="mail", batch_size=3)


def test_one_that_does_what_it_is_for_passes() -> None:
    assert failures(right, MAIL) == []


@pytest.mark.parametrize("deliver", [silent, pretending, refusing, repeating, trusting, only_one])
def test_a_destination_that_ignores_the_contract_fails_the_suite(deliver: Deliver) -> None:
    assert failures(deliver, MAIL)


@pytest.mark.parametrize(
    "subscription",
    [
        Subscription(name="Mail to everybody"),
        Subscription(name="mail", batch_size=0),
        Subscription(name="mail", accepts=lambda _: False),
    ],
    ids=["its name is no name", "its batches are empty", "it gets nothing"],
)
def test_one_whose_description_cannot_be_used_fails(subscription: Subscription) -> None:
    assert failures(right, subscription)
