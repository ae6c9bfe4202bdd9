"""Contract tests of every destination of events."""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

import pytest

from unite_core.application import FullUnitOfWork
from unite_core.errors import NotFound, Unavailable
from unite_core.events import Event
from unite_core.identity.model import Role
from unite_core.notifications.audience import AUDIENCES, TASK_ASSIGNED, TASK_CREATED
from unite_core.notifications.destinations import TextsOfEvents, TopicOfEvents
from unite_core.notifications.model import TEXTS, delivery_id
from unite_core.notifications.ports import Destination, TextMessages, Topic, TopicMessage
from unite_core.testing.builders import a_user, an_event, an_id
from unite_core.testing.contracts.database import add_all
from unite_core.testing.contracts.missing import missing_fixture, missing_method
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING, FixedClock, SequentialIds
from unite_core.testing.in_memory.links import InMemoryLinks
from unite_core.unit_of_work import UnitOfWorkFactory

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

MAX_BATCH_SIZE = 1000
"""Events in a batch; more cannot be delivered well within the two minutes of a claim."""


_TAKEN = (True, False, False)
_SKIPPED = (False, True, False)
"""Whether a receipt says that the event was taken, skipped, and refused."""


class DestinationContract:
    """The contract of a destination. Derive a test class with fixtures `destination` and `outage`, and `received`.

    Define `event` too if the destination does not accept every event.
    """

    has_ping: ClassVar[bool] = True
    """Whether `ping` asks the server of the destination; set it to False if it cannot be asked."""

    @pytest.fixture
    def destination(self) -> Destination:
        """Return the destination under test; at the start of each test it has received nothing that matters."""
        raise missing_fixture(self, "destination", "the `Destination` under test")

    def event(self) -> Event:
        """Return a new event that the destination gets."""
        return an_event()

    def received(self, _destination: Destination, events: Sequence[Event]) -> Sequence[UUID]:
        """Return the ids of those of the events that the destination received, each as often as it counts there."""
        raise missing_method(
            self, "received", "the ids of those of the events that the destination received, a `Sequence[UUID]`"
        )

    @pytest.fixture
    def outage(self) -> AbstractContextManager[object] | None:
        """Return a context manager inside which `destination` cannot deliver; None if it always can."""
        what = "a context manager inside which the server of `destination` fails at every call, or None if it has none"
        raise missing_fixture(self, "outage", what)

    def test_its_subscription_is_valid(self, destination: Destination) -> None:
        subscription = destination.subscription

        assert _NAME.fullmatch(subscription.name)
        assert 1 <= subscription.batch_size <= MAX_BATCH_SIZE
        assert timedelta() < subscription.retry.first_pause <= subscription.retry.max_pause
        assert subscription.retry.max_pause <= subscription.retry.give_up_after
        assert [*subscription.follow_up] == sorted({*subscription.follow_up})
        assert all(after > timedelta() for after in subscription.follow_up)

    def test_it_receives_events_about_deliveries_only_if_it_subscribes_to_them(self, destination: Destination) -> None:
        about_a_delivery = an_event(type="delivery.answered", lead_ids=(), delivery_id=an_id())

        assert destination.subscription.includes(self.event())
        assert destination.subscription.includes(about_a_delivery) is destination.subscription.delivery_events

    def test_an_event_arrives_and_its_receipt_says_so(self, destination: Destination) -> None:
        event, other = self.event(), self.event()

        receipts = destination.deliver([event])

        assert [receipt.accepted for receipt in receipts] == [True]
        assert [*self.received(destination, [event, other])] == [event.id]

    def test_without_an_event_there_is_no_receipt(self, destination: Destination) -> None:
        assert [*destination.deliver([])] == []

    def test_a_whole_batch_arrives_with_a_receipt_for_each_event(self, destination: Destination) -> None:
        events = [self.event() for _ in range(destination.subscription.batch_size)]

        receipts = destination.deliver(events)

        assert [receipt.accepted for receipt in receipts] == [True] * len(events)
        assert sorted(self.received(destination, events)) == sorted(event.id for event in events)

    def test_a_repeated_event_is_delivered_once(self, destination: Destination) -> None:
        event = self.event()
        destination.deliver([event])

        (again,) = destination.deliver([event], {event.id})

        assert again.accepted
        assert [*self.received(destination, [event])] == [event.id]

    def test_an_event_marked_as_repeated_that_is_new_is_delivered(self, destination: Destination) -> None:
        event = self.event()

        (receipt,) = destination.deliver([event], {event.id})

        assert receipt.accepted
        assert [*self.received(destination, [event])] == [event.id]

    def test_new_and_repeated_events_of_a_batch_arrive_once(self, destination: Destination) -> None:
        for old in (self.event() for _ in range(2)):
            destination.deliver([old])
            for batch in _batches(destination, [self.event(), old, self.event()]):
                receipts = destination.deliver(batch, {old.id, an_id()})

                assert [receipt.accepted for receipt in receipts] == [True] * len(batch)
                assert sorted(self.received(destination, batch)) == sorted(event.id for event in batch)

    def test_an_event_of_another_kind_is_skipped(self, destination: Destination) -> None:
        others = [event for event in _events_of_every_kind() if not destination.subscription.accepts(event)]

        for other in others:
            first, last = self.event(), self.event()
            batches = _batches(destination, [first, other, last])
            receipts = [receipt for batch in batches for receipt in destination.deliver(batch)]

            assert [(it.accepted, it.skipped, it.refused) for it in receipts] == [_TAKEN, _SKIPPED, _TAKEN]
            assert sorted(self.received(destination, [first, other, last])) == sorted([first.id, last.id])

    def test_without_its_server_it_is_unavailable(
        self, destination: Destination, outage: AbstractContextManager[object] | None
    ) -> None:
        event = self.event()
        if outage is None:
            return

        with outage:
            with pytest.raises(Unavailable):
                destination.deliver([event])
            if self.has_ping:
                with pytest.raises(Unavailable):
                    destination.ping()

        assert [*self.received(destination, [event])] == []

    def test_a_receipt_has_one_result(self, destination: Destination) -> None:
        (receipt,) = destination.deliver([self.event()])

        assert (receipt.accepted, receipt.skipped, receipt.refused) == _TAKEN

    def test_a_receipt_has_plain_values(self, destination: Destination) -> None:
        (receipt,) = destination.deliver([self.event()])

        assert all(isinstance(name, str) for name in receipt.response)
        assert all(isinstance(value, str | int | float | None) for value in receipt.response.values())

    def test_the_ping_succeeds(self, destination: Destination) -> None:
        destination.ping()

    def test_an_accepted_event_can_be_looked_up_if_it_has_a_follow_up(self, destination: Destination) -> None:
        (receipt,) = destination.deliver([self.event()])

        report = destination.report_of(receipt.response)

        if report is None:
            assert not destination.subscription.follow_up
            with pytest.raises(NotFound):
                destination.look_up("no-message")
        else:
            assert destination.look_up(report.message_id).message_id == report.message_id
            assert [*destination.follow_up_of(receipt.response)] in ([], [*destination.subscription.follow_up])

    def test_a_response_without_a_message_has_no_report(self, destination: Destination) -> None:
        assert destination.report_of({}) is None
        assert [*destination.follow_up_of({})] == []


