"""Who is texted about what, who is not, and what becomes of the messages."""

from datetime import timedelta
from typing import Any

import pytest

from tests.core.imports.accidents import FailingWork, PowerCutError
from tests.core.notifications.floor import CallFloor
from unite_core import LeadChanges, Role
from unite_core.calls.use_cases import Assignment
from unite_core.errors import Forbidden, NotFound, Unavailable
from unite_core.notifications.destinations import TextsOfEvents
from unite_core.notifications.events import ANSWERED
from unite_core.notifications.model import CLAIM_TTL, TEXTS, Delivery, DeliveryStatus, Receipt, delivery_id
from unite_core.notifications.ports import Consent, DeliveryFilter
from unite_core.notifications.use_cases import RelayEvents
from unite_core.notifications.webhooks import InboundText
from unite_core.paging import PageRequest
from unite_core.testing.builders import an_actor, an_event, an_id
from unite_core.testing.in_memory import InMemoryTextMessages

OPTED_OUT = Receipt(
    taken=False,
    refused=True,
    response={"error_code": 21610, "error": "They opted out.", "reason": "opted_out"},
)


def texts_of(floor: CallFloor) -> list[Delivery]:
    """The deliveries of text messages, the oldest first."""
    wanted = DeliveryFilter(destination=TEXTS)
    return [*floor.unite.notifications.list_deliveries(floor.manager, wanted, PageRequest()).items][::-1]


def sent(floor: CallFloor) -> list[tuple[str, str]]:
    """To which number what was sent, without the links."""
    floor.relay()
    return [(message.to, message.text.partition(" http")[0]) for message in floor.ports.texts.sent]


def test_whoever_is_to_call_and_whoever_planned_the_call_are_texted() -> None:
    floor = CallFloor()

    floor.complete(floor.plan())

    assert sent(floor) == [
        ("+12125550102", "Unite: call Grace Hopper, due 2 Mar 09:30 UTC."),
        ("+12125550101", "Unite: your call to Grace Hopper is done: connected, 5 min."),
    ]


def test_nobody_is_texted_what_they_did_themselves() -> None:
    floor = CallFloor()
    own = floor.plan(assigned_to=floor.mia)

    floor.complete(own, by=floor.manager)

    assert sent(floor) == []
    assert texts_of(floor) == []


def test_whoever_is_assigned_later_is_texted_then() -> None:
    floor = CallFloor()
    task = floor.plan(assigned_to=floor.mia)

    floor.unite.calls.assign(floor.manager, Assignment(task_id=task.id, assigned_to=floor.ada.id))

    assert [to for to, _ in sent(floor)] == ["+12125550102"]


def test_a_message_goes_by_its_delivery_and_the_answer_is_kept_and_told() -> None:
    floor = CallFloor()
    floor.plan()
    floor.relay()

    (delivery,) = texts_of(floor)
    (message,) = floor.ports.texts.sent
    assert message.delivery_id == delivery.id == delivery_id(delivery.event_id, TEXTS)
    assert (message.since, message.correlation_id) == (delivery.created_at, "c0ffee-1234")
    assert (delivery.status, delivery.response["sid"]) == (DeliveryStatus.DELIVERED, f"SM{1:032x}")
    (told,) = floor.unite.notifications.activity(floor.manager, delivery.id, PageRequest()).items
    assert (told.type, told.data["response"]) == (ANSWERED, delivery.response)
    assert told.correlation_id == "c0ffee-1234"


def deactivate(floor: CallFloor) -> None:
    floor.change(floor.ada, active=False)


def lose_phone(floor: CallFloor) -> None:
    floor.change(floor.ada, phone=None)


def opt_out(floor: CallFloor) -> None:
    floor.unite.notifications.receive_inbound_text(InboundText(sid="SM1", phone="+12125550102", body="stop"))


