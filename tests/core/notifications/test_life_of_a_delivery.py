"""Tests of random sequences of events, relays and failures: every delivery has the right state.

Relays claim side by side and settle in any order; some die between handing over and settling, some are so slow that
others take over what they hold, some let go of it. The destination takes, refuses, has nobody to tell, asks for
patience or does not answer at all.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.core.notifications.outbox import ACCEPTED, LATER, MAIL, REFUSED, SKIPPED, OutboxScenario
from unite_core.events import Event
from unite_core.notifications.model import DEFAULT_RETRY, Delivery, DeliveryStatus, Receipt
from unite_core.notifications.use_cases.relay import _Tally

RECEIPTS = [ACCEPTED, ACCEPTED, LATER, REFUSED, SKIPPED]
REPLAYABLE = (DeliveryStatus.DEAD, DeliveryStatus.SKIPPED)

Batch = Sequence[tuple[Delivery, Event]]


class LifeOfADelivery(RuleBasedStateMachine):
    """An outbox, relays with claimed batches, and the responses so far."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = OutboxScenario()
        self.since: dict[UUID, datetime] = {}
        self.in_hand: list[Batch] = []
        self.held_until: dict[UUID, datetime] = {}
        self.handed: Counter[UUID] = Counter()
        self.answered: Counter[UUID] = Counter()
        self.lost: Counter[UUID] = Counter()
        self.receipts: defaultdict[UUID, list[Receipt]] = defaultdict(list)
        self.over: dict[UUID, DeliveryStatus] = {}

    @rule(count=st.integers(1, 4))
    def something_happens(self, count: int) -> None:
        for event in self.outbox.record(count):
            self.since[event.id] = event.at

    @rule(seconds=st.sampled_from([0.3, 1, 60, 120, 3600, 90_000]))
    def time_passes(self, seconds: float) -> None:
        self.outbox.advance(seconds=seconds)

    @rule(limit=st.integers(1, 5))
    def a_relay_hands_over_what_it_claims(self, limit: int) -> None:
        now = self.outbox.clock.now()
        batch = self.outbox.relay._claim(MAIL, limit)
        for delivery, event in batch:
            assert event.id not in self.over, "what has arrived or is dead is not handed over"
            if event.id in self.held_until:
                assert self.held_until[event.id] <= now, "what a relay holds is not handed over by another"
                self.lost[event.id] += 1
            self.handed[event.id] += 1
            self.held_until[event.id] = delivery.next_attempt_at
        if batch:
            self.in_hand.append(batch)

    @precondition(lambda self: self.in_hand)
    @rule(
        which=st.integers(0, 9),
        given=st.lists(st.sampled_from(RECEIPTS), min_size=5),
    )
    def a_relay_settles(self, which: int, given: list[Receipt]) -> None:
        batch = self.in_hand.pop(which % len(self.in_hand))
        answered = [(*claimed, receipt) for claimed, receipt in zip(batch, given, strict=False)]
        self.answer([(delivery, receipt) for delivery, _, receipt in answered])
        self.outbox.relay._settle(self.outbox.mailbox, answered, _Tally(lambda _: None))

    @precondition(lambda self: self.in_hand)
    @rule(which=st.integers(0, 9))
    def the_destination_does_not_answer(self, which: int) -> None:
        batch = self.in_hand.pop(which % len(self.in_hand))
        self.answer([(delivery, LATER) for delivery, _ in batch])
        self.outbox.relay._postpone(self.outbox.mailbox, batch, [], {"error": "unavailable"}, _Tally(lambda _: None))

    @precondition(lambda self: self.in_hand)
    @rule(which=st.integers(0, 9))
    def a_relay_lets_go_of_what_it_did_not_hand_over(self, which: int) -> None:
        batch = self.in_hand.pop(which % len(self.in_hand))
        self.answer([(delivery, LATER) for delivery, _ in batch])
        self.outbox.relay._let_go(self.outbox.mailbox, batch)

    @precondition(lambda self: self.in_hand)
    @rule(which=st.integers(0, 9))
    def a_relay_dies(self, which: int) -> None:
        self.in_hand.pop(which % len(self.in_hand))

    @precondition(lambda self: not set(REPLAYABLE).isdisjoint(self.over.values()))
    @rule()
    def a_dead_letter_is_replayed(self) -> None:
        dead = next(it for it in self.outbox.deliveries() if it.status in REPLAYABLE)
        dead.replay(self.outbox.clock.now())
        with self.outbox.work() as work:
            work.deliveries.update(dead)
            work.commit()
        del self.over[dead.event_id]
        self.since[dead.event_id] = self.outbox.clock.now()
        self.receipts[dead.event_id].clear()

    def answer(self, settled: Sequence[tuple[Delivery, Receipt]]) -> None:
        """Record the responses to attempts whose claim has not been taken over."""
        for delivery, receipt in settled:
            if delivery.attempts == self.handed[delivery.event_id]:
                self.receipts[delivery.event_id].append(receipt)
                self.answered[delivery.event_id] += 1
                del self.held_until[delivery.event_id]

    @invariant()
    def every_event_is_where_its_answers_have_brought_it(self) -> None:
        deliveries = {it.event_id: it for it in self.outbox.deliveries()}
        assert deliveries.keys() == self.since.keys(), "no event is lost, none is there twice"
        for event_id, delivery in deliveries.items():
            receipts = self.receipts[event_id]
            assert delivery.attempts == self.handed[event_id], "attempts never fall"
            assert delivery.held == (event_id in self.held_until)
            assert (delivery.status is DeliveryStatus.DELIVERED) == (ACCEPTED in receipts)
            if delivery.status is DeliveryStatus.DEAD and REFUSED not in receipts:
                assert self.outbox.clock.now() - self.since[event_id] >= DEFAULT_RETRY.give_up_after, (
                    "nothing is given up too soon"
                )
            if REFUSED in receipts:
                assert delivery.status is DeliveryStatus.DEAD
            assert (delivery.status is DeliveryStatus.SKIPPED) == (SKIPPED in receipts)
            if delivery.status is not DeliveryStatus.PENDING:
                assert self.over.setdefault(event_id, delivery.status) is delivery.status, "what is over stays so"
            in_hand = event_id in self.held_until
            assert self.handed[event_id] == self.answered[event_id] + self.lost[event_id] + in_hand

    def teardown(self) -> None:
        """Once the destination answers and the relays live, everything arrives that was not given up."""
        self.outbox.advance(minutes=5)
        self.outbox.relay(MAIL)
        assert DeliveryStatus.PENDING not in {it.status for it in self.outbox.deliveries()}


TestLifeOfADelivery = LifeOfADelivery.TestCase
TestLifeOfADelivery.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
