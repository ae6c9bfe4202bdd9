"""What a relay does with what waits, with answers of every kind and with none."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from tests.core.imports.accidents import FailingWork, PowerCutError
from tests.core.notifications.outbox import LATER, MAIL, REFUSED, TAKEN, FakeDestination, OutboxScenario
from unite_core.errors import Deadlock, NotFound, Unavailable
from unite_core.events import Event
from unite_core.notifications.model import CLAIM_TTL, DEFAULT_RETRY, DeliveryStatus, Receipt
from unite_core.notifications.use_cases import RelayEvents

PENDING, DELIVERED, _, DEAD = DeliveryStatus


def test_everything_that_is_due_is_handed_over_a_few_at_a_time() -> None:
    post = OutboxScenario(FakeDestination(at_once=10))
    events = post.record(25)

    assert post.relay(MAIL).delivered == 25

    assert [len(handed) for handed in post.mailbox.handed] == [10, 10, 5]
    assert sorted(event.id for handed in post.mailbox.handed for event in handed) == [event.id for event in events]
    assert {(it.status, it.attempts, it.delivered_at) for it in post.deliveries()} == {(DELIVERED, 1, post.clock.now())}
    assert post.relay(MAIL).delivered == 0


def test_a_destination_that_there_is_not_is_not_found() -> None:
    with pytest.raises(NotFound):
        OutboxScenario().relay("nobody")


def test_a_relay_that_has_to_stop_leaves_the_rest_to_another() -> None:
    post = OutboxScenario(FakeDestination(at_once=1))
    post.record(3)

    assert post.relay(MAIL, should_stop=lambda: bool(post.mailbox.handed)).delivered == 1
    assert post.relay(MAIL, should_stop=lambda: True).delivered == 0
    assert post.relay(MAIL).delivered == 2


def test_what_a_destination_answered_is_kept() -> None:
    post = OutboxScenario(FakeDestination(lambda _: Receipt(taken=True, response={"message_id": "0c"})))
    post.record()

    post.relay(MAIL)

    assert [it.response for it in post.deliveries()] == [{"message_id": "0c"}]


def test_while_a_destination_does_not_answer_no_more_is_handed_over_than_once() -> None:
    post = OutboxScenario(FakeDestination(at_once=2))
    post.record(5)
    post.mailbox.fail(Unavailable("It is being moved."))

    assert post.relay(MAIL).delivered == 0

    assert [len(handed) for handed in post.mailbox.handed] == [2]
    failed = post.deliveries()
    assert {(it.status, it.attempts, it.held) for it in failed} == {(PENDING, 1, False)}
    assert [it.response for it in failed] == [{"error": "unavailable", "detail": "It is being moved."}] * 5
    now = post.clock.now()
    assert all(now + timedelta(seconds=0.5) <= it.next_attempt_at <= now + timedelta(seconds=1) for it in failed)


def test_once_a_destination_answers_again_nothing_waits_any_longer() -> None:
    post = OutboxScenario(FakeDestination(at_once=2))
    post.record(4)
    post.mailbox.fail(Unavailable("It is being moved."))
    for _ in range(12):
        post.relay(MAIL)
        post.advance(minutes=10)
    post.relay(MAIL)
    post.mailbox.answer = lambda _: TAKEN
    min_length = min(it.next_attempt_at for it in post.deliveries())
    post.clock.advance(min_length - post.clock.now())

    assert post.relay(MAIL).delivered == 4


def test_the_ones_that_fail_hold_the_others_up_no_more_than_those_that_are_refused() -> None:
    post = OutboxScenario(FakeDestination(at_once=2))
    events = post.record(6)
    answers = dict(zip((event.id for event in events), [LATER, REFUSED, LATER, LATER, TAKEN, TAKEN], strict=True))
    post.mailbox.answer = lambda event: answers[event.id]

    assert post.relay(MAIL).delivered == 2

    statuses = {it.event_id: (it.status, it.held) for it in post.deliveries()}
    assert [statuses[event.id] for event in events] == [
        (PENDING, False),
        (DEAD, False),
        (PENDING, False),
        (PENDING, False),
        (DELIVERED, False),
        (DELIVERED, False),
    ]


@pytest.mark.parametrize("at_once", [1, 10])
def test_what_failed_just_now_is_not_back_at_once_because_another_one_was_taken(at_once: int) -> None:
    post = OutboxScenario(FakeDestination(at_once=at_once))
    stubborn, other = post.record(2)
    post.mailbox.answer = lambda _: LATER
    post.relay(MAIL)
    post.mailbox.answer = lambda event: LATER if event.id == stubborn.id else TAKEN
    post.advance(seconds=10)

    post.relay(MAIL)

    assert post.mailbox.times() == {stubborn.id: 2, other.id: 2}
    assert [it.status for it in post.deliveries()] == [PENDING, DELIVERED]


def test_a_refused_event_is_dead_at_once_and_never_handed_over_again() -> None:
    post = OutboxScenario(FakeDestination(lambda _: REFUSED))
    post.record()

    post.relay(MAIL)
    post.advance(days=10)
    post.relay(MAIL)

    assert [it.status for it in post.deliveries()] == [DEAD]
    assert len(post.mailbox.handed) == 1


def test_after_three_days_of_failures_an_event_is_dead() -> None:
    post = OutboxScenario()
    post.record()
    post.mailbox.fail(Unavailable("It is gone for good."))
    post.relay(MAIL)

    post.clock.advance(DEFAULT_RETRY.give_up_after - timedelta(microseconds=1))
    post.relay(MAIL)
    assert [it.status for it in post.deliveries()] == [PENDING]
    post.advance(minutes=5)
    post.relay(MAIL)

    assert [(it.status, it.attempts) for it in post.deliveries()] == [(DEAD, 3)]


def test_an_event_that_nobody_relayed_for_days_is_not_given_up_for_that() -> None:
    post = OutboxScenario()
    post.record()
    post.advance(days=30)
    post.mailbox.fail(Unavailable("It starts, too."))

    post.relay(MAIL)
    post.advance(days=1)
    post.relay(MAIL)

    assert [(it.status, it.attempts) for it in post.deliveries()] == [(PENDING, 2)]


@pytest.mark.parametrize("mistake", ["an error", "a receipt too few"])
def test_a_destination_that_breaks_has_failed_and_its_mistake_is_raised(mistake: str) -> None:
    post = OutboxScenario()
    post.record(2)
    if mistake == "an error":
        post.mailbox.fail(ZeroDivisionError())
    else:
        post.relay = RelayEvents(post.work, {MAIL: Forgetful()}, post.clock, post.ids)

    with pytest.raises((ZeroDivisionError, ValueError)):
        post.relay(MAIL)

    assert {(it.status, it.attempts, it.held) for it in post.deliveries()} == {(PENDING, 1, False)}
    assert {it.response["error"] for it in post.deliveries()} == {"internal_error"}


class Forgetful(FakeDestination):
    """Answers one event too few."""

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        return super().deliver(events, again)[1:]


def test_what_a_relay_held_when_it_died_comes_again_after_two_minutes_and_not_before() -> None:
    post = OutboxScenario()
    (event,) = post.record()
    dying = RelayEvents(FailingWork(post.work, PowerCutError(), at=1), {MAIL: post.mailbox}, post.clock, post.ids)
    with pytest.raises(PowerCutError):
        dying(MAIL)

    post.clock.advance(CLAIM_TTL - timedelta(microseconds=1))
    assert post.relay(MAIL).delivered == 0
    post.clock.advance(timedelta(microseconds=1))
    assert post.relay(MAIL).delivered == 1

    assert post.mailbox.handed == [[event], [event]]
    assert [(it.status, it.attempts) for it in post.deliveries()] == [(DELIVERED, 2)]


@pytest.mark.parametrize("at", [0, 1], ids=["claiming", "settling"])
def test_a_transaction_that_gave_way_to_another_is_begun_anew(at: int) -> None:
    post = OutboxScenario()
    (event,) = post.record()
    relay = RelayEvents(
        FailingWork(post.work, Deadlock("Another was first."), at=at), {MAIL: post.mailbox}, post.clock, post.ids
    )

    assert relay(MAIL).delivered == 1

    assert post.mailbox.handed == [[event]]
    assert [(it.status, it.attempts) for it in post.deliveries()] == [(DELIVERED, 1)]


def test_a_relay_that_was_thought_dead_does_not_undo_what_its_successor_did() -> None:
    post = OutboxScenario()
    post.record()

    def be_overtaken(_: Event) -> Receipt:
        post.mailbox.answer = lambda _: TAKEN
        post.clock.advance(CLAIM_TTL)
        assert post.relay(MAIL).delivered == 1
        return REFUSED

    post.mailbox.answer = be_overtaken
    post.relay(MAIL)

    assert [(it.status, it.attempts) for it in post.deliveries()] == [(DELIVERED, 2)]


def test_a_clock_that_is_behind_delays_and_loses_nothing() -> None:
    post = OutboxScenario()
    post.record(at=post.clock.now() + timedelta(minutes=1))
    post.record(at=post.clock.now() - timedelta(minutes=1))

    assert post.relay(MAIL).delivered == 1
    post.advance(minutes=1)
    assert post.relay(MAIL).delivered == 1