@pytest.mark.parametrize(
    ("happens", "reason"), [(deactivate, "inactive"), (lose_phone, "no_phone"), (opt_out, "opted_out")]
)
def test_where_nobody_can_be_texted_nothing_is_sent_and_the_reason_is_kept(happens: Any, reason: str) -> None:
    floor = CallFloor()
    floor.plan()

    happens(floor)

    assert sent(floor) == []
    (delivery,) = texts_of(floor)
    assert (delivery.status, delivery.response) == (DeliveryStatus.SKIPPED, {"reason": reason})
    assert [*floor.unite.notifications.activity(floor.manager, delivery.id, PageRequest()).items] == []


def test_an_agent_who_planned_a_call_that_is_no_longer_theirs_is_not_texted_what_became_of_it() -> None:
    floor = CallFloor()
    ben = floor.hire("Ben", Role.AGENT, "+12125550103")
    floor.unite.leads.change(floor.manager, LeadChanges(lead_id=floor.lead.id, assigned_to=floor.ada.id))
    task = floor.plan(by=floor.agent)
    floor.unite.calls.assign(floor.manager, Assignment(task_id=task.id, assigned_to=ben.id))

    floor.complete(task, by=floor.acting(ben))

    assert [to for to, _ in sent(floor)] == ["+12125550103"]
    told = {delivery.status: delivery.response for delivery in texts_of(floor)}
    assert told[DeliveryStatus.SKIPPED] == {"reason": "not_visible"}


def test_an_agent_who_planned_their_own_call_is_texted_when_somebody_else_completes_it() -> None:
    floor = CallFloor()
    floor.unite.leads.change(floor.manager, LeadChanges(lead_id=floor.lead.id, assigned_to=floor.ada.id))

    floor.complete(floor.plan(by=floor.agent), by=floor.manager)

    assert [to for to, _ in sent(floor)] == ["+12125550102"]


def test_whoever_is_no_user_is_not_texted() -> None:
    floor = CallFloor()
    texts = floor.unite.notifications.relay.destinations[TEXTS]
    event = an_event(type="call_task.assigned", data={"assigned_to": str(an_id())})

    assert [it.response for it in texts.deliver([event])] == [{"reason": "no_user"}]
    assert [it.response for it in texts.deliver([an_event()])] == [{"reason": "no_audience"}]


def test_whoever_wants_messages_again_is_texted_again_and_what_was_skipped_can_be_replayed() -> None:
    floor = CallFloor()
    opt_out(floor)
    floor.plan()
    assert sent(floor) == []
    floor.ports.clock.advance(timedelta(seconds=1))

    floor.unite.notifications.receive_inbound_text(InboundText(sid="SM2", phone="+12125550102", body=" Start "))
    (skipped,) = texts_of(floor)
    floor.unite.notifications.replay(an_actor(Role.ADMIN), skipped.id)

    assert [to for to, _ in sent(floor)] == ["+12125550102"]
    assert [it.status for it in texts_of(floor)] == [DeliveryStatus.DELIVERED]


def test_whoever_is_refused_because_they_opted_out_is_known_to_have() -> None:
    floor = CallFloor()
    floor.ports.texts.answer = lambda _: OPTED_OUT
    floor.plan()
    floor.relay()
    floor.ports.texts.answer = lambda _: Receipt(taken=True)

    floor.plan()

    assert sent(floor) == []
    first, second = texts_of(floor)
    assert (first.status, first.response["reason"]) == (DeliveryStatus.DEAD, "opted_out")
    assert (second.status, second.response) == (DeliveryStatus.SKIPPED, {"reason": "opted_out"})


@pytest.mark.parametrize("response", [{"error_code": 21211, "reason": "not_a_number"}, {"error_code": 30007}])
def test_any_other_refusal_says_nothing_of_what_somebody_wants(response: dict[str, Any]) -> None:
    floor = CallFloor()
    floor.ports.texts.answer = lambda _: Receipt(taken=False, refused=True, response=response)
    floor.plan()
    floor.relay()
    floor.ports.texts.answer = lambda _: Receipt(taken=True)

    floor.plan()

    assert len(sent(floor)) == 1


