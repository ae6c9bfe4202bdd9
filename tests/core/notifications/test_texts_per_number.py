"""How many text messages one number gets within an hour, and all numbers together, whatever happens."""

from collections import Counter
from datetime import timedelta

import pytest

from tests.core.imports.accidents import FailingWork, PowerCutError
from tests.core.notifications.scenario import NotificationScenario
from unite_core import Quotas, Role, Rules, build
from unite_core.calls.use_cases import Assignment
from unite_core.errors import Deadlock, Unavailable
from unite_core.notifications.destinations import TextsOfEvents
from unite_core.notifications.events import ANSWERED
from unite_core.notifications.model import CLAIM_TTL, RATE_LIMITED, TEXTS, Delivery, DeliveryStatus, Receipt
from unite_core.notifications.ports import DeliveryFilter
from unite_core.notifications.use_cases import RelayEvents
from unite_core.paging import PageRequest
from unite_core.testing.builders import an_actor
from unite_core.usage import HOUR

ADAS, BENS, MIAS = "+12125550102", "+12125550103", "+12125550101"


def a_floor(*, per_number: int = 3, all_numbers: int = 0) -> NotificationScenario:
    scenario = NotificationScenario()
    scenario.unite = build(scenario.ports, Rules(quotas=Quotas(texts_per_number=per_number, texts=all_numbers)))
    return scenario


def texts_of(scenario: NotificationScenario) -> list[Delivery]:
    """The deliveries of text messages, the oldest first."""
    wanted = DeliveryFilter(destination=TEXTS)
    return [*scenario.unite.notifications.list_deliveries(scenario.manager, wanted, PageRequest(limit=200)).items][::-1]


def sent(scenario: NotificationScenario) -> Counter[str]:
    scenario.relay()
    return Counter(message.to for message in scenario.ports.texts.sent)


def test_a_number_gets_no_more_messages_within_an_hour_than_its_quota() -> None:
    scenario = NotificationScenario()

    for _ in range(30):
        scenario.plan()

    assert sent(scenario) == {ADAS: Quotas().texts_per_number}
    over = texts_of(scenario)[Quotas().texts_per_number :]
    assert {it.status for it in over} == {DeliveryStatus.SKIPPED}
    assert [it.response for it in over] == [{"reason": RATE_LIMITED}] * 10


def test_whatever_is_told_counts_and_whoever_shares_the_number_too() -> None:
    scenario = a_floor()
    moe = scenario.add_user("Moe", Role.MANAGER, ADAS)
    scenario.complete(scenario.plan(by=scenario.acting(moe), assigned_to=scenario.mia), by=scenario.manager)
    task = scenario.plan()
    for user in (moe, scenario.ada, moe):
        scenario.unite.calls.assign(scenario.manager, Assignment(task_id=task.id, assigned_to=user.id))

    assert sent(scenario)[ADAS] == 3


def test_other_numbers_are_texted_all_the_same() -> None:
    scenario = a_floor(per_number=1)
    ben = scenario.add_user("Ben", Role.AGENT, BENS)
    for user in (scenario.ada, ben, scenario.ada, ben):
        scenario.plan(assigned_to=user)

    assert sent(scenario) == {ADAS: 1, BENS: 1}


def test_after_an_hour_there_is_room_again_and_what_was_skipped_can_be_replayed() -> None:
    scenario = a_floor(per_number=1)
    scenario.plan()
    scenario.plan()
    scenario.relay()
    skipped = texts_of(scenario)[1]

    scenario.ports.clock.advance(HOUR - timedelta(seconds=1))
    scenario.unite.notifications.replay(an_actor(Role.ADMIN), skipped.id)
    assert sent(scenario) == {ADAS: 1}
    scenario.ports.clock.advance(timedelta(seconds=1))
    scenario.unite.notifications.replay(an_actor(Role.ADMIN), skipped.id)

    assert sent(scenario) == {ADAS: 2}
    assert {it.status for it in texts_of(scenario)} == {DeliveryStatus.DELIVERED}


