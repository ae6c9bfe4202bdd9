"""Contract tests of every destination of events."""

import re
from abc import abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from unite_core.application import FullUnitOfWork
from unite_core.errors import NotFound
from unite_core.events import Event
from unite_core.identity.model import Role
from unite_core.notifications.audience import TASK_ASSIGNED, TASK_CREATED
from unite_core.notifications.destinations import TextsOfEvents, TopicOfEvents
from unite_core.notifications.model import TEXTS, delivery_id
from unite_core.notifications.ports import Destination, TextMessages, Topic, TopicMessage
from unite_core.testing.builders import a_user, an_event, an_id
from unite_core.testing.contracts.database import add_all
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING, FixedClock, SequentialIds
from unite_core.testing.in_memory.links import InMemoryLinks
from unite_core.unit_of_work import UnitOfWorkFactory

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

MAX_BATCH_SIZE = 1000
"""Events in a batch; more cannot be delivered well within the two minutes of a claim."""


class DestinationContract:
    """The contract of a destination. Define `destination`, an `event` that it gets, and the events it `received`."""

    @pytest.fixture
    @abstractmethod
    def destination(self) -> Destination:
        """Return the destination under test; at the start of each test it has received nothing that matters."""

    def event(self) -> Event:
        """Return a new event that the destination gets."""
        return an_event()

    @abstractmethod
    def received(self, _destination: Destination, events: Sequence[Event]) -> Sequence[UUID]:
        """Return the ids of those of the events that the destination received, each as often as it counts there."""

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


class TopicOfEventsContract(DestinationContract):
    """The topic as a destination. Define `topic`, and the messages that a subscriber has `heard`."""

    @pytest.fixture
    @abstractmethod
    def topic(self) -> Topic:
        """Return the topic that the destination publishes to."""

    @abstractmethod
    def heard(self, topic: Topic, sent: Sequence[TopicMessage]) -> Sequence[TopicMessage]:
        """Return the messages that a subscriber received, in any order."""

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

    @pytest.fixture
    @abstractmethod
    def texts(self) -> TextMessages:
        """Return the provider that the destination sends text messages by."""

    @abstractmethod
    def texted(self, texts: TextMessages) -> Sequence[UUID]:
        """Return the ids of the deliveries of the messages that were sent."""

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
