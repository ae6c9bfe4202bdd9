"""Tests of `build` with ports that do not fit together, and of destinations that return wrong receipts."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest

from unite_core import Actor, Destination, Event, NewLead, Receipt, Subscription, build
from unite_core.ports import Clock, TopicMessage
from unite_core.testing.builders import an_event
from unite_core.testing.in_memory import FixedClock, InMemoryTopic, InMemoryUnitOfWorkFactory, Store, in_memory_ports
from unite_core.testing.scenario import Scenario
from unite_core.unit_of_work import before_commit


class Crm(Destination):
    """A destination that returns a given number of receipts."""

    def __init__(self, receipts: int = 1, name: str = "crm") -> None:
        self.subscription = Subscription(name=name)
        self._receipts = receipts

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:  # noqa: ARG002 - it takes all
        return [Receipt(accepted=True)] * self._receipts


class ForgetfulTopic(InMemoryTopic):
    """A topic that returns no receipts."""

    def publish(self, messages: Sequence[TopicMessage]) -> Sequence[Receipt]:  # noqa: ARG002 - it forgets them
        return []


def test_a_destination_without_a_subscription_in_the_units_of_work_is_refused() -> None:
    with pytest.raises(ValueError, match=r"destinations: `work` was made without the subscriptions of crm"):
        replace(in_memory_ports(), destinations=[Crm()])


def test_deliveries_for_a_missing_destination_are_refused() -> None:
    with pytest.raises(ValueError, match=r"destinations: `work` creates deliveries for crm"):
        replace(in_memory_ports(destinations=[Crm()]), destinations=[])


@pytest.mark.parametrize("name", ["crm", "topic"])
def test_two_destinations_with_the_same_name_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"destinations: Two destinations have the same name"):
        in_memory_ports(destinations=[Crm(), Crm(name=name)])


def test_configured_destinations_get_events() -> None:
    scenario = Scenario(in_memory_ports(destinations=[Crm()]))
    scenario.create_lead()

    assert scenario.unite.notifications.relay("crm").delivered == 1


def test_units_of_work_over_different_stores_are_refused() -> None:
    with pytest.raises(ValueError, match=r"reads: It reads another database"):
        in_memory_ports(reads=InMemoryUnitOfWorkFactory(Store(), writes=False))


def test_a_hook_changes_neither_store_nor_destinations() -> None:
    work = in_memory_ports(destinations=[Crm()]).work

    hooked = before_commit(work, lambda *_: None)

    assert hooked.store is work.store
    assert [*hooked.destinations] == [*work.destinations] == ["activity", "topic", "texts", "crm"]


@pytest.mark.parametrize("receipts", [0, 2])
def test_a_destination_that_returns_too_few_or_too_many_receipts_is_named_in_the_error(receipts: int) -> None:
    scenario = Scenario(in_memory_ports(destinations=[Crm(receipts)]))
    scenario.create_lead()

    with pytest.raises(ValueError, match=rf"The destination crm returned {receipts} receipts for 1"):
        scenario.unite.notifications.relay("crm")

    [delivery] = [each for each in scenario.tables.deliveries.values() if each.destination == "crm"]
    assert (delivery.attempts, delivery.response) == (1, {"error": "internal_error"})


def test_a_topic_that_returns_too_few_receipts_is_named_in_the_error() -> None:
    scenario = Scenario(in_memory_ports(topic=ForgetfulTopic()))
    scenario.create_call_task()

    with pytest.raises(ValueError, match=r"The topic returned 0 receipts for"):
        scenario.unite.notifications.relay("topic")


def test_a_clock_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="at: The time of a clock needs a time zone"):
        FixedClock(datetime(2026, 3, 2, 9))  # noqa: DTZ001 - it is to be refused


class NaiveClock(Clock):
    """A clock of an adapter that forgets the time zone."""

    def now(self) -> datetime:
        return datetime(2026, 3, 2, 9)  # noqa: DTZ001 - it is to be refused


def test_with_a_naive_clock_nothing_is_stored() -> None:
    ports = in_memory_ports()
    unite = build(replace(ports, clock=NaiveClock()))  # type: ignore[arg-type]  # it is a clock, and not the one in memory
    before = ports.reads.store.read().leads

    with pytest.raises(ValueError, match="Lead: created_at"):
        unite.leads.add(Actor.system(), NewLead(name="Grace", phone="+12125550123"))

    assert ports.reads.store.read().leads == before == {}


def test_an_event_is_recorded_once_per_destination() -> None:
    ports = in_memory_ports(destinations=[Crm()])

    with ports.work() as unit:
        unit.record(an_event())
        unit.commit()

    with ports.reads() as reads:
        assert len(reads.deliveries.pending_events("crm", ["lead.created"])) == 1
