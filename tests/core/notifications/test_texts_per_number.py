"""Tests of the quotas of text messages per phone number and hour, and of all numbers together."""

from collections import Counter
from datetime import timedelta

import pytest

from tests.core.imports.accidents import FailingWork, PowerCutError
from unite_core import Quotas, Role, Rules
from unite_core.errors import Deadlock, Unavailable
from unite_core.notifications.destinations import TextsOfEvents
from unite_core.notifications.events import ANSWERED
from unite_core.notifications.model import CLAIM_TTL, RATE_LIMITED, TEXTS, Delivery, DeliveryStatus, Receipt
from unite_core.notifications.ports import DeliveryFilter
from unite_core.notifications.use_cases import RelayEvents
from unite_core.paging import PageRequest
from unite_core.testing.builders import an_actor
from unite_core.testing.scenario import Scenario
from unite_core.usage import HOUR

ANNS, BENS, MANAGERS = "+12125550102", "+12125550103", "+12125550101"


def scenario_with_quotas(*, per_number: int = 3, all_numbers: int = 0) -> Scenario:
    return Scenario(rules=Rules(quotas=Quotas(texts_per_number=per_number, texts=all_numbers)))


def texts_of(scenario: Scenario) -> list[Delivery]:
    """The deliveries of text messages, the oldest first."""
    filters = DeliveryFilter(destination=TEXTS)
    return [*scenario.unite.notifications.list_deliveries(scenario.manager, filters, PageRequest(limit=200)).items][
        ::-1
    ]


def sent(scenario: Scenario) -> Counter[str]:
    scenario.run_jobs()
    return Counter(message.to for message in scenario.ports.texts.sent)


def test_messages_to_a_number_beyond_the_quota_per_hour_are_skipped() -> None:
    scenario = Scenario()

    for _ in range(30):
        scenario.create_call_task()

    assert sent(scenario) == {ANNS: Quotas().texts_per_number}
    over = texts_of(scenario)[Quotas().texts_per_number :]
    assert {it.status for it in over} == {DeliveryStatus.SKIPPED}
    assert [it.response for it in over] == [{"reason": RATE_LIMITED}] * 10


def test_texts_to_a_number_count_together_for_all_users_who_share_it() -> None:
    scenario = scenario_with_quotas()
    moe = scenario.add_user("Moe", Role.MANAGER, phone=ANNS)
    scenario.complete(
        scenario.create_call_task(actor=moe, assigned_to=scenario.manager.user_id), actor=scenario.manager
    )
    task = scenario.create_call_task()
    for user in (moe, scenario.ann, moe):
        scenario.assign(task, user)

    assert sent(scenario)[ANNS] == 3


def test_other_numbers_are_not_affected() -> None:
    scenario = scenario_with_quotas(per_number=1)
    for user in (scenario.ann, scenario.ben, scenario.ann, scenario.ben):
        scenario.create_call_task(assigned_to=user.user_id)

    assert sent(scenario) == {ANNS: 1, BENS: 1}


def test_after_an_hour_messages_are_sent_again_and_skipped_ones_can_be_replayed() -> None:
    scenario = scenario_with_quotas(per_number=1)
    scenario.create_call_task()
    scenario.create_call_task()
    scenario.run_jobs()
    skipped = texts_of(scenario)[1]

    scenario.ports.clock.advance(HOUR - timedelta(seconds=1))
    scenario.unite.notifications.replay(an_actor(Role.ADMIN), skipped.id)
    assert sent(scenario) == {ANNS: 1}
    scenario.ports.clock.advance(timedelta(seconds=1))
    scenario.unite.notifications.replay(an_actor(Role.ADMIN), skipped.id)

    assert sent(scenario) == {ANNS: 2}
    assert {it.status for it in texts_of(scenario)} == {DeliveryStatus.DELIVERED}


