"""Tests of status checks: messages without a final report are looked up at the provider, a few times."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.core.imports.accidents import FailingWork
from unite_core import Quotas, Rules
from unite_core.errors import Deadlock, NotFound, Unavailable
from unite_core.notifications.delivery_reports import DeliveryReport
from unite_core.notifications.destinations import TextsOfEvents
from unite_core.notifications.events import REPORTED
from unite_core.notifications.model import DELIVERY_RETENTION, NEVER, TEXTS, Delivery, DeliveryStatus
from unite_core.notifications.ports import DeliveryFilter, Destination
from unite_core.notifications.use_cases import CheckDeliveryStatuses, RecordTextReport, TextReport
from unite_core.notifications.use_cases.status_checks import MAX_DURATION
from unite_core.paging import PageRequest
from unite_core.quotas import NO_LIMIT
from unite_core.testing.in_memory import InMemoryTextMessages
from unite_core.testing.in_memory.messages import message_id
from unite_core.testing.scenario import Scenario

PENDING, DELIVERED, NOT_SENT, DEAD = DeliveryStatus
MESSAGE = message_id(1)
FIVE_MINUTES, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
QUEUED = {"status": "queued", "cost": None}
WITHOUT_COST = {"status": "delivered", "cost": None}
KNOWN = {"status": "delivered", "cost": "0.0079", "currency": "USD"}


class Carrier(InMemoryTextMessages):
    """A provider that reports `says` of each message, and records the lookups."""

    def __init__(self, says: Callable[[], dict[str, Any]]) -> None:
        super().__init__()
        self.says = says
        self.asked: list[str] = []

    def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:
        assert not short_timeouts
        self.asked.append(message_id)
        report = self.report_of({"message_id": message_id, **self.says()})
        assert report is not None
        return report


def destinations_by(watch: "Watch") -> dict[str, Destination]:
    """The destinations of the scenario, with the watched carrier for text messages."""
    destinations = watch.scenario.unite.notifications.relay.destinations
    texts = destinations[TEXTS]
    assert isinstance(texts, TextsOfEvents)
    return {**destinations, TEXTS: replace(texts, messages=watch.carrier)}


class Watch:
    """A scenario with accepted text messages, of which no report arrives unless the provider is asked."""

    def __init__(self, says: dict[str, Any] | Exception, texts: int = 1) -> None:
        self.scenario = Scenario(rules=Rules(quotas=Quotas(texts_per_number=NO_LIMIT)))
        for _ in range(texts):
            self.scenario.create_call_task()
        self.scenario.run_jobs()
        self.clock = self.scenario.ports.clock
        self.began = self.clock.now()
        self.carrier = Carrier(lambda: _said(says))
        self.work = self.scenario.ports.work
        self.follow = CheckDeliveryStatuses(self.work, destinations_by(self), self.clock, self.scenario.ports.ids)

    def at(self, since: timedelta) -> int:
        """Set the clock to that time after the messages were accepted, and run the status checks."""
        self.clock.advance(self.began + since - self.clock.now())
        return self.follow()

    def deliveries(self) -> list[Delivery]:
        filters = DeliveryFilter(destination=TEXTS)
        page = self.scenario.unite.notifications.list_deliveries(self.scenario.manager, filters, PageRequest(limit=200))
        return [*page.items]

    def delivery(self) -> Delivery:
        return self.deliveries()[0]

    def reports(self) -> list[dict[str, Any]]:
        self.scenario.run_jobs()
        page = self.scenario.unite.notifications.activity(self.scenario.manager, self.delivery().id, PageRequest())
        return [event.data["response"] for event in page.items if event.type == REPORTED]


def a_report(delivery: Delivery, status: str) -> TextReport:
    """A report of the carrier about the first message."""
    return TextReport(delivery_id=delivery.id, response={"message_id": MESSAGE, "status": status})


def _said(says: dict[str, Any] | Exception) -> dict[str, Any]:
    if isinstance(says, Exception):
        raise says
    return says


def moments_asked(watch: Watch) -> list[timedelta]:
    """Return the times of lookups within a week, checked every minute for two hours, then every hour."""
    looks = [*(timedelta(minutes=minute) for minute in range(120)), *(hours * HOUR for hours in range(2, 160))]
    return [moment for moment in looks if watch.at(moment)]


@pytest.mark.parametrize("says", [QUEUED, WITHOUT_COST, NotFound("It is gone."), {"status": "teleported"}])
def test_a_delivery_without_a_final_status_is_checked_three_times(says: dict[str, Any] | Exception) -> None:
    watch = Watch(says)

    assert moments_asked(watch) == [FIVE_MINUTES, HOUR, DAY]

    assert watch.delivery().next_attempt_at == NEVER
    assert watch.delivery().status is DELIVERED


def test_a_delivery_with_a_final_status_and_cost_is_not_checked_again() -> None:
    watch = Watch(KNOWN)

    assert moments_asked(watch) == [FIVE_MINUTES]

    assert watch.delivery().response == {"message_id": MESSAGE, "segments": 1, **KNOWN}
    assert [report["cost"] for report in watch.reports()] == ["0.0079"]


def test_a_late_cost_is_stored_and_recorded_although_the_status_is_the_same() -> None:
    watch = Watch(WITHOUT_COST)
    watch.at(FIVE_MINUTES)
    watch.carrier.says = lambda: KNOWN

    assert watch.at(HOUR) == 1

    assert [report["cost"] for report in watch.reports()] == ["0.0079", None]
    assert watch.delivery().next_attempt_at == NEVER


def test_a_delivery_with_a_complete_report_is_not_checked() -> None:
    watch = Watch(KNOWN)
    watch.scenario.unite.notifications.record_text_report(a_report(watch.delivery(), "delivered"))

    assert moments_asked(watch) == []


def test_a_final_report_whose_details_could_not_be_looked_up_is_checked_later() -> None:
    watch = Watch(KNOWN)

    class Slow(InMemoryTextMessages):
        def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:
            raise Unavailable(f"{message_id} takes too long." if short_timeouts else "It is away.")

    texts = destinations_by(watch)[TEXTS]
    assert isinstance(texts, TextsOfEvents)
    record = RecordTextReport(watch.work, replace(texts, messages=Slow()), watch.clock, watch.scenario.ports.ids)
    record(a_report(watch.delivery(), "delivered"))

    assert watch.at(FIVE_MINUTES) == 1
    assert watch.delivery().response["cost"] == "0.0079"


def test_a_failed_message_becomes_a_dead_letter_by_a_status_check() -> None:
    watch = Watch({"status": "failed", "cost": "0.0079", "error": "It is switched off."})
    watch.clock.advance(FIVE_MINUTES)
    dead: list[Delivery] = []

    assert watch.follow(on_dead=dead.append) == 1

    assert dead == watch.deliveries()
    assert (dead[0].status, dead[0].delivered_at, dead[0].response["error"]) == (DEAD, None, "It is switched off.")
    assert [report["status"] for report in watch.reports()] == ["failed"]
    assert watch.at(HOUR) == 0


def test_a_dead_letter_needs_no_callback() -> None:
    watch = Watch({"status": "failed"})

    assert watch.at(FIVE_MINUTES) == 1

    assert watch.delivery().status is DEAD


def test_during_an_outage_the_other_checks_wait_and_none_is_lost() -> None:
    watch = Watch(Unavailable("It is being moved."), texts=3)

    assert watch.at(FIVE_MINUTES) == 0
    assert len(watch.carrier.asked) == 1
    watch.carrier.says = lambda: KNOWN

    assert watch.at(2 * FIVE_MINUTES) == 3
    assert {it.response["cost"] for it in watch.deliveries()} == {"0.0079"}


def test_checks_that_were_missed_are_made_up_for_once() -> None:
    watch = Watch(QUEUED)

    assert [watch.at(since) for since in (2 * HOUR, 3 * HOUR, DAY, 2 * DAY)] == [1, 0, 1, 0]


def test_a_delivery_whose_checks_were_all_missed_is_checked_once() -> None:
    watch = Watch(QUEUED)

    assert [watch.at(since) for since in (3 * DAY, 4 * DAY)] == [1, 0]


def test_the_number_of_checks_in_one_run_is_limited() -> None:
    watch = Watch(KNOWN, texts=25)
    watch.clock.advance(FIVE_MINUTES)

    assert [watch.follow(limit=12), watch.follow(limit=12), watch.follow(limit=12)] == [12, 12, 1]
    assert len(set(watch.carrier.asked)) == 25


def test_a_run_can_be_stopped() -> None:
    watch = Watch(KNOWN, texts=3)
    watch.clock.advance(FIVE_MINUTES)

    assert watch.follow(should_stop=lambda: len(watch.carrier.asked) == 1) == 1

    assert watch.at(2 * FIVE_MINUTES) == 2


def test_the_duration_of_a_run_is_limited() -> None:
    watch = Watch(KNOWN, texts=5)

    def take_long() -> dict[str, Any]:
        watch.clock.advance(MAX_DURATION / 2)
        return KNOWN

    watch.carrier.says = take_long

    assert watch.at(FIVE_MINUTES) == 2


def test_concurrent_runs_check_different_deliveries_and_no_transaction_is_open_during_a_check() -> None:
    watch = Watch(KNOWN)
    others: list[int] = []

    def let_another_ask() -> dict[str, Any]:
        others.append(watch.follow())
        return KNOWN

    watch.carrier.says = let_another_ask

    assert watch.at(FIVE_MINUTES) == 1
    assert others == [0]


def test_a_report_that_arrives_during_a_check_is_not_overwritten() -> None:
    watch = Watch(QUEUED)
    delivery = watch.delivery()

    def be_overtaken() -> dict[str, Any]:
        watch.scenario.unite.notifications.record_text_report(a_report(delivery, "failed"))
        return QUEUED

    watch.carrier.says = be_overtaken
    watch.at(FIVE_MINUTES)

    assert watch.delivery().status is DEAD


def test_a_delivery_that_is_purged_during_its_check_stays_purged() -> None:
    watch = Watch(KNOWN)

    def forget() -> dict[str, Any]:
        watch.clock.advance(DELIVERY_RETENTION)
        watch.scenario.unite.upkeep.purge_deliveries()
        return KNOWN

    watch.carrier.says = forget

    assert watch.at(FIVE_MINUTES) == 1
    assert watch.deliveries() == []


@pytest.mark.parametrize("at", [0, 1], ids=["setting apart", "keeping"])
def test_a_transaction_that_loses_a_deadlock_is_retried(at: int) -> None:
    watch = Watch(KNOWN)
    work = FailingWork(watch.work, Deadlock("Another was first."), at=at)
    watch.follow = CheckDeliveryStatuses(work, destinations_by(watch), watch.clock, watch.scenario.ports.ids)

    assert watch.at(FIVE_MINUTES) == 1
    assert watch.delivery().response["cost"] == "0.0079"


def test_deliveries_to_other_destinations_are_not_checked() -> None:
    watch = Watch(KNOWN)

    watch.at(DELIVERY_RETENTION - HOUR)

    assert watch.carrier.asked == [MESSAGE]


def test_the_upkeep_polls_the_status_of_text_messages() -> None:
    watch = Watch(KNOWN)
    watch.clock.advance(FIVE_MINUTES)

    assert watch.scenario.unite.upkeep.check_delivery_statuses() == 1
