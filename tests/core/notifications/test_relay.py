"""Tests of the relay of events with responses of every kind, failures, crashes and deadlocks."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from tests.core.imports.accidents import FailingWork, PowerCutError
from tests.core.notifications.outbox import ACCEPTED, LATER, MAIL, REFUSED, FakeDestination, OutboxScenario
from unite_core.errors import Deadlock, NotFound, Unavailable
from unite_core.events import Event
from unite_core.notifications.model import CLAIM_TTL, DEFAULT_RETRY, DeliveryStatus, Receipt
from unite_core.notifications.use_cases import RelayEvents

PENDING, DELIVERED, _, DEAD = DeliveryStatus


def test_all_due_events_are_delivered_in_batches() -> None:
    outbox = OutboxScenario(FakeDestination(at_once=10))
    events = outbox.record(25)

    assert outbox.relay(MAIL).delivered == 25

    assert [len(handed) for handed in outbox.mailbox.handed] == [10, 10, 5]
    assert sorted(event.id for handed in outbox.mailbox.handed for event in handed) == [event.id for event in events]
    assert {(it.status, it.attempts, it.delivered_at) for it in outbox.deliveries()} == {
        (DELIVERED, 1, outbox.clock.now())
    }
    assert outbox.relay(MAIL).delivered == 0


def test_an_unknown_destination_is_not_found() -> None:
    with pytest.raises(NotFound):
        OutboxScenario().relay("nobody")


def test_a_stopping_relay_leaves_the_rest_to_another() -> None:
    outbox = OutboxScenario(FakeDestination(at_once=1))
    outbox.record(3)

    assert outbox.relay(MAIL, should_stop=lambda: bool(outbox.mailbox.handed)).delivered == 1
    assert outbox.relay(MAIL, should_stop=lambda: True).delivered == 0
    assert outbox.relay(MAIL).delivered == 2


def test_the_response_of_a_destination_is_stored() -> None:
    outbox = OutboxScenario(FakeDestination(lambda _: Receipt(accepted=True, response={"message_id": "0c"})))
    outbox.record()

    outbox.relay(MAIL)

    assert [it.response for it in outbox.deliveries()] == [{"message_id": "0c"}]


def test_during_an_outage_only_one_batch_is_tried() -> None:
    outbox = OutboxScenario(FakeDestination(at_once=2))
    outbox.record(5)
    outbox.mailbox.fail(Unavailable("It is being moved."))

    assert outbox.relay(MAIL).delivered == 0

    assert [len(handed) for handed in outbox.mailbox.handed] == [2]
    failed = outbox.deliveries()
    assert {(it.status, it.attempts, it.held) for it in failed} == {(PENDING, 1, False)}
    assert [it.response for it in failed] == [{"error": "unavailable", "detail": "It is being moved."}] * 5
    now = outbox.clock.now()
    assert all(now + timedelta(seconds=0.5) <= it.next_attempt_at <= now + timedelta(seconds=1) for it in failed)


def test_after_an_outage_all_waiting_events_become_due() -> None:
    outbox = OutboxScenario(FakeDestination(at_once=2))
    outbox.record(4)
    outbox.mailbox.fail(Unavailable("It is being moved."))
    for _ in range(12):
        outbox.relay(MAIL)
        outbox.advance(minutes=10)
    outbox.relay(MAIL)
    outbox.mailbox.answer = lambda _: ACCEPTED
    min_length = min(it.next_attempt_at for it in outbox.deliveries())
    outbox.clock.advance(min_length - outbox.clock.now())

    assert outbox.relay(MAIL).delivered == 4


def test_failed_and_refused_events_do_not_delay_others() -> None:
    outbox = OutboxScenario(FakeDestination(at_once=2))
    events = outbox.record(6)
    receipts = dict(
        zip((event.id for event in events), [LATER, REFUSED, LATER, LATER, ACCEPTED, ACCEPTED], strict=True)
    )
    outbox.mailbox.answer = lambda event: receipts[event.id]

    assert outbox.relay(MAIL).delivered == 2

    statuses = {it.event_id: (it.status, it.held) for it in outbox.deliveries()}
    assert [statuses[event.id] for event in events] == [
        (PENDING, False),
        (DEAD, False),
        (PENDING, False),
        (PENDING, False),
        (DELIVERED, False),
        (DELIVERED, False),
    ]


@pytest.mark.parametrize("at_once", [1, 10])
def test_an_event_that_has_just_failed_is_not_due_again_because_another_was_accepted(at_once: int) -> None:
    outbox = OutboxScenario(FakeDestination(at_once=at_once))
    stubborn, other = outbox.record(2)
    outbox.mailbox.answer = lambda _: LATER
    outbox.relay(MAIL)
    assert [it.response for it in outbox.deliveries()] == [{"error": "not_taken"}] * 2
    outbox.mailbox.answer = lambda event: LATER if event.id == stubborn.id else ACCEPTED
    outbox.advance(seconds=10)

    outbox.relay(MAIL)

    assert outbox.mailbox.times() == {stubborn.id: 2, other.id: 2}
    assert [it.status for it in outbox.deliveries()] == [PENDING, DELIVERED]


def test_a_refused_event_is_a_dead_letter_at_once_and_not_retried() -> None:
    outbox = OutboxScenario(FakeDestination(lambda _: REFUSED))
    outbox.record()

    outbox.relay(MAIL)
    outbox.advance(days=10)
    outbox.relay(MAIL)

    assert [it.status for it in outbox.deliveries()] == [DEAD]
    assert len(outbox.mailbox.handed) == 1


def test_an_event_becomes_a_dead_letter_after_three_days_of_failures() -> None:
    outbox = OutboxScenario()
    outbox.record()
    outbox.mailbox.fail(Unavailable("It is gone for good."))
    outbox.relay(MAIL)

    outbox.clock.advance(DEFAULT_RETRY.give_up_after - timedelta(microseconds=1))
    outbox.relay(MAIL)
    assert [it.status for it in outbox.deliveries()] == [PENDING]
    outbox.advance(minutes=5)
    outbox.relay(MAIL)

    assert [(it.status, it.attempts) for it in outbox.deliveries()] == [(DEAD, 3)]


def test_an_event_that_was_not_tried_for_days_is_not_given_up() -> None:
    outbox = OutboxScenario()
    outbox.record()
    outbox.advance(days=30)
    outbox.mailbox.fail(Unavailable("It starts, too."))

    outbox.relay(MAIL)
    outbox.advance(days=1)
    outbox.relay(MAIL)

    assert [(it.status, it.attempts) for it in outbox.deliveries()] == [(PENDING, 2)]


@pytest.mark.parametrize("mistake", ["an error", "a receipt too few"])
def test_an_internal_error_of_a_destination_counts_as_a_failure_and_is_raised(mistake: str) -> None:
    outbox = OutboxScenario()
    outbox.record(2)
    if mistake == "an error":
        outbox.mailbox.fail(ZeroDivisionError())
    else:
        outbox.relay = RelayEvents(outbox.work, {MAIL: Forgetful()}, outbox.clock, outbox.ids)

    with pytest.raises((ZeroDivisionError, ValueError)):
        outbox.relay(MAIL)

    assert {(it.status, it.attempts, it.held) for it in outbox.deliveries()} == {(PENDING, 1, False)}
    assert {it.response["error"] for it in outbox.deliveries()} == {"internal_error"}


class Forgetful(FakeDestination):
    """Answers one event too few."""

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        return super().deliver(events, again)[1:]


def test_the_claim_of_a_crashed_relay_expires_after_two_minutes() -> None:
    outbox = OutboxScenario()
    (event,) = outbox.record()
    dying = RelayEvents(
        FailingWork(outbox.work, PowerCutError(), at=1), {MAIL: outbox.mailbox}, outbox.clock, outbox.ids
    )
    with pytest.raises(PowerCutError):
        dying(MAIL)

    outbox.clock.advance(CLAIM_TTL - timedelta(microseconds=1))
    assert outbox.relay(MAIL).delivered == 0
    outbox.clock.advance(timedelta(microseconds=1))
    assert outbox.relay(MAIL).delivered == 1

    assert outbox.mailbox.handed == [[event], [event]]
    assert [(it.status, it.attempts) for it in outbox.deliveries()] == [(DELIVERED, 2)]


@pytest.mark.parametrize("at", [0, 1], ids=["claiming", "settling"])
def test_a_transaction_that_loses_a_deadlock_is_retried(at: int) -> None:
    outbox = OutboxScenario()
    (event,) = outbox.record()
    relay = RelayEvents(
        FailingWork(outbox.work, Deadlock("Another was first."), at=at),
        {MAIL: outbox.mailbox},
        outbox.clock,
        outbox.ids,
    )

    assert relay(MAIL).delivered == 1

    assert outbox.mailbox.handed == [[event]]
    assert [(it.status, it.attempts) for it in outbox.deliveries()] == [(DELIVERED, 1)]


def test_a_relay_whose_claim_has_expired_does_not_overwrite_the_result_of_its_successor() -> None:
    outbox = OutboxScenario()
    outbox.record()

    def be_overtaken(_: Event) -> Receipt:
        outbox.mailbox.answer = lambda _: ACCEPTED
        outbox.clock.advance(CLAIM_TTL)
        assert outbox.relay(MAIL).delivered == 1
        return REFUSED

    outbox.mailbox.answer = be_overtaken
    outbox.relay(MAIL)

    assert [(it.status, it.attempts) for it in outbox.deliveries()] == [(DELIVERED, 2)]


def test_a_slow_clock_delays_events_and_loses_none() -> None:
    outbox = OutboxScenario()
    outbox.record(at=outbox.clock.now() + timedelta(minutes=1))
    outbox.record(at=outbox.clock.now() - timedelta(minutes=1))

    assert outbox.relay(MAIL).delivered == 1
    outbox.advance(minutes=1)
    assert outbox.relay(MAIL).delivered == 1
