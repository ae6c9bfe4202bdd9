"""Tests of reports on text messages: in any order, repeated, late, and of unknown messages."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.imports.accidents import FailingWork, PowerCutError
from unite_core import Role
from unite_core.errors import Deadlock, NotFound, Unavailable
from unite_core.events import Event
from unite_core.notifications.delivery_reports import DeliveryReport, MessageProgress
from unite_core.notifications.destinations import TextsOfEvents
from unite_core.notifications.events import ANSWERED, REPORTED
from unite_core.notifications.model import CLAIM_TTL, TEXTS, TOPIC, Delivery, DeliveryStatus, Receipt
from unite_core.notifications.ports import Consent, DeliveryFilter
from unite_core.notifications.use_cases import RecordTextReport, RelayEvents, TextReport
from unite_core.paging import PageRequest
from unite_core.testing.builders import an_actor, an_id
from unite_core.testing.in_memory import InMemoryTextMessages
from unite_core.testing.in_memory.messages import message_id
from unite_core.testing.scenario import Scenario

MESSAGE = message_id(1)
STATUSES = [progress.value for progress in MessageProgress if progress is not MessageProgress.UNKNOWN]
PHONE = "+12125550102"
RANKS = {"queued": 0, "sending": 1, "sent": 2, "delivered": 3, "failed": 3}
PENDING, DELIVERED, NOT_SENT, DEAD = DeliveryStatus


class Carrier:
    """A scenario with one message that was sent, and the carrier of text messages."""

    def __init__(self, *, relayed: bool = True) -> None:
        self.scenario = Scenario()
        self.scenario.create_call_task()
        if relayed:
            self.scenario.run_jobs()
        self.take = self.scenario.unite.notifications.record_text_report

    def delivery(self, destination: str = TEXTS) -> Delivery:
        filters = DeliveryFilter(destination=destination)
        page = self.scenario.unite.notifications.list_deliveries(self.scenario.manager, filters, PageRequest())
        return page.items[0]

    def tell(self, status: str, of: str = MESSAGE, *, phone: str | None = None, **more: Any) -> Delivery | None:
        response = {"message_id": of, "status": status, **more}
        return self.take(TextReport(delivery_id=self.delivery().id, response=response, phone=phone))

    def carried_by(self, messages: InMemoryTextMessages) -> TextsOfEvents:
        """Text messages as a destination, by another carrier."""
        texts = self.scenario.unite.notifications.relay.destinations[TEXTS]
        assert isinstance(texts, TextsOfEvents)
        return replace(texts, messages=messages)

    def history(self) -> list[Event]:
        """What the log has of the delivery, the oldest first."""
        self.scenario.run_jobs()
        page = self.scenario.unite.notifications.activity(self.scenario.manager, self.delivery().id, PageRequest())
        return [*page.items][::-1]

    def wants_none(self, phone: str = PHONE) -> bool:
        with self.scenario.ports.reads() as reads:
            return reads.consents.opted_out(phone)


def test_the_progress_of_a_message_is_stored_and_recorded() -> None:
    carrier = Carrier()
    delivered_at = carrier.delivery().delivered_at
    carrier.scenario.ports.clock.advance(timedelta(seconds=3))

    for status in ("sent", "delivered"):
        assert carrier.tell(status) is None

    now = carrier.delivery()
    assert (now.status, now.delivered_at, now.attempts) == (DELIVERED, delivered_at, 1)
    assert now.response == {
        "message_id": MESSAGE,
        "status": "delivered",
        "segments": 1,
        "cost": "0.0079",
    }
    answered, sent, delivered = carrier.history()
    assert (answered.type, sent.type, delivered.type) == (ANSWERED, REPORTED, REPORTED)
    assert delivered.data == {
        "destination": TEXTS,
        "event_id": str(now.event_id),
        "attempt": 1,
        "status": "delivered",
        "response": now.response,
    }
    assert sent.data["response"]["status"] == "sent"
    assert sent.at == carrier.scenario.ports.clock.now()


@pytest.mark.parametrize("order", [*permutations(("queued", "sending", "sent", "delivered"))])
def test_statuses_in_any_order_end_with_the_furthest(order: tuple[str, ...]) -> None:
    carrier = Carrier()

    for status in order:
        carrier.tell(status)

    assert carrier.delivery().response["status"] == "delivered"
    reports = [event.data["response"]["status"] for event in carrier.history()]
    assert reports == sorted(reports, key=STATUSES.index)


@pytest.mark.parametrize("status", STATUSES)
def test_a_repeated_status_has_one_effect(status: str) -> None:
    carrier = Carrier()
    carrier.tell(status)
    delivery, history = carrier.delivery(), carrier.history()

    assert carrier.tell(status) is None

    assert carrier.delivery() == delivery
    assert carrier.history() == history


def test_an_unknown_status_has_no_effect() -> None:
    carrier = Carrier()
    before = carrier.delivery()

    assert carrier.tell("teleported") is None

    assert carrier.delivery() == before


def test_a_failed_message_makes_its_delivery_a_dead_letter() -> None:
    carrier = Carrier()

    dead = carrier.tell("failed", error="It is switched off.")

    assert dead == carrier.delivery()
    assert (dead.status, dead.delivered_at) == (DEAD, None)
    assert (dead.response["status"], dead.response["error"]) == ("failed", "It is switched off.")
    assert carrier.history()[-1].data["status"] == "dead"
    assert carrier.scenario.unite.notifications.dead_letters() == 1
    assert carrier.tell("delivered") is None
    assert carrier.delivery() == dead


def test_an_opt_out_in_a_report_is_stored() -> None:
    carrier = Carrier()

    dead = carrier.tell("failed", reason="opted_out", phone=PHONE)

    assert dead is not None
    assert dead.response["reason"] == "opted_out"
    assert carrier.wants_none()


def test_an_opt_out_in_a_report_without_a_number_is_not_stored() -> None:
    carrier = Carrier()

    carrier.tell("failed", reason="opted_out")

    assert not carrier.wants_none()


def test_any_other_reason_is_not_an_opt_out() -> None:
    carrier = Carrier()

    carrier.tell("failed", reason="spam", phone=PHONE)

    assert not carrier.wants_none()


def test_a_report_on_an_unknown_delivery_or_on_another_destination_changes_nothing() -> None:
    carrier = Carrier()
    topic = carrier.delivery(TOPIC)

    for delivery_id in (an_id(), topic.id):
        response = {"message_id": MESSAGE, "status": "failed"}
        assert carrier.take(TextReport(delivery_id=delivery_id, response=response)) is None

    assert carrier.delivery(TOPIC) == topic


def test_a_report_on_an_earlier_message_of_the_delivery_is_ignored() -> None:
    carrier = Carrier()
    before = carrier.delivery()

    assert carrier.tell("failed", of="of-long-ago") is None

    assert carrier.delivery() == before


def killed_before_storing(carrier: Carrier) -> None:
    relay = carrier.scenario.unite.notifications.relay
    doomed = FailingWork(carrier.scenario.ports.work, PowerCutError(), at=1)
    with pytest.raises(PowerCutError):
        RelayEvents(doomed, relay.destinations, relay.clock, relay.ids)(TEXTS)


def lost_answer(carrier: Carrier) -> None:
    def fail(_: Any) -> Receipt:
        raise Unavailable("The answer was lost.")

    carrier.scenario.ports.texts.answer = fail
    carrier.scenario.unite.notifications.relay(TEXTS)
    carrier.scenario.ports.texts.answer = lambda _: Receipt(accepted=True)


@pytest.mark.parametrize("happened", [killed_before_storing, lost_answer])
def test_a_sent_but_unstored_message_is_settled_by_its_first_status_and_not_sent_again(
    happened: Callable[[Carrier], None],
) -> None:
    carrier = Carrier(relayed=False)
    happened(carrier)
    sent = len(carrier.scenario.ports.texts.sent)

    assert carrier.tell("sent") is None

    delivery = carrier.delivery()
    assert (delivery.status, delivery.held) == (DELIVERED, False)
    assert delivery.delivered_at == carrier.scenario.ports.clock.now()
    assert delivery.response == {"message_id": MESSAGE, "status": "sent"}
    carrier.scenario.ports.clock.advance(2 * CLAIM_TTL)
    carrier.scenario.run_jobs()
    assert len(carrier.scenario.ports.texts.sent) == sent


def test_a_relay_that_is_slower_than_the_first_status_does_not_overwrite_it() -> None:
    carrier = Carrier(relayed=False)

    def be_overtaken(_: Any) -> Receipt:
        carrier.tell("sent")
        return Receipt(accepted=True)

    carrier.scenario.ports.texts.answer = be_overtaken
    carrier.scenario.run_jobs()

    assert carrier.delivery().response == {"message_id": MESSAGE, "status": "sent"}
    assert sorted(event.type for event in carrier.history()) == [ANSWERED, REPORTED]


def test_a_replayed_delivery_follows_its_new_message_and_ignores_the_old_one() -> None:
    carrier = Carrier()
    assert carrier.tell("failed", error="It is switched off.") is not None
    replayed = carrier.scenario.unite.notifications.replay(an_actor(Role.ADMIN), carrier.delivery().id)

    assert carrier.tell("failed", error="It is switched off.") is None
    assert carrier.delivery() == replayed
    carrier.tell("queued", of="new")
    assert (carrier.delivery().status, carrier.delivery().response["message_id"]) == (DELIVERED, "new")
    assert "error" not in carrier.delivery().response
    assert carrier.tell("failed") is None
    assert carrier.delivery().status is DELIVERED


class Away(InMemoryTextMessages):
    """Cannot be asked."""

    def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:
        assert short_timeouts
        raise Unavailable(f"It is being moved, and {message_id} with it.")


@pytest.mark.parametrize("fails", [True, False])
def test_a_report_whose_details_cannot_be_looked_up_is_stored_without_a_cost(*, fails: bool) -> None:
    carrier = Carrier()

    ports = carrier.scenario.ports
    texts = carrier.carried_by(Away() if fails else InMemoryTextMessages())
    carrier.take = RecordTextReport(ports.work, texts, ports.clock, ports.ids)

    carrier.tell("delivered")

    response = carrier.delivery().response
    assert (response["status"], response["segments"], response["cost"]) == ("delivered", 1, None)


def test_details_are_looked_up_only_for_final_reports_and_outside_of_transactions() -> None:
    carrier = Carrier()
    ports = carrier.scenario.ports
    looked_up: list[str] = []

    class Watched(InMemoryTextMessages):
        def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:
            assert short_timeouts
            with ports.work():  # which waits for nobody
                looked_up.append(message_id)
            raise NotFound("There is no such message.")

    carrier.take = RecordTextReport(ports.work, carrier.carried_by(Watched()), ports.clock, ports.ids)

    for status in ("sending", "sent", "delivered"):
        carrier.tell(status)

    assert looked_up == [MESSAGE]


def test_a_report_whose_transaction_loses_a_deadlock_is_retried() -> None:
    carrier = Carrier()
    ports = carrier.scenario.ports
    work = FailingWork(ports.work, Deadlock("Another was first."), at=0)
    carrier.take = RecordTextReport(work, carrier.carried_by(ports.texts), ports.clock, ports.ids)

    carrier.tell("sent")

    assert carrier.delivery().response["status"] == "sent"


@given(st.lists(st.tuples(st.sampled_from(STATUSES), st.sampled_from([MESSAGE, "other"])), max_size=12))
def test_the_delivery_follows_the_furthest_status_of_its_message(
    reports: list[tuple[str, str]],
) -> None:
    carrier = Carrier()
    furthest = "queued"
    dead = 0
    for status, message in reports:
        if message == MESSAGE and RANKS[status] > RANKS[furthest]:
            furthest = status
        dead += carrier.tell(status, message) is not None

    delivery = carrier.delivery()
    assert (delivery.response["message_id"], delivery.response["status"]) == (MESSAGE, furthest)
    assert delivery.status is (DEAD if furthest == "failed" else DELIVERED)
    assert dead == (furthest == "failed")


def test_the_latest_consent_counts_after_a_refusal() -> None:
    carrier = Carrier()
    carrier.tell("failed", reason="opted_out", phone=PHONE)
    carrier.scenario.ports.clock.advance(timedelta(seconds=1))
    with carrier.scenario.ports.work() as work:
        work.consents.add(
            Consent(id=an_id(), phone=PHONE, opted_out=False, at=carrier.scenario.ports.clock.now(), source="start")
        )
        work.commit()

    assert not carrier.wants_none()
