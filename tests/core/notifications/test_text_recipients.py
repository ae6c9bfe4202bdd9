"""Tests of the recipients of text messages: who is texted about which event, and who is not."""

from datetime import timedelta
from typing import Any

import pytest

from tests.core.imports.accidents import FailingWork, PowerCutError
from unite_core import Role
from unite_core.errors import Forbidden, NotFound, Unavailable
from unite_core.notifications.destinations import TextsOfEvents
from unite_core.notifications.events import ANSWERED
from unite_core.notifications.model import CLAIM_TTL, TEXTS, Delivery, DeliveryStatus, Receipt, delivery_id
from unite_core.notifications.ports import Consent, DeliveryFilter
from unite_core.notifications.use_cases import NewConsent, RelayEvents
from unite_core.paging import PageRequest
from unite_core.testing.builders import an_actor, an_event, an_id
from unite_core.testing.in_memory import InMemoryTextMessages
from unite_core.testing.in_memory.messages import message_id
from unite_core.testing.scenario import Scenario

OPTED_OUT = Receipt(
    accepted=False,
    refused=True,
    response={"error": "They opted out.", "reason": "opted_out"},
)


def texts_of(scenario: Scenario) -> list[Delivery]:
    """The deliveries of text messages, the oldest first."""
    filters = DeliveryFilter(destination=TEXTS)
    return [*scenario.unite.notifications.list_deliveries(scenario.manager, filters, PageRequest()).items][::-1]


def sent(scenario: Scenario) -> list[tuple[str, str]]:
    """To which number what was sent, without the links."""
    scenario.run_jobs()
    return [(message.to, message.text.partition(" http")[0]) for message in scenario.ports.texts.sent]


def test_the_assignee_and_the_creator_of_a_call_task_are_texted() -> None:
    scenario = Scenario()

    scenario.complete(scenario.create_call_task())

    assert sent(scenario) == [
        ("+12125550102", "Unite: call Grace Hopper, due 2 Mar 10:00 UTC."),
        ("+12125550101", "Unite: your call to Grace Hopper is done: connected, 5 min."),
    ]


def test_nobody_is_texted_about_their_own_actions() -> None:
    scenario = Scenario()
    own = scenario.create_call_task(assigned_to=scenario.manager.user_id)

    scenario.complete(own, actor=scenario.manager)

    assert sent(scenario) == []
    assert texts_of(scenario) == []


def test_a_new_assignee_is_texted() -> None:
    scenario = Scenario()
    task = scenario.create_call_task(assigned_to=scenario.manager.user_id)

    scenario.assign(task, scenario.ann)

    assert [to for to, _ in sent(scenario)] == ["+12125550102"]


def test_a_message_has_the_id_of_its_delivery_and_its_response_is_stored() -> None:
    scenario = Scenario()
    scenario.create_call_task()
    scenario.run_jobs()

    (delivery,) = texts_of(scenario)
    (message,) = scenario.ports.texts.sent
    assert message.delivery_id == delivery.id == delivery_id(delivery.event_id, TEXTS)
    assert (message.since, message.correlation_id) == (delivery.created_at, "of-manager")
    assert (delivery.status, delivery.response["message_id"]) == (DeliveryStatus.DELIVERED, message_id(1))
    (event,) = scenario.unite.notifications.activity(scenario.manager, delivery.id, PageRequest()).items
    assert (event.type, event.data["response"]) == (ANSWERED, delivery.response)
    assert event.correlation_id == "of-manager"


def deactivate(scenario: Scenario) -> None:
    scenario.update_user(scenario.ann, active=False)


def lose_phone(scenario: Scenario) -> None:
    scenario.update_user(scenario.ann, phone=None)


def opt_out(scenario: Scenario) -> None:
    scenario.unite.notifications.record_consent(NewConsent(source="stop", phone="+12125550102", opted_out=True))


