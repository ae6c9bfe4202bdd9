"""How many text messages one number gets within an hour, and all numbers together, whatever happens."""

from collections import Counter
from datetime import timedelta

import pytest

from tests.core.imports.accidents import FailingWork, PowerCutError
from tests.core.notifications.floor import CallFloor
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


def a_floor(*, per_number: int = 3, all_numbers: int = 0) -> CallFloor:
    floor = CallFloor()
    floor.unite = build(floor.ports, Rules(quotas=Quotas(texts_per_number=per_number, texts=all_numbers)))
    return floor


def texts_of(floor: CallFloor) -> list[Delivery]:
    """The deliveries of text messages, the oldest first."""
    wanted = DeliveryFilter(destination=TEXTS)
    return [*floor.unite.notifications.list_deliveries(floor.manager, wanted, PageRequest(limit=200)).items][::-1]


def sent(floor: CallFloor) -> Counter[str]:
    floor.relay()
    return Counter(message.to for message in floor.ports.texts.sent)


def test_a_number_gets_no_more_messages_within_an_hour_than_its_quota() -> None:
    floor = CallFloor()

    for _ in range(30):
        floor.plan()

    assert sent(floor) == {ADAS: Quotas().texts_per_number}
    over = texts_of(floor)[Quotas().texts_per_number :]
    assert {it.status for it in over} == {DeliveryStatus.SKIPPED}
    assert [it.response for it in over] == [{"reason": RATE_LIMITED}] * 10


def test_whatever_is_told_counts_and_whoever_shares_the_number_too() -> None:
    floor = a_floor()
    moe = floor.hire("Moe", Role.MANAGER, ADAS)
    floor.complete(floor.plan(by=floor.acting(moe), assigned_to=floor.mia), by=floor.manager)
    task = floor.plan()
    for user in (moe, floor.ada, moe):
        floor.unite.calls.assign(floor.manager, Assignment(task_id=task.id, assigned_to=user.id))

    assert sent(floor)[ADAS] == 3


def test_other_numbers_are_texted_all_the_same() -> None:
    floor = a_floor(per_number=1)
    ben = floor.hire("Ben", Role.AGENT, BENS)
    for user in (floor.ada, ben, floor.ada, ben):
        floor.plan(assigned_to=user)

    assert sent(floor) == {ADAS: 1, BENS: 1}


def test_after_an_hour_there_is_room_again_and_what_was_skipped_can_be_replayed() -> None:
    floor = a_floor(per_number=1)
    floor.plan()
    floor.plan()
    floor.relay()
    skipped = texts_of(floor)[1]

    floor.ports.clock.advance(HOUR - timedelta(seconds=1))
    floor.unite.notifications.replay(an_actor(Role.ADMIN), skipped.id)
    assert sent(floor) == {ADAS: 1}
    floor.ports.clock.advance(timedelta(seconds=1))
    floor.unite.notifications.replay(an_actor(Role.ADMIN), skipped.id)

    assert sent(floor) == {ADAS: 2}
    assert {it.status for it in texts_of(floor)} == {DeliveryStatus.DELIVERED}


def test_what_is_skipped_is_told_to_the_activity_log() -> None:
    floor = a_floor(per_number=1)
    floor.plan()
    floor.plan()
    floor.relay()

    (told,) = floor.unite.notifications.activity(floor.manager, texts_of(floor)[1].id, PageRequest()).items

    assert (told.type, told.data["status"], told.data["response"]) == (ANSWERED, "skipped", {"reason": RATE_LIMITED})


def test_all_numbers_together_have_a_quota_where_the_owner_wants_one() -> None:
    floor = a_floor(all_numbers=3)
    ben = floor.hire("Ben", Role.AGENT, BENS)
    for user in (floor.ada, ben, floor.ada, ben):
        floor.plan(assigned_to=user)

    assert sent(floor) == {ADAS: 2, BENS: 1}
    # What was refused for all of them took no place of its own number's.
    floor.ports.clock.advance(HOUR)
    for _ in range(4):
        floor.plan(assigned_to=ben)
    assert sent(floor)[BENS] == 1 + 3


def test_without_a_limit_nothing_is_counted() -> None:
    floor = a_floor(per_number=0)
    for _ in range(25):
        floor.plan()

    assert sent(floor) == {ADAS: 25}
    with floor.ports.work() as work:
        assert work.usage.purge(before=floor.ports.clock.now() + HOUR, limit=100) == 0


def test_a_message_that_is_tried_again_takes_one_place() -> None:
    floor = a_floor(per_number=2)

    def away(_: object) -> Receipt:
        raise Unavailable("Nobody answers.")

    floor.ports.texts.answer = away
    floor.plan()
    for _ in range(4):
        floor.relay()
        floor.ports.clock.advance(timedelta(minutes=5))
    floor.ports.texts.answer = lambda _: Receipt(taken=True)
    floor.plan()
    floor.plan()

    assert sent(floor) == {ADAS: 2}


def test_what_waited_while_nobody_answered_goes_out_within_the_quota() -> None:
    floor = a_floor(per_number=2)
    for _ in range(5):
        floor.plan()
        floor.ports.clock.advance(HOUR)

    assert sent(floor) == {ADAS: 2}


def test_a_relay_that_dies_gives_no_place_away() -> None:
    floor = a_floor(per_number=1)
    floor.plan()
    floor.plan()
    relay = floor.unite.notifications.relay
    doomed = RelayEvents(
        FailingWork(floor.ports.work, PowerCutError(), at=1), relay.destinations, relay.clock, relay.ids
    )
    with pytest.raises(PowerCutError):
        doomed(TEXTS)
    floor.ports.clock.advance(CLAIM_TTL)

    assert sent(floor) == {ADAS: 1}
    assert [it.status for it in texts_of(floor)] == [DeliveryStatus.DELIVERED, DeliveryStatus.SKIPPED]


def test_counting_that_gives_way_to_another_relay_is_begun_anew() -> None:
    floor = CallFloor()
    floor.plan()
    ports, relay = floor.ports, floor.unite.notifications.relay
    gives_way = FailingWork(ports.work, Deadlock("Somebody else was quicker."), at=0)
    texts = TextsOfEvents(gives_way, ports.reads, ports.texts, ports.clock, ports.ids, "")

    RelayEvents(ports.work, {TEXTS: texts}, relay.clock, relay.ids)(TEXTS)

    assert len(ports.texts.sent) == 1


def test_what_was_counted_is_forgotten_after_an_hour() -> None:
    floor = a_floor()
    floor.plan()
    floor.relay()
    assert floor.unite.upkeep.purge_usage() == 0
    floor.ports.clock.advance(HOUR + timedelta(microseconds=1))

    assert floor.unite.upkeep.purge_usage() == 1