def test_an_opt_out_by_refusal_is_kept_once_though_the_relay_is_killed_before_it_is_stored() -> None:
    floor = CallFloor()
    floor.ports.texts.answer = lambda _: OPTED_OUT
    floor.plan()
    doomed = FailingWork(floor.ports.work, PowerCutError(), at=1)
    relay = floor.unite.notifications.relay
    with pytest.raises(PowerCutError):
        RelayEvents(doomed, relay.destinations, relay.clock, relay.ids)(TEXTS)
    with floor.ports.reads() as reads:
        assert reads.consents.opted_out("+12125550102")
    floor.ports.clock.advance(CLAIM_TTL)

    floor.relay()

    (delivery,) = texts_of(floor)
    with floor.ports.work() as work:
        again = Consent(
            id=an_id(), phone="+12125550102", opted_out=False, at=floor.ports.clock.now(), source=str(delivery.id)
        )
        assert not work.consents.add(again)


def test_a_message_that_may_have_been_sent_is_looked_for_before_it_is_sent_again() -> None:
    floor = CallFloor()
    floor.plan()
    looked: list[bool] = []

    class Watched(InMemoryTextMessages):
        def send(self, message: Any, *, look_first: bool = False) -> Receipt:
            looked.append(look_first)
            return super().send(message, look_first=look_first)

    messages = Watched()
    ports = floor.ports
    texts = TextsOfEvents(ports.work, ports.reads, messages, ports.clock, ports.ids, "")
    with pytest.raises(PowerCutError):
        RelayEvents(FailingWork(ports.work, PowerCutError(), at=1), {TEXTS: texts}, ports.clock, ports.ids)(TEXTS)
    ports.clock.advance(CLAIM_TTL)

    RelayEvents(ports.work, {TEXTS: texts}, ports.clock, ports.ids)(TEXTS)

    assert looked == [False, True]
    assert len(messages.sent) == 1
    assert [it.response["sid"] for it in texts_of(floor)] == [f"SM{1:032x}"]


def test_while_nothing_can_be_sent_every_message_waits_and_is_sent_once_afterwards() -> None:
    floor = CallFloor()
    tasks = [floor.plan() for _ in range(12)]

    def be_away(_: Any) -> Receipt:
        raise Unavailable("It is being moved.")

    floor.ports.texts.answer = be_away
    floor.relay()
    assert len(floor.ports.topic.published) == 2 * len(tasks)
    assert {it.status for it in texts_of(floor)} == {DeliveryStatus.PENDING}
    floor.ports.texts.answer = lambda _: Receipt(taken=True)
    floor.ports.clock.advance(timedelta(minutes=5))
    floor.relay()

    assert len(floor.ports.texts.sent) == len(tasks)
    assert len({message.delivery_id for message in floor.ports.texts.sent}) == len(tasks)


def test_what_a_delivery_went_through_is_for_those_who_may_list_them() -> None:
    floor = CallFloor()
    floor.plan()
    floor.relay()
    (delivery,) = texts_of(floor)
    activity = floor.unite.notifications.activity

    with pytest.raises(Forbidden):
        activity(floor.agent, delivery.id, PageRequest())
    with pytest.raises(NotFound):
        activity(floor.manager, an_id(), PageRequest())


def test_a_phone_number_is_not_shown_where_a_message_is() -> None:
    floor = CallFloor()
    floor.plan()
    floor.relay()

    assert "555" not in repr(floor.ports.texts.sent)
    assert "555" not in repr(InboundText(sid="SM1", phone="+12125550102", body="555"))


def test_unite_has_the_numbers_of_users_in_the_form_in_which_consents_name_them() -> None:
    floor = CallFloor()
    ben = floor.hire("Ben", Role.AGENT, "+1 (212) 555-0103")
    floor.unite.notifications.receive_inbound_text(InboundText(sid="SM1", phone="+12125550103", body="STOP"))

    floor.plan(assigned_to=ben)

    assert sent(floor) == []
