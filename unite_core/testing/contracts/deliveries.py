"""Contract tests of the repository of deliveries, and of the recording of events that creates them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, Protocol
from uuid import UUID

import pytest

from unite_core.errors import NotFound
from unite_core.events import Event
from unite_core.notifications.model import (
    ACTIVITY,
    DEFAULT_RETRY,
    TEXTS,
    TOPIC,
    Delivery,
    DeliveryStatus,
    RetryPolicy,
    delivery_id,
    delivery_of,
)
from unite_core.notifications.ports import Deliveries, DeliveryFilter
from unite_core.notifications.subscriptions import BUILT_IN, TEXTS_SUBSCRIPTION, Subscription
from unite_core.paging import Page, PageRequest, Position
from unite_core.testing.builders import an_event, an_id
from unite_core.testing.contracts.database import DatabaseContract, Transaction, Units, run_concurrently
from unite_core.testing.contracts.pages import check_pages
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

OTHER = "other"

_TOLD = (ACTIVITY, OTHER)
"""The destinations that get most events."""

_RETRY = RetryPolicy(give_up_after=timedelta(hours=6))
"""The retry policy of `OTHER`."""

_NOW = A_MONDAY_MORNING
_FOLLOW_UP = TEXTS_SUBSCRIPTION.follow_up
_LATER = _NOW + timedelta(minutes=2)
_SECOND = timedelta(seconds=1)
_HOUR = timedelta(hours=1)


class DeliveriesUnit(Transaction, Protocol):
    """A unit of work with the port `Deliveries`, and the recording of events that creates them."""

    @property
    def deliveries(self) -> Deliveries: ...

    def record(self, event: Event) -> None:
        """Store the event, with a delivery for each destination that gets it."""


class DeliveriesContract(DatabaseContract[DeliveriesUnit]):
    """The store of deliveries. The units of `work` record events for `SUBSCRIPTIONS`."""

    repositories = "`deliveries`, a `Deliveries`, and `record(event)` for the destinations of `SUBSCRIPTIONS`"

    SUBSCRIPTIONS: ClassVar = (*BUILT_IN, Subscription(name=OTHER, retry=_RETRY))

    one_writer: ClassVar[bool] = False
    """Whether units that write run one at a time, as on SQLite; otherwise they wait only for locks on the same rows."""

    def test_an_event_is_recorded_with_a_delivery_for_each_subscribed_destination(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        lead_added, import_finished = an_event(at=_NOW), an_event(at=_NOW, type="import.finished")
        assigned = an_event(at=_NOW, type="call_task.assigned", data={"assigned_to": str(an_id())})
        answered = an_event(at=_NOW, type="delivery.answered", lead_ids=(), delivery_id=an_id())

        _record(work, lead_added, import_finished, assigned, answered)

        assert _all(reads) == {
            (event.id, destination): _delivery_of(event, destination)
            for event, destinations in (
                (lead_added, _TOLD),
                (import_finished, (ACTIVITY, TOPIC, OTHER)),
                (assigned, (ACTIVITY, TOPIC, TEXTS, OTHER)),
                (answered, (ACTIVITY,)),
            )
            for destination in destinations
        }

    def test_an_event_that_is_rolled_back_has_no_delivery(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        with work() as unit:
            unit.record(an_event())

        assert _all(reads) == {}
        assert _claim(work) == []

    def test_a_claimed_event_is_as_it_was_recorded(self, work: Units[DeliveriesUnit]) -> None:
        plain = an_event()
        full = an_event(
            type="lead.changed",
            at=_NOW.replace(microsecond=123_456),
            actor_id=an_id(),
            correlation_id="c0ffee-1234",
            lead_ids=tuple(an_id() for _ in range(2000)),
            import_id=an_id(),
            data={"name": {"from": "Ada", "to": "Zoë 😀"}, "counts": [1, 2.5, None, True]},
        )
        of_a_delivery = an_event(type="delivery.answered", at=_LATER, lead_ids=(), delivery_id=an_id())
        _record(work, plain, full, of_a_delivery)

        assert [event for _, event in _claim(work, now=_LATER)] == [plain, full, of_a_delivery]

    def test_a_claimed_event_has_the_traceparent_with_which_it_was_recorded(self, work: Units[DeliveriesUnit]) -> None:
        traceparent = f"00-{'4b' * 16}-{'f0' * 8}-01"
        _record(work, an_event(at=_NOW, traceparent=traceparent), an_event(at=_LATER))

        assert [event.traceparent for _, event in _claim(work, now=_LATER)] == [traceparent, None]

    def test_a_claim_counts_an_attempt_and_holds_the_delivery(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        event = an_event()
        _record(work, event)

        ((claimed, _),) = _claim(work, until=_LATER)

        held = replace(delivery_of(event, ACTIVITY), attempts=1, held=True, next_attempt_at=_LATER)
        assert claimed == held
        assert _all(reads)[event.id, ACTIVITY] == held
        assert _all(reads)[event.id, OTHER] == _delivery_of(event, OTHER)

    def test_a_claim_that_is_rolled_back_has_no_effect(self, work: Units[DeliveriesUnit]) -> None:
        _record(work, an_event())

        with work() as unit:
            assert unit.deliveries.claim(ACTIVITY, now=_NOW, until=_LATER, limit=1)

        assert [claimed.attempts for claimed, _ in _claim(work)] == [1]

    def test_the_longest_due_are_claimed_first_up_to_the_limit(self, work: Units[DeliveriesUnit]) -> None:
        young = an_event(at=_NOW)
        old = an_event(at=_NOW - _HOUR)
        twins = sorted((an_event(at=_NOW - _SECOND) for _ in range(2)), key=lambda it: delivery_id(it.id, ACTIVITY))
        _record(work, young, *twins, old)

        assert [event for _, event in _claim(work, limit=3)] == [old, *twins]
        assert [event for _, event in _claim(work, limit=3)] == [young]

    def test_deliveries_that_are_not_due_are_not_claimed(self, work: Units[DeliveriesUnit]) -> None:
        _record(work, an_event(at=_NOW))

        assert _claim(work, now=_NOW - timedelta(microseconds=1)) == []
        assert len(_claim(work, now=_NOW)) == 1

    def test_an_expired_claim_can_be_claimed_by_another_relay(self, work: Units[DeliveriesUnit]) -> None:
        _record(work, an_event())
        _claim(work, until=_LATER)

        assert _claim(work, now=_LATER - timedelta(microseconds=1)) == []
        ((again, _),) = _claim(work, now=_LATER, until=_LATER + _HOUR)
        assert (again.attempts, again.held, again.next_attempt_at) == (2, True, _LATER + _HOUR)

    def test_settled_deliveries_are_not_claimed(self, work: Units[DeliveriesUnit]) -> None:
        _record(work, an_event(), an_event(), an_event())
        (first, _), (second, _), (third, _) = _claim(work)
        first.succeed({}, _NOW)
        second.refuse({})
        third.skip({})

        _save(work, first, second, third)

        assert _claim(work, now=_NOW + 1000 * _HOUR) == []

    def test_concurrent_claims_get_different_deliveries(self, work: Units[DeliveriesUnit]) -> None:
        events = [an_event() for _ in range(40)]
        _record(work, *events)

        claims = run_concurrently(4, lambda _: [event.id for _, event in _claim(work, limit=10)])

        assert sorted(event_id for claimed in claims for event_id in claimed) == [event.id for event in events]

    def test_a_claim_skips_deliveries_locked_by_another_transaction(self, work: Units[DeliveriesUnit]) -> None:
        events = [an_event() for _ in range(6)]
        _record(work, *events)

        with ThreadPoolExecutor(1) as threads:
            with work() as unit:
                mine = unit.deliveries.claim(ACTIVITY, now=_NOW, until=_LATER, limit=3)
                theirs = threads.submit(_claim, work, limit=3)
                wait([theirs], timeout=0.1 if self.one_writer else 30)
                assert theirs.done() or self.one_writer
                unit.commit()
            claims = [*mine, *theirs.result(timeout=30)]

        assert sorted(event.id for _, event in claims) == [event.id for event in events]

    def test_the_result_of_an_attempt_is_stored(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        _record(work, an_event(), an_event(), an_event(), an_event())
        settled = [delivery for delivery, _ in _claim(work)]
        settled[0].succeed({"message_id": "0c"}, _NOW + _SECOND)
        settled[1].postpone({"error": "unavailable", "detail": "It does not answer."}, _NOW + _SECOND)
        settled[2].refuse({"error": "no such number"})
        settled[3].skip({"reason": "no_phone"})

        _save(work, *settled)

        assert [_all(reads)[it.event_id, ACTIVITY] for it in settled] == settled

    def test_results_are_stored_with_their_exact_moments_and_whole_responses(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        exact = _NOW.replace(microsecond=999_999)
        event, other = an_event(at=exact), an_event(at=exact)
        _record(work, event, other)
        response = {"detail": "Zoë 👩🏽‍💻 " * 200, "codes": [1, None, 2.5, True], "nested": {"": {"a": "b"}}}

        ((claimed, stored), (second, _)) = _claim(work, now=exact, until=exact + _HOUR)

        assert (stored.at, claimed.created_at, claimed.next_attempt_at) == (exact, exact, exact + _HOUR)
        claimed.succeed(response, exact + _SECOND, (timedelta(microseconds=1_000_003),))
        second.postpone(response, exact + _SECOND)
        _save(work, claimed, second)
        assert _all(reads)[claimed.event_id, ACTIVITY] == claimed
        assert _all(reads)[second.event_id, ACTIVITY] == second
        with work() as unit:
            assert unit.deliveries.get(claimed.id) == claimed

    def test_a_delivery_is_updated_in_every_value_and_no_other_is(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        _record(work, an_event(), an_event())
        (first, _), (second, _) = _claim(work)
        first.succeed({}, _NOW)
        changed = replace(first, response={"status": "read"}, next_attempt_at=_LATER, give_up_at=_LATER + _HOUR)

        with work() as unit:
            unit.deliveries.update(changed)
            unit.commit()

        assert _all(reads)[first.event_id, ACTIVITY] == changed
        assert _all(reads)[second.event_id, ACTIVITY] == second

    def test_results_of_attempts_are_stored_unless_another_relay_claimed_the_delivery(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        _record(work, *(an_event(at=_NOW + it * _SECOND) for it in range(5)))
        now = _NOW + 5 * _SECOND
        first = [delivery for delivery, _ in _claim(work, now=now, until=_LATER, limit=1)]
        settled = [*first, *(delivery for delivery, _ in _claim(work, now=now, until=_LATER + _HOUR))]
        ((taken_over, _),) = _claim(work, now=_LATER, until=_LATER + _HOUR)
        for delivery in settled[:3]:
            delivery.succeed({}, _NOW + _SECOND)
        for delivery in settled[3:]:
            delivery.postpone({"error": "unavailable"}, _NOW + _SECOND)

        _save(work, *settled)

        stored = _all(reads)
        assert taken_over.id == settled[0].id
        assert stored[taken_over.event_id, ACTIVITY] == taken_over
        assert [stored[it.event_id, ACTIVITY] for it in settled[1:]] == settled[1:]

    def test_the_result_of_an_attempt_is_dropped_if_another_relay_claimed_it(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        _record(work, an_event())
        ((slow, _),) = _claim(work, until=_LATER)
        ((quick, _),) = _claim(work, now=_LATER, until=_LATER + _HOUR)
        slow.refuse({"by": "the slow one"})

        _save(work, slow)

        assert _all(reads)[quick.event_id, ACTIVITY] == quick

    def test_an_attempt_is_settled_at_most_once(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        _record(work, an_event())
        ((claimed, _),) = _claim(work)
        first, second = replace(claimed), replace(claimed)
        first.postpone({"which": "first"}, _NOW)
        second.succeed({"which": "second"}, _NOW)

        _save(work, first)
        _save(work, second)

        assert _all(reads)[claimed.event_id, ACTIVITY] == first

    def test_a_delivery_is_found_by_its_id(self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]) -> None:
        event = an_event()
        _record(work, event)

        for units in (work, reads):
            with units() as unit:
                assert unit.deliveries.get(delivery_id(event.id, OTHER)) == _delivery_of(event, OTHER)

    def test_a_delivery_has_the_correlation_id_of_its_event(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        by_request, by_itself = an_event(at=_NOW, correlation_id="c0ffee-1234"), an_event(at=_NOW - _SECOND)
        _record(work, by_request, by_itself)
        expected = {by_request.id: "c0ffee-1234", by_itself.id: None}

        claimed = [delivery for delivery, _ in _claim(work)]
        for delivery in claimed:
            delivery.succeed({}, _NOW, _FOLLOW_UP)
        _save(work, *claimed)

        assert {it.event_id: it.correlation_id for it in claimed} == expected
        assert {it.event_id: it.correlation_id for it in _to_follow(work, ACTIVITY, now=_NOW + _HOUR)} == expected
        assert {it.event_id: it.correlation_id for it in _all(reads).values()} == expected
        with reads() as unit:
            stored = [unit.deliveries.get(delivery_id(event_id, ACTIVITY)) for event_id in expected]
        assert [it.correlation_id for it in stored] == [*expected.values()]

    def test_an_unknown_delivery_is_not_found(self, reads: Units[DeliveriesUnit]) -> None:
        with reads() as unit, pytest.raises(NotFound):
            unit.deliveries.get(an_id())

    def test_a_delivery_that_is_changed_and_not_saved_is_unchanged_in_the_store(
        self, work: Units[DeliveriesUnit]
    ) -> None:
        event = an_event()
        _record(work, event)

        with work() as unit:
            unit.deliveries.get(delivery_id(event.id, ACTIVITY)).refuse({"never": "stored"})
            unit.commit()

        assert len(_claim(work)) == 1

    def test_reading_a_delivery_to_change_it_locks_it(self, work: Units[DeliveriesUnit]) -> None:
        dead = _a_dead_letter(work)

        def replay(_: int) -> bool:
            with work() as unit:
                found = unit.deliveries.get(dead.id)
                first = found.status is DeliveryStatus.DEAD
                if first:
                    found.replay(_NOW)
                    unit.deliveries.update(found)
                unit.commit()
            return first

        assert sorted(run_concurrently(4, replay)) == [False, False, False, True]

    def test_a_replayed_delivery_is_claimed_again(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        dead = _a_dead_letter(work)
        dead.replay(_NOW + _HOUR)

        with work() as unit:
            unit.deliveries.update(dead)
            unit.commit()

        assert _all(reads)[dead.event_id, ACTIVITY] == dead
        assert [claimed.id for claimed, _ in _claim(work, now=_NOW + _HOUR)] == [dead.id]

    def test_pages_go_from_the_newest_to_the_oldest(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        old, new = an_event(at=_NOW - _HOUR), an_event(at=_NOW)
        _record(work, new, old)
        ordered = sorted(
            (_delivery_of(event, destination) for event in (old, new) for destination in _TOLD),
            key=lambda it: (it.created_at, it.id),
            reverse=True,
        )

        with reads() as unit:
            first = unit.deliveries.page(DeliveryFilter(), PageRequest(limit=3))
            second = unit.deliveries.page(DeliveryFilter(), PageRequest(limit=3, after=first.next))

        assert [*first.items] == ordered[:3]
        assert [*second.items] == ordered[3:]
        assert second.next is None

    def test_pages_of_every_size_neither_skip_nor_repeat(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        moments = [_NOW, _NOW - _HOUR, _NOW, _NOW + timedelta(microseconds=1)]
        events = [an_event(at=at) for at in moments]
        _record(work, *events)

        def page(filters: DeliveryFilter, request: PageRequest) -> Page[Delivery]:
            with reads() as unit:
                return unit.deliveries.page(filters, request)

        def position(delivery: Delivery) -> Position:
            return Position(delivery.created_at, delivery.id)

        ordered = sorted(_all(reads).values(), key=lambda it: (it.created_at, it.id), reverse=True)
        to_other = [delivery for delivery in ordered if delivery.destination == OTHER]
        assert len(ordered) == 2 * len(to_other) == 2 * len(moments)
        check_pages(lambda request: page(DeliveryFilter(), request), ordered, position)
        check_pages(lambda request: page(DeliveryFilter(destination=OTHER), request), to_other, position)

    def test_pages_contain_what_matches_the_filter(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        events = [an_event() for _ in range(3)]
        _record(work, *events)
        ((first, _), (second, _)) = _claim(work, limit=2)
        first.succeed({}, _NOW)
        second.refuse({})
        _save(work, first, second)
        rest = delivery_of(events[2], ACTIVITY)

        def matching(**filters: object) -> list[UUID]:
            with reads() as unit:
                return [it.id for it in unit.deliveries.page(DeliveryFilter(**filters), PageRequest()).items]  # type: ignore[arg-type]  # the values that the fields take

        to_other = [delivery_id(event.id, OTHER) for event in events]
        assert sorted(matching()) == sorted([first.id, second.id, rest.id, *to_other])
        assert matching(status=DeliveryStatus.DELIVERED) == [first.id]
        assert matching(status=DeliveryStatus.DEAD) == [second.id]
        assert matching(status=DeliveryStatus.PENDING, destination=ACTIVITY) == [rest.id]
        assert sorted(matching(destination=OTHER)) == sorted(to_other)
        assert sorted(matching(event_id=events[0].id)) == sorted([first.id, to_other[0]])
        assert matching(event_id=events[0].id, destination=OTHER, status=DeliveryStatus.DEAD) == []

    def test_deliveries_that_wait_for_a_retry_are_hastened(self, work: Units[DeliveriesUnit]) -> None:
        _record(work, an_event(), an_event(), an_event())
        failed = [delivery for delivery, _ in _claim(work, limit=3)]
        for number, delivery in enumerate(failed):
            delivery.postpone({}, _NOW + number * _HOUR)
        _save(work, *failed)

        assert _hasten(work, now=_NOW, limit=2) == 2
        assert [claimed.id for claimed, _ in _claim(work, now=_NOW)] == sorted(it.id for it in failed[:2])
        assert _hasten(work, now=_NOW, limit=2) == 1
        assert [claimed.id for claimed, _ in _claim(work, now=_NOW)] == [failed[2].id]

    def test_deliveries_that_are_not_waiting_for_a_retry_are_not_hastened(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        _record(work, *(an_event() for _ in range(4)))
        due, arrived, dead, _ = (delivery for delivery, _ in _claim(work, until=_LATER, limit=4))
        due.postpone({}, _NOW - _HOUR)
        arrived.succeed({}, _NOW)
        dead.refuse({})
        _save(work, due, arrived, dead)
        elsewhere = [delivery for delivery, _ in _claim(work, OTHER)]
        for delivery in elsewhere:
            delivery.postpone({}, _NOW)
        _save(work, *elsewhere)
        _record(work, an_event(at=_NOW + _HOUR))
        before = _all(reads)

        assert _hasten(work, now=_NOW) == 0
        assert _all(reads) == before

    def test_deliveries_are_returned_when_their_status_is_due_to_be_polled(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        young, old, arrived, failed = _texts(work, 4)
        old.succeed({"of": "old"}, _NOW - _SECOND, _FOLLOW_UP)
        young.succeed({"of": "young"}, _NOW, _FOLLOW_UP)
        arrived.succeed({"of": "arrived"}, _NOW - _HOUR)
        failed.postpone({"of": "failed"}, _NOW - _HOUR)
        _save(work, young, old, arrived, failed)
        first, second = old.next_attempt_at, young.next_attempt_at

        assert _to_follow(work, now=first - timedelta(microseconds=1)) == []
        assert _to_follow(work, now=first) == [old]
        assert _to_follow(work, now=second) == [old, young]
        assert _to_follow(work, now=second, limit=1) == [old]
        assert _to_follow(work, TOPIC, now=second) == []
        assert _all(reads)[arrived.event_id, TEXTS] == arrived

    def test_a_delivery_whose_status_is_being_polled_is_not_returned_again(self, work: Units[DeliveriesUnit]) -> None:
        (text,) = _texts(work, 1)
        text.succeed({"of": "text"}, _NOW, _FOLLOW_UP)
        _save(work, text)
        due = text.next_attempt_at

        with work() as unit:
            (found,) = unit.deliveries.due_for_status_check(TEXTS, now=due, limit=10)
            found.await_answer(due + _HOUR)
            unit.deliveries.update(found)
            unit.commit()

        assert _to_follow(work, now=due) == []
        assert _to_follow(work, now=due + _HOUR) == [found]

    def test_polling_skips_deliveries_locked_by_another_transaction(self, work: Units[DeliveriesUnit]) -> None:
        texts = _texts(work, 6)
        for text in texts:
            text.succeed({"of": "text"}, _NOW, _FOLLOW_UP)
        _save(work, *texts)
        due = texts[0].next_attempt_at

        def ask() -> list[UUID]:
            with work() as unit:
                found = unit.deliveries.due_for_status_check(TEXTS, now=due, limit=3)
                for text in found:
                    text.await_answer(due + _HOUR)
                    unit.deliveries.update(text)
                unit.commit()
            return [text.id for text in found]

        with ThreadPoolExecutor(1) as threads:
            with work() as unit:
                mine = unit.deliveries.due_for_status_check(TEXTS, now=due, limit=3)
                theirs = threads.submit(ask)
                wait([theirs], timeout=0.1 if self.one_writer else 30)
                assert theirs.done() or self.one_writer
                for text in mine:
                    text.await_answer(due + _HOUR)
                    unit.deliveries.update(text)
                unit.commit()
            found = [*(text.id for text in mine), *theirs.result(timeout=30)]

        assert sorted(found) == sorted(text.id for text in texts)

    def test_old_deliveries_are_purged_and_events_with_their_last_delivery(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        event, later = an_event(at=_NOW - _HOUR), an_event(at=_NOW)
        _record(work, event, later)
        _deliver_all(work, at=_NOW)

        assert _purge(work, before=_NOW) == 0
        assert _purge(work, before=_NOW + _SECOND) == 2
        assert set(_all(reads)) == {(event.id, OTHER), (later.id, OTHER)}
        assert [event for _, event in _claim(work, OTHER)] == [event, later]
        _deliver_all(work, OTHER, at=_NOW + _HOUR, now=_LATER)
        assert _purge(work, before=_NOW + _SECOND) == 0
        assert _purge(work, before=_NOW + 2 * _HOUR) == 2
        assert _all(reads) == {}
        _record(work, event)
        assert set(_all(reads)) == {(event.id, ACTIVITY), (event.id, OTHER)}

    def test_a_purge_deletes_at_most_its_limit(self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]) -> None:
        _record(work, *(an_event() for _ in range(3)))
        for destination in _TOLD:
            _deliver_all(work, destination, at=_NOW)

        assert [_purge(work, before=_LATER, limit=4) for _ in range(3)] == [4, 2, 0]
        assert _all(reads) == {}

    def test_skipped_deliveries_are_purged_after_their_retention(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        skipped, arrived, young = an_event(at=_NOW - _HOUR), an_event(at=_NOW - _HOUR), an_event(at=_NOW)
        _record(work, skipped, arrived, young)
        for destination in _TOLD:
            found = [delivery for delivery, _ in _claim(work, destination)]
            for delivery in found:
                delivery.succeed({}, _NOW) if delivery.event_id == arrived.id else delivery.skip({})
            _save(work, *found)

        assert _purge(work, before=_NOW - _HOUR) == 0
        assert _purge(work, before=_NOW, limit=1) == 1
        assert _purge(work, before=_NOW) == 1
        assert {event_id for event_id, _ in _all(reads)} == {arrived.id, young.id}
        assert _purge(work, before=_NOW + _SECOND) == 4
        assert _all(reads) == {}

    def test_skipped_deliveries_can_be_replayed(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        _record(work, an_event())
        ((skipped, _),) = _claim(work)
        skipped.skip({"reason": "no_phone"})
        _save(work, skipped)
        skipped.replay(_NOW + _HOUR)

        with work() as unit:
            unit.deliveries.update(skipped)
            unit.commit()

        assert _all(reads)[skipped.event_id, ACTIVITY] == skipped
        assert [claimed.id for claimed, _ in _claim(work, now=_NOW + _HOUR)] == [skipped.id]

    def test_dead_letters_are_counted_up_to_a_limit(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        _record(work, *(an_event() for _ in range(5)))
        settled = [delivery for delivery, _ in _claim(work)]
        for delivery in settled[:3]:
            delivery.refuse({})
        settled[3].skip({})
        settled[4].succeed({}, _NOW)

        assert _dead(reads, limit=10) == 0
        _save(work, *settled)
        assert [_dead(reads, limit=limit) for limit in (10, 3, 2)] == [3, 3, 2]

    def test_unsettled_deliveries_are_never_purged(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        _record(work, an_event(), an_event())
        dead = _a_dead_letter(work)

        assert _purge(work, before=_NOW + 1000 * _HOUR) == 0
        assert dead in _all(reads).values()
        assert len(_all(reads)) == 6


def _delivery_of(event: Event, destination: str) -> Delivery:
    return delivery_of(event, destination, _RETRY if destination == OTHER else DEFAULT_RETRY)


def _record(work: Units[DeliveriesUnit], *events: Event) -> None:
    with work() as unit:
        for event in events:
            unit.record(event)
        unit.commit()


def _claim(
    work: Units[DeliveriesUnit],
    destination: str = ACTIVITY,
    *,
    now: datetime = _NOW,
    until: datetime = _LATER,
    limit: int = 100,
) -> list[tuple[Delivery, Event]]:
    with work() as unit:
        claimed = unit.deliveries.claim(destination, now=now, until=until, limit=limit)
        unit.commit()
    return [*claimed]


def _save(work: Units[DeliveriesUnit], *deliveries: Delivery) -> None:
    with work() as unit:
        unit.deliveries.save(*deliveries)
        unit.commit()


def _deliver_all(
    work: Units[DeliveriesUnit], destination: str = ACTIVITY, *, at: datetime, now: datetime = _NOW
) -> None:
    arrived: Sequence[Delivery] = [delivery for delivery, _ in _claim(work, destination, now=now)]
    for delivery in arrived:
        delivery.succeed({}, at)
    _save(work, *arrived)


def _a_dead_letter(work: Units[DeliveriesUnit]) -> Delivery:
    event = an_event(at=_NOW - _HOUR)
    _record(work, event)
    ((dead, claimed),) = _claim(work, limit=1)
    assert claimed.id == event.id
    dead.refuse({"error": "no such number"})
    _save(work, dead)
    return dead


def _hasten(work: Units[DeliveriesUnit], *, now: datetime, limit: int = 100) -> int:
    with work() as unit:
        hastened = unit.deliveries.make_due(ACTIVITY, now=now, limit=limit)
        unit.commit()
    return hastened


def _texts(work: Units[DeliveriesUnit], count: int) -> list[Delivery]:
    """Return that many claimed deliveries of text messages."""
    data = {"assigned_to": str(an_id())}
    _record(work, *(an_event(at=_NOW, type="call_task.assigned", data=data) for _ in range(count)))
    return [text for text, _ in _claim(work, TEXTS)]


def _to_follow(
    work: Units[DeliveriesUnit], destination: str = TEXTS, *, now: datetime, limit: int = 100
) -> list[Delivery]:
    with work() as unit:
        return [*unit.deliveries.due_for_status_check(destination, now=now, limit=limit)]


def _purge(work: Units[DeliveriesUnit], *, before: datetime, limit: int = 100) -> int:
    with work() as unit:
        purged = unit.deliveries.purge(before=before, limit=limit)
        unit.commit()
    return purged


def _dead(reads: Units[DeliveriesUnit], *, limit: int) -> int:
    with reads() as unit:
        return unit.deliveries.dead(limit=limit)


def _all(reads: Units[DeliveriesUnit]) -> dict[tuple[UUID, str], Delivery]:
    with reads() as unit:
        page = unit.deliveries.page(DeliveryFilter(), PageRequest(limit=200))
    return {(it.event_id, it.destination): it for it in page.items}