def test_what_is_skipped_is_told_to_the_activity_log() -> None:
    scenario = a_floor(per_number=1)
    scenario.plan()
    scenario.plan()
    scenario.relay()

    (told,) = scenario.unite.notifications.activity(scenario.manager, texts_of(scenario)[1].id, PageRequest()).items

    assert (told.type, told.data["status"], told.data["response"]) == (ANSWERED, "skipped", {"reason": RATE_LIMITED})


def test_all_numbers_together_have_a_quota_where_the_owner_wants_one() -> None:
    scenario = a_floor(all_numbers=3)
    ben = scenario.add_user("Ben", Role.AGENT, BENS)
    for user in (scenario.ada, ben, scenario.ada, ben):
        scenario.plan(assigned_to=user)

    assert sent(scenario) == {ADAS: 2, BENS: 1}
    # What was refused for all of them took no place of its own number's.
    scenario.ports.clock.advance(HOUR)
    for _ in range(4):
        scenario.plan(assigned_to=ben)
    assert sent(scenario)[BENS] == 1 + 3


def test_without_a_limit_nothing_is_counted() -> None:
    scenario = a_floor(per_number=0)
    for _ in range(25):
        scenario.plan()

    assert sent(scenario) == {ADAS: 25}
    with scenario.ports.work() as work:
        assert work.usage.purge(before=scenario.ports.clock.now() + HOUR, limit=100) == 0


def test_a_message_that_is_tried_again_takes_one_place() -> None:
    scenario = a_floor(per_number=2)

    def away(_: object) -> Receipt:
        raise Unavailable("Nobody answers.")

    scenario.ports.texts.answer = away
    scenario.plan()
    for _ in range(4):
        scenario.relay()
        scenario.ports.clock.advance(timedelta(minutes=5))
    scenario.ports.texts.answer = lambda _: Receipt(taken=True)
    scenario.plan()
    scenario.plan()

    assert sent(scenario) == {ADAS: 2}


def test_what_waited_while_nobody_answered_goes_out_within_the_quota() -> None:
    scenario = a_floor(per_number=2)
    for _ in range(5):
        scenario.plan()
        scenario.ports.clock.advance(HOUR)

    assert sent(scenario) == {ADAS: 2}


def test_a_relay_that_dies_gives_no_place_away() -> None:
    scenario = a_floor(per_number=1)
    scenario.plan()
    scenario.plan()
    relay = scenario.unite.notifications.relay
    doomed = RelayEvents(
        FailingWork(scenario.ports.work, PowerCutError(), at=1), relay.destinations, relay.clock, relay.ids
    )
    with pytest.raises(PowerCutError):
        doomed(TEXTS)
    scenario.ports.clock.advance(CLAIM_TTL)

    assert sent(scenario) == {ADAS: 1}
    assert [it.status for it in texts_of(scenario)] == [DeliveryStatus.DELIVERED, DeliveryStatus.SKIPPED]


def test_counting_that_gives_way_to_another_relay_is_begun_anew() -> None:
    scenario = NotificationScenario()
    scenario.plan()
    ports, relay = scenario.ports, scenario.unite.notifications.relay
    gives_way = FailingWork(ports.work, Deadlock("Somebody else was quicker."), at=0)
    texts = TextsOfEvents(gives_way, ports.reads, ports.texts, ports.clock, ports.ids, ports.links)

    RelayEvents(ports.work, {TEXTS: texts}, relay.clock, relay.ids)(TEXTS)

    assert len(ports.texts.sent) == 1


def test_what_was_counted_is_forgotten_after_an_hour() -> None:
    scenario = a_floor()
    scenario.plan()
    scenario.relay()
    assert scenario.unite.upkeep.purge_usage() == 0
    scenario.ports.clock.advance(HOUR + timedelta(microseconds=1))

    assert scenario.unite.upkeep.purge_usage() == 1