def test_a_message_skipped_by_a_quota_is_recorded_in_the_activity_log() -> None:
    scenario = scenario_with_quotas(per_number=1)
    scenario.create_call_task()
    scenario.create_call_task()
    scenario.run_jobs()

    (event,) = scenario.unite.notifications.activity(scenario.manager, texts_of(scenario)[1].id, PageRequest()).items

    assert (event.type, event.data["status"], event.data["response"]) == (ANSWERED, "skipped", {"reason": RATE_LIMITED})


def test_all_numbers_together_have_an_optional_quota() -> None:
    scenario = scenario_with_quotas(all_numbers=3)
    for user in (scenario.ann, scenario.ben, scenario.ann, scenario.ben):
        scenario.create_call_task(assigned_to=user.user_id)

    assert sent(scenario) == {ANNS: 2, BENS: 1}
    # What was refused for all of them took no place of its own number's.
    scenario.ports.clock.advance(HOUR)
    for _ in range(4):
        scenario.create_call_task(assigned_to=scenario.ben.user_id)
    assert sent(scenario)[BENS] == 1 + 3


def test_without_a_quota_nothing_is_counted() -> None:
    scenario = scenario_with_quotas(per_number=0)
    for _ in range(25):
        scenario.create_call_task()

    assert sent(scenario) == {ANNS: 25}
    with scenario.ports.work() as work:
        assert work.usage.purge(before=scenario.ports.clock.now() + HOUR, limit=100) == 0


def test_a_retried_message_counts_once() -> None:
    scenario = scenario_with_quotas(per_number=2)

    def away(_: object) -> Receipt:
        raise Unavailable("Nobody answers.")

    scenario.ports.texts.answer = away
    scenario.create_call_task()
    for _ in range(4):
        scenario.run_jobs()
        scenario.ports.clock.advance(timedelta(minutes=5))
    scenario.ports.texts.answer = lambda _: Receipt(accepted=True)
    scenario.create_call_task()
    scenario.create_call_task()

    assert sent(scenario) == {ANNS: 2}


def test_messages_that_waited_during_an_outage_are_sent_within_the_quota() -> None:
    scenario = scenario_with_quotas(per_number=2)
    for _ in range(5):
        scenario.create_call_task()
        scenario.ports.clock.advance(HOUR)

    assert sent(scenario) == {ANNS: 2}


def test_a_crashed_relay_does_not_release_its_counted_message() -> None:
    scenario = scenario_with_quotas(per_number=1)
    scenario.create_call_task()
    scenario.create_call_task()
    relay = scenario.unite.notifications.relay
    doomed = RelayEvents(
        FailingWork(scenario.ports.work, PowerCutError(), at=1), relay.destinations, relay.clock, relay.ids
    )
    with pytest.raises(PowerCutError):
        doomed(TEXTS)
    scenario.ports.clock.advance(CLAIM_TTL)

    assert sent(scenario) == {ANNS: 1}
    assert [it.status for it in texts_of(scenario)] == [DeliveryStatus.DELIVERED, DeliveryStatus.SKIPPED]


def test_counting_that_loses_a_deadlock_is_retried() -> None:
    scenario = Scenario()
    scenario.create_call_task()
    ports, relay = scenario.ports, scenario.unite.notifications.relay
    gives_way = FailingWork(ports.work, Deadlock("Somebody else was quicker."), at=0)
    texts = TextsOfEvents(gives_way, ports.reads, ports.texts, ports.clock, ports.ids, ports.links)

    RelayEvents(ports.work, {TEXTS: texts}, relay.clock, relay.ids)(TEXTS)

    assert len(ports.texts.sent) == 1


def test_counted_messages_are_deleted_after_an_hour() -> None:
    scenario = scenario_with_quotas()
    scenario.create_call_task()
    scenario.run_jobs()
    assert scenario.unite.upkeep.purge_usage() == 0
    scenario.ports.clock.advance(HOUR + timedelta(microseconds=1))

    assert scenario.unite.upkeep.purge_usage() == 1
