"""Tests of deliveries: their ids, retry pauses and replay."""

from datetime import timedelta

import pytest

from unite_core.errors import Conflict
from unite_core.notifications.model import (
    DEFAULT_RETRY,
    Delivery,
    DeliveryStatus,
    delivery_id,
    delivery_of,
)
from unite_core.testing.builders import an_event, an_id
from unite_core.testing.in_memory import A_MONDAY_MORNING

NOW = A_MONDAY_MORNING


def dead() -> Delivery:
    delivery = delivery_of(an_event(), "mail")
    delivery.claim(NOW)
    delivery.refuse({"status": 400})
    return delivery


def test_retry_pauses_grow_to_a_maximum_with_jitter() -> None:
    ids = [an_id() for _ in range(100)]
    for attempts, seconds in [(1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (10_000, 300)]:
        whole = timedelta(seconds=seconds)
        pauses = [DEFAULT_RETRY.pause_after(attempts, each) for each in ids]
        assert whole / 2 <= min(pauses) <= max(pauses) <= whole <= DEFAULT_RETRY.max_pause


def test_deliveries_that_failed_together_are_retried_at_different_times() -> None:
    event = an_event()
    destinations = ["activity", "topic", "texts"]

    of_one = [DEFAULT_RETRY.pause_after(1, delivery_id(event.id, destination)) for destination in destinations]
    of_many = sorted(DEFAULT_RETRY.pause_after(4, delivery_id(an_event().id, "mail")) for _ in range(200))

    assert len(set(of_one)) == 3
    for lower, upper in [(4, 5), (5, 6), (6, 7), (7, 8)]:
        assert any(timedelta(seconds=lower) <= pause < timedelta(seconds=upper) for pause in of_many)


def test_each_delivery_of_an_event_has_a_unique_id_that_sorts_like_that_of_the_event() -> None:
    events = [an_event() for _ in range(3)]

    for destination in ("activity", "topic"):
        ids = [delivery_id(event.id, destination) for event in events]
        assert ids == sorted(ids)
        assert delivery_id(events[0].id, destination) == ids[0]
    assert delivery_id(events[0].id, "activity") != delivery_id(events[0].id, "topic")


def test_a_replayed_delivery_is_due_at_once_and_keeps_its_attempts() -> None:
    delivery = dead()
    later = NOW + timedelta(days=10)

    delivery.replay(later)

    assert (delivery.status, delivery.next_attempt_at, delivery.attempts) == (DeliveryStatus.PENDING, later, 1)
    statuses = []
    for at in (later + DEFAULT_RETRY.give_up_after - timedelta(microseconds=1), later + DEFAULT_RETRY.give_up_after):
        delivery.claim(at)
        delivery.postpone({}, at)
        statuses.append(delivery.status)
    assert statuses == [DeliveryStatus.PENDING, DeliveryStatus.DEAD]


def test_only_a_dead_letter_can_be_replayed() -> None:
    waiting, arrived = delivery_of(an_event(), "mail"), delivery_of(an_event(), "mail")
    arrived.succeed({}, NOW)

    for delivery in (waiting, arrived):
        with pytest.raises(Conflict) as refused:
            delivery.replay(NOW)
        assert refused.value.code == "not_dead"
