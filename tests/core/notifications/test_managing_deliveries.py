"""Tests of listing, replaying and purging deliveries."""

from datetime import timedelta

import pytest

from tests.core.notifications.outbox import ACCEPTED, MAIL, REFUSED, FakeDestination
from unite_core import Forbidden, NewLead, NotFound, PageRequest, Role, Rules, build
from unite_core.errors import Conflict
from unite_core.events import Event
from unite_core.notifications.model import ACTIVITY, TEXTS, TOPIC, Delivery, DeliveryStatus
from unite_core.notifications.ports import DeliveryFilter
from unite_core.testing.builders import an_actor, an_id
from unite_core.testing.in_memory import in_memory_ports


class Office:
    """Unite with a mailbox that refuses everything; one lead was added."""

    def __init__(self) -> None:
        self.mailbox = FakeDestination(lambda _: REFUSED)
        self.ports = in_memory_ports(destinations=(self.mailbox,))
        self.unite = build(self.ports)
        self.admin = an_actor(Role.ADMIN)
        self.unite.leads.add(self.admin, NewLead(name="Grace", email="grace@example.com"))

    def deliveries(self, **filters: object) -> list[Delivery]:
        page = self.unite.notifications.list_deliveries(self.admin, DeliveryFilter(**filters), PageRequest())  # type: ignore[arg-type]  # what the fields take
        return [*page.items]

    def dead(self) -> Delivery:
        self.ports.jobs.run_all(self.unite)
        (delivery,) = self.deliveries(status=DeliveryStatus.DEAD)
        return delivery

    def events(self) -> list[Event]:
        return [*self.ports.activity.events.values()]


@pytest.fixture
def office() -> Office:
    return Office()


def test_every_event_goes_to_the_activity_log_and_to_each_subscribed_destination(office: Office) -> None:
    assert office.unite.notifications.destinations == (ACTIVITY, TOPIC, TEXTS, MAIL)

    office.ports.jobs.run_all(office.unite)

    event, refused = office.events()
    assert refused.delivery_id == office.dead().id
    assert office.mailbox.handed == [[event]]
    statuses = {it.destination: it.status for it in office.deliveries()}
    assert statuses == {ACTIVITY: DeliveryStatus.DELIVERED, MAIL: DeliveryStatus.DEAD}


def test_a_replayed_dead_letter_is_delivered_and_wakes_a_relay(office: Office) -> None:
    dead = office.dead()
    office.mailbox.answer = lambda _: ACCEPTED

    replayed = office.unite.notifications.replay(office.admin, dead.id)

    assert replayed.status is DeliveryStatus.PENDING
    assert office.ports.jobs.relays == 1
    assert office.unite.notifications.relay(MAIL).delivered == 1
    assert [(it.status, it.attempts) for it in office.deliveries(destination=MAIL)] == [(DeliveryStatus.DELIVERED, 2)]


def test_only_existing_dead_letters_can_be_replayed(office: Office) -> None:
    (waiting,) = office.deliveries(destination=ACTIVITY)

    with pytest.raises(Conflict) as refused:
        office.unite.notifications.replay(office.admin, waiting.id)
    with pytest.raises(NotFound):
        office.unite.notifications.replay(office.admin, an_id())

    assert refused.value.code == "not_dead"
    assert office.ports.jobs.relays == 0


def test_managers_can_list_but_not_replay_and_agents_can_do_neither(office: Office) -> None:
    dead = office.dead()
    notifications = office.unite.notifications

    assert len(notifications.list_deliveries(an_actor(Role.MANAGER), DeliveryFilter(), PageRequest()).items) == 3
    with pytest.raises(Forbidden):
        notifications.list_deliveries(an_actor(Role.AGENT), DeliveryFilter(), PageRequest())
    for role in (Role.MANAGER, Role.AGENT):
        with pytest.raises(Forbidden):
            notifications.replay(an_actor(role), dead.id)
    assert office.dead() == dead


def test_admins_and_managers_can_read_a_delivery_and_agents_cannot(office: Office) -> None:
    dead = office.dead()

    for role in (Role.ADMIN, Role.MANAGER):
        assert office.unite.notifications.get_delivery(an_actor(role), dead.id) == dead
    with pytest.raises(Forbidden):
        office.unite.notifications.get_delivery(an_actor(Role.AGENT), dead.id)
    with pytest.raises(NotFound):
        office.unite.notifications.get_delivery(office.admin, an_id())


def test_delivered_events_are_purged_after_a_week_and_dead_letters_never(office: Office) -> None:
    dead = office.dead()

    office.ports.clock.advance(timedelta(days=7))
    assert office.unite.upkeep.purge_deliveries() == 0
    office.ports.clock.advance(timedelta(microseconds=1))
    assert office.unite.upkeep.purge_deliveries() == 2

    assert office.deliveries() == [dead]


def test_old_deliveries_are_purged_in_small_transactions(office: Office) -> None:
    office.mailbox.answer = lambda _: ACCEPTED
    office.ports.jobs.run_all(office.unite)
    for number in range(4):
        office.unite.leads.add(office.admin, NewLead(name="Ada", email=f"ada{number}@example.com"))
    office.ports.jobs.run_all(office.unite)
    office.ports.clock.advance(timedelta(days=8))

    assert office.unite.upkeep.purge_deliveries(limit=2, should_stop=lambda: True) == 2
    assert office.unite.upkeep.purge_deliveries(limit=2) == 8


def test_old_activity_is_purged_in_batches(office: Office) -> None:
    office.mailbox.answer = lambda _: ACCEPTED
    for number in range(4):
        office.unite.leads.add(office.admin, NewLead(name="Ada", email=f"ada{number}@example.com"))
    office.ports.jobs.run_all(office.unite)
    a_day = build(office.ports, Rules(activity_retention=timedelta(days=1)))
    office.ports.clock.advance(timedelta(days=2))

    assert a_day.upkeep.purge_activity(limit=2, should_stop=lambda: True) == 2
    assert a_day.upkeep.purge_activity(limit=2) == 3


def test_the_activity_log_is_kept_for_the_configured_retention(office: Office) -> None:
    office.mailbox.answer = lambda _: ACCEPTED
    office.ports.jobs.run_all(office.unite)
    a_day = build(office.ports, Rules(activity_retention=timedelta(days=1)))
    office.ports.clock.advance(timedelta(days=1))

    assert a_day.upkeep.purge_activity() == 0
    office.ports.clock.advance(timedelta(microseconds=1))
    assert office.unite.upkeep.purge_activity() == 0
    assert len(office.events()) == 1
    assert a_day.upkeep.purge_activity() == 1
    assert office.events() == []