@pytest.mark.parametrize(
    ("happens", "reason"), [(deactivate, "inactive"), (lose_phone, "no_phone"), (opt_out, "opted_out")]
)
def test_without_a_possible_recipient_nothing_is_sent_and_the_reason_is_stored(happens: Any, reason: str) -> None:
    scenario = Scenario()
    scenario.create_call_task()

    happens(scenario)

    assert sent(scenario) == []
    (delivery,) = texts_of(scenario)
    assert (delivery.status, delivery.response) == (DeliveryStatus.SKIPPED, {"reason": reason})
    assert [*scenario.unite.notifications.activity(scenario.manager, delivery.id, PageRequest()).items] == []


def test_an_agent_who_created_a_task_of_another_agent_is_not_texted_about_its_outcome() -> None:
    scenario = Scenario()
    task = scenario.create_call_task(actor=scenario.ann)
    scenario.assign(task, scenario.ben)

    scenario.complete(task, scenario.ben)

    assert [to for to, _ in sent(scenario)] == ["+12125550103"]
    responses = {delivery.status: delivery.response for delivery in texts_of(scenario)}
    assert responses[DeliveryStatus.SKIPPED] == {"reason": "not_visible"}


def test_an_agent_who_created_their_own_task_is_texted_when_another_user_completes_it() -> None:
    scenario = Scenario()

    scenario.complete(scenario.create_call_task(actor=scenario.ann), scenario.manager)

    assert [to for to, _ in sent(scenario)] == ["+12125550102"]


def test_an_event_without_a_known_user_or_audience_is_skipped() -> None:
    scenario = Scenario()
    texts = scenario.unite.notifications.relay.destinations[TEXTS]
    event = an_event(type="call_task.assigned", data={"assigned_to": str(an_id())})

    assert [it.response for it in texts.deliver([event])] == [{"reason": "no_user"}]
    assert [it.response for it in texts.deliver([an_event()])] == [{"reason": "no_audience"}]


def test_after_an_opt_in_messages_are_sent_and_skipped_ones_can_be_replayed() -> None:
    scenario = Scenario()
    opt_out(scenario)
    scenario.create_call_task()
    assert sent(scenario) == []
    scenario.ports.clock.advance(timedelta(seconds=1))

    scenario.unite.notifications.record_consent(NewConsent(source="start", phone="+12125550102", opted_out=False))
    (skipped,) = texts_of(scenario)
    scenario.unite.notifications.replay(an_actor(Role.ADMIN), skipped.id)

    assert [to for to, _ in sent(scenario)] == ["+12125550102"]
    assert [it.status for it in texts_of(scenario)] == [DeliveryStatus.DELIVERED]


def test_a_refusal_because_of_an_opt_out_is_stored_as_an_opt_out() -> None:
    scenario = Scenario()
    scenario.ports.texts.answer = lambda _: OPTED_OUT
    scenario.create_call_task()
    scenario.run_jobs()
    scenario.ports.texts.answer = lambda _: Receipt(accepted=True)

    scenario.create_call_task()

    assert sent(scenario) == []
    first, second = texts_of(scenario)
    assert (first.status, first.response["reason"]) == (DeliveryStatus.DEAD, "opted_out")
    assert (second.status, second.response) == (DeliveryStatus.SKIPPED, {"reason": "opted_out"})


@pytest.mark.parametrize("response", [{"error": "no number", "reason": "not_a_number"}, {"error": "spam"}])
def test_any_other_refusal_is_not_an_opt_out(response: dict[str, Any]) -> None:
    scenario = Scenario()
    scenario.ports.texts.answer = lambda _: Receipt(accepted=False, refused=True, response=response)
    scenario.create_call_task()
    scenario.run_jobs()
    scenario.ports.texts.answer = lambda _: Receipt(accepted=True)

    scenario.create_call_task()

    assert len(sent(scenario)) == 1


