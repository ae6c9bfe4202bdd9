"""Tests of the responses of destinations: stored, recorded in the activity log, and used to make others due."""

from collections.abc import Callable

import pytest

from tests.core.imports.accidents import FailingWork, PowerCutError
from tests.core.notifications.outbox import ACCEPTED, LATER, MAIL, REFUSED, SKIPPED, FakeDestination, OutboxScenario
from unite_core.errors import Unavailable
from unite_core.events import Event
from unite_core.notifications.events import ANSWERED
from unite_core.notifications.model import ACTIVITY, CLAIM_TTL, DEFAULT_RETRY, Delivery, DeliveryStatus, Receipt
from unite_core.notifications.subscriptions import ACTIVITY_SUBSCRIPTION
from unite_core.notifications.use_cases import RelayEvents
from unite_core.paging import PageRequest
from unite_core.testing.builders import an_event
from unite_core.testing.in_memory import InMemoryActivityLog, InMemoryUnitOfWorkFactory

PENDING, DELIVERED, NOT_SENT, DEAD = DeliveryStatus
TRACEPARENT = f"00-{'4b' * 16}-{'f0' * 8}-01"


class OutboxWithLog(OutboxScenario):
    """Events are recorded for the mailbox and for the activity log."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.log = InMemoryActivityLog()
        self.work = InMemoryUnitOfWorkFactory(
            self.store, subscriptions=(ACTIVITY_SUBSCRIPTION, self.mailbox.subscription)
        )
        self.relay = RelayEvents(self.work, {ACTIVITY: self.log, MAIL: self.mailbox}, self.clock, self.ids)

    def told_of(self, delivery: Delivery) -> list[Event]:
        """What the activity log says of the delivery, the oldest first."""
        self.relay(ACTIVITY)
        return [*self.log.of_delivery(delivery.id, PageRequest()).items][::-1]

    def to_mailbox(self) -> Delivery:
        (delivery,) = (it for it in self.deliveries() if it.destination == MAIL)
        return delivery


def answering(*receipts: Receipt) -> Callable[[Event], Receipt]:
    rest = iter(receipts)
    return lambda _: next(rest)


def test_each_response_is_recorded_in_the_activity_log() -> None:
    throttled = Receipt(accepted=False, response={"error_code": "Throttled"})
    taken = Receipt(accepted=True, response={"message_id": "0c", "parts": [1]})
    outbox = OutboxWithLog(FakeDestination(answering(throttled, taken)))
    (event,) = outbox.record()

    outbox.relay(MAIL)
    outbox.advance(minutes=1)
    outbox.relay(MAIL)

    first, second = outbox.told_of(outbox.to_mailbox())
    common = {"destination": MAIL, "event_id": str(event.id), "event_type": event.type}
    assert first.data == common | {"attempt": 1, "status": "pending", "response": {"error_code": "Throttled"}}
    assert second.data == common | {
        "attempt": 2,
        "status": "delivered",
        "response": {"message_id": "0c", "parts": [1]},
    }
    assert second.type == ANSWERED
    assert (second.at, second.actor_id, second.lead_ids) == (outbox.clock.now(), None, ())
    assert second.correlation_id == event.correlation_id


def test_what_is_told_of_a_delivery_follows_from_the_span_of_its_event() -> None:
    outbox = OutboxWithLog(FakeDestination(answering(Receipt(accepted=True, response={"message_id": "0c"}))))
    event = an_event(traceparent=TRACEPARENT)
    with outbox.work() as work:
        work.record(event)
        work.commit()

    outbox.relay(MAIL)

    (told,) = outbox.told_of(outbox.to_mailbox())
    assert told.traceparent == TRACEPARENT


def test_events_of_deliveries_go_only_to_the_activity_log_and_have_no_events_themselves() -> None:
    outbox = OutboxWithLog(FakeDestination(lambda _: Receipt(accepted=True, response={"message_id": "0c"})))
    outbox.record()
    for _ in range(3):
        outbox.relay(MAIL)
        outbox.relay(ACTIVITY)

    assert sum(outbox.mailbox.times().values()) == 1
    assert sorted((it.destination, it.status) for it in outbox.deliveries()) == [
        (ACTIVITY, DELIVERED),
        (ACTIVITY, DELIVERED),
        (MAIL, DELIVERED),
    ]


@pytest.mark.parametrize("receipt", [ACCEPTED, LATER, Receipt(accepted=False, skipped=True, response={"reason": "x"})])
def test_an_empty_response_is_not_recorded(receipt: Receipt) -> None:
    outbox = OutboxWithLog(FakeDestination(lambda _: receipt))
    outbox.record()

    outbox.relay(MAIL)

    assert outbox.told_of(outbox.to_mailbox()) == []


def test_a_repeated_failure_is_recorded_once() -> None:
    outbox = OutboxWithLog()
    (event,) = outbox.record()
    for detail in ["It is being moved."] * 3 + ["It fails with 503."] * 2:
        outbox.mailbox.fail(Unavailable(detail))
        outbox.relay(MAIL)
        outbox.advance(minutes=5)

    moved, failed = outbox.told_of(outbox.to_mailbox())

    assert moved.data == {
        "destination": MAIL,
        "event_id": str(event.id),
        "event_type": event.type,
        "attempt": 1,
        "status": "pending",
        "response": {"error": "unavailable", "detail": "It is being moved."},
    }
    assert (failed.data["attempt"], failed.data["response"]["detail"]) == (4, "It fails with 503.")


def test_an_internal_error_is_recorded_as_a_failure() -> None:
    outbox = OutboxWithLog()
    outbox.record()
    outbox.mailbox.fail(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        outbox.relay(MAIL)

    (failed,) = outbox.told_of(outbox.to_mailbox())

    assert failed.data["response"] == {"error": "internal_error"}


def test_a_failure_is_recorded_only_for_events_that_were_sent() -> None:
    outbox = OutboxWithLog(FakeDestination(at_once=1))
    outbox.record(3)
    outbox.mailbox.fail(Unavailable("It is being moved."))

    outbox.relay(MAIL)

    assert [len(outbox.told_of(it)) for it in outbox.deliveries() if it.destination == MAIL] == [1, 0, 0]


@pytest.mark.parametrize("at_once", [1, 3])
def test_each_delivery_that_becomes_a_dead_letter_has_an_event(at_once: int) -> None:
    outbox = OutboxWithLog(FakeDestination(at_once=at_once))
    outbox.record(3)
    outbox.mailbox.fail(Unavailable("It is being moved."))
    outbox.relay(MAIL)
    outbox.clock.advance(DEFAULT_RETRY.give_up_after)

    assert len(outbox.relay(MAIL).dead) == 3

    statuses = [outbox.told_of(it)[-1].data["status"] for it in outbox.deliveries() if it.destination == MAIL]
    assert statuses == ["dead"] * 3


def test_a_refusal_without_details_is_recorded_as_a_dead_letter() -> None:
    outbox = OutboxWithLog(FakeDestination(lambda _: REFUSED))
    outbox.record()

    outbox.relay(MAIL)

    assert [(it.data["status"], it.data["response"]) for it in outbox.told_of(outbox.to_mailbox())] == [("dead", {})]


def test_an_outage_of_the_activity_log_is_not_recorded() -> None:
    outbox = OutboxWithLog()
    outbox.record()
    away = FakeDestination(name=ACTIVITY, delivery_events=True)
    away.fail(Unavailable("It is being moved."))
    relay = RelayEvents(outbox.work, {ACTIVITY: away, MAIL: outbox.mailbox}, outbox.clock, outbox.ids)

    relay(ACTIVITY)

    assert len(outbox.deliveries()) == 2


def test_a_response_is_recorded_only_in_the_transaction_that_stores_it() -> None:
    outbox = OutboxWithLog(FakeDestination(lambda _: Receipt(accepted=True, response={"message_id": "0c"})))
    outbox.record()
    work = FailingWork(outbox.work, PowerCutError(), at=1)
    with pytest.raises(PowerCutError):
        RelayEvents(work, outbox.relay.destinations, outbox.clock, outbox.ids)(MAIL)
    assert outbox.told_of(outbox.to_mailbox()) == []
    outbox.clock.advance(CLAIM_TTL)

    outbox.relay(MAIL)

    assert [it.data["attempt"] for it in outbox.told_of(outbox.to_mailbox())] == [2]


def test_an_event_without_a_recipient_is_skipped_and_can_be_replayed() -> None:
    outbox = OutboxScenario(
        FakeDestination(lambda _: Receipt(accepted=False, skipped=True, response={"reason": "no_phone"}))
    )
    outbox.record()

    assert outbox.relay(MAIL).delivered == 0

    (skipped,) = outbox.deliveries()
    assert (skipped.status, skipped.held, skipped.delivered_at) == (NOT_SENT, False, None)
    assert skipped.response == {"reason": "no_phone"}
    outbox.advance(days=10)
    assert outbox.relay(MAIL).dead == ()
    skipped.replay(outbox.clock.now())
    assert skipped.status is PENDING


def test_dead_letters_are_returned() -> None:
    outbox = OutboxScenario(FakeDestination(answering(ACCEPTED, REFUSED, SKIPPED, LATER, REFUSED), at_once=1))
    events = outbox.record(5)

    relayed = outbox.relay(MAIL)

    assert relayed.delivered == 1
    assert [it.event_id for it in relayed.dead] == [events[1].id, events[4].id]


def test_a_dead_letter_is_passed_to_on_dead_even_if_the_relay_raises_afterwards() -> None:
    outbox = OutboxScenario(FakeDestination(answering(REFUSED), at_once=1))
    refused, waiting = outbox.record(2)
    named: list[Delivery] = []
    with pytest.raises(StopIteration):
        outbox.relay(MAIL, on_dead=named.append)
    assert [it.event_id for it in named] == [refused.id]

    outbox.clock.advance(DEFAULT_RETRY.give_up_after)
    with pytest.raises(StopIteration):
        outbox.relay(MAIL, on_dead=named.append)

    assert [(it.event_id, it.status) for it in named] == [(refused.id, DEAD), (waiting.id, DEAD)]


def after_an_outage(count: int, *, due: int) -> OutboxScenario:
    """What was recorded waits for minutes yet, but for a few that are due."""
    outbox = OutboxScenario(FakeDestination(at_once=1))
    outbox.record(count)
    outbox.mailbox.fail(Unavailable("It is being moved."))
    for _ in range(12):
        outbox.advance(minutes=5)
        outbox.relay(MAIL)
    if due:
        moments = sorted(it.next_attempt_at for it in outbox.deliveries())
        outbox.clock.advance(moments[due - 1] - outbox.clock.now())
    outbox.mailbox.handed.clear()
    return outbox


@pytest.mark.parametrize("answer", [REFUSED, SKIPPED])
def test_after_an_outage_a_refusal_makes_no_other_deliveries_due(answer: Receipt) -> None:
    outbox = after_an_outage(4, due=1)
    outbox.mailbox.answer = lambda _: answer

    outbox.relay(MAIL)

    assert len(outbox.mailbox.handed) == 1


@pytest.mark.parametrize("answer", [REFUSED, SKIPPED])
def test_after_an_outage_an_acceptance_makes_other_deliveries_due_despite_a_refusal(answer: Receipt) -> None:
    outbox = after_an_outage(4, due=2)
    outbox.mailbox.answer = lambda _: answer if len(outbox.mailbox.handed) == 1 else ACCEPTED

    assert outbox.relay(MAIL).delivered == 3


def test_an_attempt_of_a_crashed_relay_is_not_a_failure_of_the_destination() -> None:
    outbox = after_an_outage(1, due=0)
    (event,) = outbox.record()
    outbox.mailbox.answer = lambda _: ACCEPTED
    with pytest.raises(PowerCutError):
        RelayEvents(
            FailingWork(outbox.work, PowerCutError(), at=1), outbox.relay.destinations, outbox.clock, outbox.ids
        )(MAIL)
    outbox.clock.advance(CLAIM_TTL)

    outbox.relay(MAIL)

    assert outbox.mailbox.times() == {event.id: 2}
