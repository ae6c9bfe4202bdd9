"""Tests of batches within a claim: what crashes, stops, failures and slow destinations leave behind."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.imports.accidents import FailingWork, PowerCutError
from tests.core.notifications.outbox import ACCEPTED, MAIL, FakeDestination, OutboxScenario
from unite_core.errors import Unavailable
from unite_core.events import Event
from unite_core.notifications.model import CLAIM_TTL, DEFAULT_RETRY, DeliveryStatus, Receipt
from unite_core.notifications.use_cases import RelayEvents
from unite_core.notifications.use_cases.relay import DELIVERY_TIMEOUT

PENDING, DELIVERED, _, DEAD = DeliveryStatus


def statuses(outbox: OutboxScenario) -> list[tuple[DeliveryStatus, int, bool]]:
    return [(it.status, it.attempts, it.held) for it in outbox.deliveries()]


def doomed(outbox: OutboxScenario, *, at: int) -> RelayEvents:
    """Return a relay that crashes at its commit number `at`; 0 is the claim, and each batch is one."""
    return RelayEvents(
        FailingWork(outbox.work, PowerCutError(), at=at), {MAIL: outbox.mailbox}, outbox.clock, outbox.ids
    )


@pytest.mark.parametrize(("at_once", "claimed"), [(1, 10), (3, 30), (10, 100), (100, 100), (200, 200)])
def test_a_claim_has_ten_batches_with_a_limit_of_a_hundred_events(at_once: int, claimed: int) -> None:
    outbox = OutboxScenario(FakeDestination(at_once=at_once))
    outbox.record(200)
    held: list[int] = []

    def count_held(_: Event) -> Receipt:
        if not held:
            held.append(sum(it.held for it in outbox.deliveries()))
        return ACCEPTED

    outbox.mailbox.answer = count_held
    outbox.relay(MAIL)

    assert held == [claimed]
    assert max(map(len, outbox.mailbox.handed)) == at_once


def test_a_relay_that_crashes_before_storing_a_response_repeats_one_batch() -> None:
    outbox = OutboxScenario(FakeDestination(at_once=1))
    events = outbox.record(5)
    with pytest.raises(PowerCutError):
        doomed(outbox, at=3)(MAIL)
    assert statuses(outbox) == [(DELIVERED, 1, False)] * 2 + [(PENDING, 1, True)] * 3
    assert [event for (event,) in outbox.mailbox.handed] == events[:3]

    outbox.advance(seconds=CLAIM_TTL.total_seconds())
    assert outbox.relay(MAIL).delivered == 3

    assert [event for (event,) in outbox.mailbox.handed] == [*events[:3], *events[2:]]
    assert statuses(outbox) == [(DELIVERED, 1, False)] * 2 + [(DELIVERED, 2, False)] * 3


def test_events_that_may_have_been_delivered_before_are_marked_as_repeated() -> None:
    outbox = OutboxScenario(FakeDestination(at_once=2))
    first = outbox.record(3)
    with pytest.raises(PowerCutError):
        doomed(outbox, at=1)(MAIL)
    assert outbox.mailbox.handed_again == []
    outbox.advance(seconds=CLAIM_TTL.total_seconds())
    outbox.record(2)

    outbox.relay(MAIL)

    assert sorted(outbox.mailbox.handed_again) == [event.id for event in first]


@given(
    at_once=st.integers(1, 4),
    count=st.integers(1, 12),
    kills=st.lists(st.integers(0, 5), max_size=6),
)
def test_each_crash_repeats_at_most_one_batch(at_once: int, count: int, kills: list[int]) -> None:
    outbox = OutboxScenario(FakeDestination(at_once=at_once))
    events = outbox.record(count)
    happened = 0
    for at in kills:
        try:
            doomed(outbox, at=at)(MAIL)
        except PowerCutError:
            happened += 1
        outbox.advance(seconds=CLAIM_TTL.total_seconds())

    outbox.relay(MAIL)

    assert outbox.mailbox.times().keys() == {event.id for event in events}
    assert outbox.mailbox.times().total() - count <= happened * at_once
    assert {status for status, _, _ in statuses(outbox)} == {DELIVERED}


def test_a_stopping_relay_releases_undelivered_events() -> None:
    outbox = OutboxScenario(FakeDestination(at_once=1))
    events = outbox.record(4)

    outbox.relay(MAIL, should_stop=lambda: len(outbox.mailbox.handed) == 1)

    assert statuses(outbox) == [(DELIVERED, 1, False)] + [(PENDING, 1, False)] * 3
    assert outbox.relay(MAIL).delivered == 3
    assert outbox.mailbox.times() == {event.id: 1 for event in events}


@pytest.mark.parametrize("seconds", [7, 20, 59, 60, 61, 119])
def test_a_slow_destination_gets_no_events_whose_claim_is_about_to_expire(seconds: int) -> None:
    outbox = OutboxScenario(FakeDestination(at_once=1))
    events = outbox.record(12)

    def be_slow(event: Event) -> Receipt:
        (held,) = (it for it in outbox.deliveries() if it.event_id == event.id)
        assert held.next_attempt_at - outbox.clock.now() > CLAIM_TTL - DELIVERY_TIMEOUT
        outbox.advance(seconds=seconds)
        assert event.id not in claimed_by_another(outbox)
        return ACCEPTED

    outbox.mailbox.answer = be_slow
    outbox.relay(MAIL)
    outbox.advance(minutes=10)
    outbox.mailbox.answer = lambda _: ACCEPTED
    outbox.relay(MAIL)

    assert {status for status, _, _ in statuses(outbox)} == {DELIVERED}
    assert outbox.mailbox.times().keys() == {event.id for event in events}


def claimed_by_another(outbox: OutboxScenario) -> list[UUID]:
    """Return the events that another relay can claim now; they are released at once."""
    claimed = outbox.relay._claim(MAIL, 100)
    outbox.relay._let_go(outbox.mailbox, claimed)
    return [event.id for _, event in claimed]


@pytest.mark.parametrize("error", [Unavailable("It is being moved."), ZeroDivisionError()])
def test_batches_before_a_failed_one_stay_delivered(error: Exception) -> None:
    outbox = OutboxScenario(FakeDestination(at_once=2))
    outbox.record(10)

    def fail_at_the_fourth(_: Event) -> Receipt:
        if len(outbox.mailbox.handed) == 4:
            raise error
        return ACCEPTED

    outbox.mailbox.answer = fail_at_the_fourth
    if isinstance(error, Unavailable):
        assert outbox.relay(MAIL).delivered == 6
    else:
        with pytest.raises(ZeroDivisionError):
            outbox.relay(MAIL)

    assert statuses(outbox) == [(DELIVERED, 1, False)] * 6 + [(PENDING, 1, False)] * 4
    assert len(outbox.mailbox.handed) == 4


def test_undelivered_events_are_due_at_once_after_an_internal_error() -> None:
    outbox = OutboxScenario(FakeDestination(at_once=1))
    breaking, *_ = outbox.record(3)

    def break_at_one(event: Event) -> Receipt:
        if event.id == breaking.id:
            raise ZeroDivisionError
        return ACCEPTED

    outbox.mailbox.answer = break_at_one
    with pytest.raises(ZeroDivisionError):
        outbox.relay(MAIL)

    assert outbox.relay(MAIL).delivered == 2


def test_an_old_event_that_was_released_is_not_given_up_at_its_first_failure() -> None:
    outbox = OutboxScenario(FakeDestination(at_once=1))
    outbox.record(2)
    outbox.advance(days=30)
    outbox.relay(MAIL, should_stop=lambda: bool(outbox.mailbox.handed))
    outbox.mailbox.fail(Unavailable("It is being moved."))

    outbox.relay(MAIL)

    assert statuses(outbox)[1] == (PENDING, 2, False)
    outbox.clock.advance(DEFAULT_RETRY.give_up_after + timedelta(minutes=1))
    outbox.relay(MAIL)
    assert statuses(outbox)[1] == (DEAD, 3, False)