def test_an_opt_out_by_a_refusal_is_stored_once_even_after_a_crash() -> None:
    scenario = Scenario()
    scenario.ports.texts.answer = lambda _: OPTED_OUT
    scenario.create_call_task()
    doomed = FailingWork(scenario.ports.work, PowerCutError(), at=1)
    relay = scenario.unite.notifications.relay
    with pytest.raises(PowerCutError):
        RelayEvents(doomed, relay.destinations, relay.clock, relay.ids)(TEXTS)
    with scenario.ports.reads() as reads:
        assert reads.consents.opted_out("+12125550102")
    scenario.ports.clock.advance(CLAIM_TTL)

    scenario.run_jobs()

    (delivery,) = texts_of(scenario)
    with scenario.ports.work() as work:
        again = Consent(
            id=an_id(), phone="+12125550102", opted_out=False, at=scenario.ports.clock.now(), source=str(delivery.id)
        )
        assert not work.consents.add(again)


def test_a_message_that_may_have_been_sent_is_searched_before_it_is_sent_again() -> None:
    scenario = Scenario()
    scenario.create_call_task()
    looked: list[bool] = []

    class Watched(InMemoryTextMessages):
        def send(self, message: Any, *, may_have_been_sent: bool = False) -> Receipt:
            looked.append(may_have_been_sent)
            return super().send(message, may_have_been_sent=may_have_been_sent)

    messages = Watched()
    ports = scenario.ports
    texts = TextsOfEvents(ports.work, ports.reads, messages, ports.clock, ports.ids, ports.links)
    with pytest.raises(PowerCutError):
        RelayEvents(FailingWork(ports.work, PowerCutError(), at=1), {TEXTS: texts}, ports.clock, ports.ids)(TEXTS)
    ports.clock.advance(CLAIM_TTL)

    RelayEvents(ports.work, {TEXTS: texts}, ports.clock, ports.ids)(TEXTS)

    assert looked == [False, True]
    assert len(messages.sent) == 1
    assert [it.response["message_id"] for it in texts_of(scenario)] == [message_id(1)]


def test_during_an_outage_messages_wait_and_each_is_sent_once_afterwards() -> None:
    scenario = Scenario()
    tasks = [scenario.create_call_task() for _ in range(12)]

    def be_away(_: Any) -> Receipt:
        raise Unavailable("It is being moved.")

    scenario.ports.texts.answer = be_away
    scenario.run_jobs()
    assert len(scenario.ports.topic.published) == 2 * len(tasks)
    assert {it.status for it in texts_of(scenario)} == {DeliveryStatus.PENDING}
    scenario.ports.texts.answer = lambda _: Receipt(accepted=True)
    scenario.ports.clock.advance(timedelta(minutes=5))
    scenario.run_jobs()

    assert len(scenario.ports.texts.sent) == len(tasks)
    assert len({message.delivery_id for message in scenario.ports.texts.sent}) == len(tasks)


def test_the_activity_of_a_delivery_is_visible_to_roles_that_may_list_deliveries() -> None:
    scenario = Scenario()
    scenario.create_call_task()
    scenario.run_jobs()
    (delivery,) = texts_of(scenario)
    activity = scenario.unite.notifications.activity

    with pytest.raises(Forbidden):
        activity(scenario.ann, delivery.id, PageRequest())
    with pytest.raises(NotFound):
        activity(scenario.manager, an_id(), PageRequest())


def test_a_phone_number_is_not_shown_where_a_message_is() -> None:
    scenario = Scenario()
    scenario.create_call_task()
    scenario.run_jobs()

    assert "555" not in repr(scenario.ports.texts.sent)
    assert "555" not in repr(NewConsent(source="stop", phone="+12125550102", opted_out=True))


def test_phone_numbers_of_users_have_the_same_format_as_those_of_consents() -> None:
    scenario = Scenario()
    cleo = scenario.add_user("Cleo", Role.AGENT, phone="+1 (212) 555-0104")
    scenario.unite.notifications.record_consent(NewConsent(source="stop", phone="+12125550104", opted_out=True))

    scenario.create_call_task(assigned_to=cleo.user_id)

    assert sent(scenario) == []
