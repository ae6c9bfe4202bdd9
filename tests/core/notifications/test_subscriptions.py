"""Tests of subscriptions: which events a destination gets, its retry policy and its status checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from tests.core.notifications.outbox import ACCEPTED, LATER, MAIL, FakeDestination, OutboxScenario
from unite_core import Role, build
from unite_core.errors import NotFound, Unavailable
from unite_core.notifications.delivery_reports import DeliveryReport, MessageProgress
from unite_core.notifications.model import ACTIVITY, NEVER, TEXTS, TOPIC, DeliveryStatus, Receipt, RetryPolicy
from unite_core.notifications.subscriptions import BUILT_IN, Subscription, recipients_of
from unite_core.notifications.use_cases import CheckDeliveryStatuses, ReplayDelivery
from unite_core.testing.builders import an_actor, an_event, an_id
from unite_core.testing.in_memory import InMemoryJobs, in_memory_ports

PENDING, DELIVERED, NOT_SENT, DEAD = DeliveryStatus
HOUR = timedelta(hours=1)
LONG_RETRY = RetryPolicy(first_pause=HOUR, max_pause=2 * HOUR, give_up_after=5 * HOUR)


def names(kind: str, **event: Any) -> list[str]:
    wide = Subscription(name="wide")
    narrow = Subscription(name="narrow", accepts=lambda event: event.type == "lead.created")
    return [each.name for each in recipients_of(an_event(type=kind, **event), (*BUILT_IN, wide, narrow))]


def test_an_event_goes_to_the_destinations_that_accept_it() -> None:
    assert names("lead.created") == [ACTIVITY, "wide", "narrow"]
    assert names("call_task.created") == [ACTIVITY, TOPIC, "wide"]
    assert names("call_task.assigned", data={"assigned_to": str(an_id())}) == [ACTIVITY, TOPIC, TEXTS, "wide"]


def test_an_event_of_a_delivery_goes_only_to_the_activity_log() -> None:
    assert names("lead.created", delivery_id=an_id()) == [ACTIVITY]


@pytest.mark.parametrize("answers", [True, False], ids=["it takes nothing yet", "it does not answer"])
def test_failures_are_retried_by_the_policy_of_the_destination(*, answers: bool) -> None:
    outbox = OutboxScenario(FakeDestination(lambda _: LATER, retry=LONG_RETRY))
    if not answers:
        outbox.mailbox.fail(Unavailable("It is being moved."))
    outbox.record()

    outbox.relay(MAIL)
    (failed,) = outbox.deliveries()
    assert HOUR / 2 <= failed.next_attempt_at - outbox.clock.now() <= HOUR
    assert failed.give_up_at == outbox.clock.now() + LONG_RETRY.give_up_after
    outbox.advance(hours=1)
    outbox.relay(MAIL)
    (failed,) = outbox.deliveries()
    assert HOUR <= failed.next_attempt_at - outbox.clock.now() <= 2 * HOUR

    outbox.advance(hours=4)
    outbox.relay(MAIL)

    assert [(it.status, it.attempts) for it in outbox.deliveries()] == [(DEAD, 3)]


def test_an_untried_event_is_given_up_by_the_policy_of_the_destination() -> None:
    outbox = OutboxScenario(FakeDestination(retry=LONG_RETRY))
    (event,) = outbox.record()

    (waiting,) = outbox.deliveries()

    assert waiting.give_up_at == event.at + LONG_RETRY.give_up_after


def test_a_released_event_is_given_up_by_the_policy_of_the_destination() -> None:
    outbox = OutboxScenario(FakeDestination(retry=LONG_RETRY))
    outbox.record()
    outbox.advance(hours=1)
    stops = iter([False, True, True])

    outbox.relay(MAIL, should_stop=lambda: next(stops))

    (released,) = outbox.deliveries()
    assert (released.status, released.attempts, released.held) == (PENDING, 1, False)
    assert released.give_up_at == outbox.clock.now() + LONG_RETRY.give_up_after


@pytest.mark.parametrize(("still_there", "after"), [(True, LONG_RETRY.give_up_after), (False, timedelta(days=3))])
def test_a_replayed_event_is_given_up_by_the_policy_of_its_destination_if_it_still_exists(
    *, still_there: bool, after: timedelta
) -> None:
    outbox = OutboxScenario(FakeDestination(lambda _: Receipt(accepted=False, refused=True), retry=LONG_RETRY))
    outbox.record()
    outbox.relay(MAIL)
    destinations = {MAIL: outbox.mailbox} if still_there else {}
    replay = ReplayDelivery(outbox.work, destinations, InMemoryJobs(), outbox.clock)

    replayed = replay(an_actor(Role.ADMIN), outbox.deliveries()[0].id)

    assert replayed.give_up_at == outbox.clock.now() + after


@dataclass
class Carrier(FakeDestination):
    """A destination that reports the progress of the accepted letters."""

    status: MessageProgress = MessageProgress.SENT
    asked: list[str] = field(default_factory=list)

    def report_of(self, response: Mapping[str, Any]) -> DeliveryReport | None:
        if "letter" not in response:
            return None
        progress = MessageProgress(response["status"])
        return DeliveryReport(
            message_id=response["letter"], progress=progress, complete=progress.final, response=response
        )

    def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:
        assert not short_timeouts
        self.asked.append(message_id)
        report = self.report_of({"letter": message_id, "status": self.status})
        assert report is not None
        return report


def taken(status: MessageProgress) -> Receipt:
    return Receipt(accepted=True, response={"letter": "a", "status": status.value})


def test_statuses_are_checked_at_the_times_of_the_subscription() -> None:
    carrier = Carrier(lambda _: taken(MessageProgress.QUEUED), follow_up=(HOUR, 3 * HOUR))
    outbox = OutboxScenario(carrier)
    outbox.record()
    outbox.relay(MAIL)
    follow = CheckDeliveryStatuses(outbox.work, {MAIL: carrier}, outbox.clock, outbox.ids)

    asked = []
    for _ in range(5):
        asked.append(follow())
        outbox.advance(hours=1)

    assert asked == [0, 1, 0, 1, 0]
    assert [(it.response["status"], it.next_attempt_at) for it in outbox.deliveries()] == [
        (MessageProgress.SENT, NEVER)
    ]


def test_the_limit_of_checks_is_shared_by_all_destinations() -> None:
    first = Carrier(lambda _: taken(MessageProgress.QUEUED), follow_up=(HOUR,))
    outbox = OutboxScenario(first)
    outbox.record(2)
    outbox.relay(MAIL)
    outbox.advance(hours=1)
    follow = CheckDeliveryStatuses(outbox.work, {MAIL: first, "again": first}, outbox.clock, outbox.ids)

    assert [follow(limit=1), follow(limit=1), follow(limit=1)] == [1, 1, 0]


def test_a_delivery_with_a_complete_report_is_not_checked() -> None:
    carrier = Carrier(lambda _: taken(MessageProgress.DELIVERED), follow_up=(HOUR,))
    outbox = OutboxScenario(carrier)
    outbox.record()
    outbox.relay(MAIL)
    outbox.advance(hours=1)

    assert CheckDeliveryStatuses(outbox.work, {MAIL: carrier}, outbox.clock, outbox.ids)() == 0
    assert outbox.deliveries()[0].next_attempt_at == NEVER


def test_a_delivery_whose_destination_no_longer_recognises_its_response_is_not_checked_again() -> None:
    carrier = Carrier(lambda _: taken(MessageProgress.QUEUED), follow_up=(HOUR, 2 * HOUR))
    outbox = OutboxScenario(carrier)
    outbox.record()
    outbox.relay(MAIL)
    outbox.advance(hours=1)
    successor = FakeDestination(follow_up=carrier.follow_up)

    assert CheckDeliveryStatuses(outbox.work, {MAIL: successor}, outbox.clock, outbox.ids)() == 1

    assert carrier.asked == []
    assert outbox.deliveries()[0].next_attempt_at == NEVER


def test_a_destination_without_status_checks_is_never_checked() -> None:
    outbox = OutboxScenario(FakeDestination(lambda _: ACCEPTED))
    outbox.record()
    outbox.relay(MAIL)
    outbox.advance(days=2)

    assert CheckDeliveryStatuses(outbox.work, {MAIL: outbox.mailbox}, outbox.clock, outbox.ids)() == 0
    with pytest.raises(NotFound):
        outbox.mailbox.look_up("a")


def test_further_destinations_are_listed_after_the_built_in_ones() -> None:
    unite = build(in_memory_ports(destinations=(FakeDestination(), FakeDestination(name="fax"))))

    assert unite.notifications.destinations == (ACTIVITY, TOPIC, TEXTS, MAIL, "fax")