def _batches(destination: Destination, events: Sequence[Event]) -> Sequence[Sequence[Event]]:
    """Divide the events into batches that the destination takes."""
    size = destination.subscription.batch_size
    return [events[start : start + size] for start in range(0, len(events), size)]


def _events_of_every_kind() -> Sequence[Event]:
    """Return an event of each type that some destination does not get, and others."""
    return [
        an_event(type=type_) for type_ in (*AUDIENCES, "lead.created", "lead.updated", "user.updated", "unheard.of")
    ]


class TopicOfEventsContract(DestinationContract):
    """The topic as a destination. Define `topic`, and the messages that a subscriber has `heard`."""

    has_ping = False

    @pytest.fixture
    def outage(self) -> AbstractContextManager[object] | None:
        """Return None: the suite of the topic has the tests without a server."""
        return None

    @pytest.fixture
    def topic(self) -> Topic:
        """Return the topic that the destination publishes to."""
        raise missing_fixture(self, "topic", "the `Topic` that the destination publishes to")

    def heard(self, topic: Topic, sent: Sequence[TopicMessage]) -> Sequence[TopicMessage]:
        """Return the messages that a subscriber received, in any order."""
        raise missing_method(
            self, "heard", "the messages that a subscriber of the topic received, a `Sequence[TopicMessage]`"
        )

    @pytest.fixture
    def destination(self, topic: Topic) -> TopicOfEvents:
        return TopicOfEvents(topic, InMemoryLinks())

    def event(self) -> Event:
        return an_event(type=TASK_CREATED)

    def received(self, destination: Destination, events: Sequence[Event]) -> Sequence[UUID]:
        assert isinstance(destination, TopicOfEvents)
        # Subscribers deduplicate by the id of the event: the same message twice counts once.
        ids = {message.event_id for message in self.heard(destination.topic, ())}
        return [event.id for event in events if event.id in ids]


class TextsOfEventsContract(DestinationContract):
    """Text messages as a destination. Define `texts`, `work` and `reads`, and the deliveries that were `texted`."""

    has_ping = False

    @pytest.fixture
    def outage(self) -> AbstractContextManager[object] | None:
        """Return None: the suite of text messages has the tests without a provider."""
        return None

    @pytest.fixture
    def texts(self) -> TextMessages:
        """Return the provider that the destination sends text messages by."""
        raise missing_fixture(self, "texts", "the `TextMessages` that the destination sends text messages by")

    def texted(self, texts: TextMessages) -> Sequence[UUID]:
        """Return the ids of the deliveries of the messages that were sent."""
        raise missing_method(
            self, "texted", "the ids of the deliveries of the messages that were sent, a `Sequence[UUID]`"
        )

    @pytest.fixture
    def destination(
        self, texts: TextMessages, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> TextsOfEvents:
        self._work = work
        return TextsOfEvents(work, reads, texts, FixedClock(), SequentialIds(), InMemoryLinks())

    def event(self) -> Event:
        number = an_id().int % 10**4
        agent = a_user(role=Role.AGENT, phone=f"+1202555{number:04}")
        add_all(self._work, agent)
        data = {"assigned_to": str(agent.id), "task_id": str(an_id()), "due_at": A_MONDAY_MORNING.isoformat()}
        return an_event(type=TASK_ASSIGNED, data=data)

    def received(self, destination: Destination, events: Sequence[Event]) -> Sequence[UUID]:
        assert isinstance(destination, TextsOfEvents)
        event_of = {delivery_id(event.id, TEXTS): event.id for event in events}
        return [event_of[delivery] for delivery in self.texted(destination.messages) if delivery in event_of]
