"""What people answer: that they want no more messages, and that they want them again."""

from datetime import timedelta

import pytest

from tests.core.notifications.scenario import NotificationScenario
from unite_core.notifications.webhooks import InboundText, ReceiveInboundText

PHONE = "+12125550102"


def wants_none(scenario: NotificationScenario, phone: str = PHONE) -> bool:
    with scenario.ports.reads() as reads:
        return reads.consents.opted_out(phone)


STOP = ("STOP", "stopall", " Unsubscribe\n", "CANCEL", "end", "Quit", "REVOKE", "optout")
START = ("START", " yes ", "UnStop")


@pytest.mark.parametrize("body", STOP)
def test_whoever_says_stop_wants_no_more(body: str) -> None:
    scenario = NotificationScenario()

    scenario.unite.notifications.receive_inbound_text(InboundText(sid="SM-in", phone=PHONE, body=body))

    assert wants_none(scenario)
    assert not wants_none(scenario, "+12125550101")


@pytest.mark.parametrize("body", START)
def test_whoever_says_start_wants_messages_again(body: str) -> None:
    scenario = NotificationScenario()
    take = scenario.unite.notifications.receive_inbound_text
    take(InboundText(sid="SM-1", phone=PHONE, body="STOP"))
    scenario.ports.clock.advance(timedelta(seconds=1))

    take(InboundText(sid="SM-2", phone=PHONE, body=body))

    assert not wants_none(scenario)


@pytest.mark.parametrize("body", ["", "Stop it", "please stop", "HELP", "no", "STOP."])
def test_anything_else_that_is_said_has_no_effect(body: str) -> None:
    scenario = NotificationScenario()

    scenario.unite.notifications.receive_inbound_text(InboundText(sid="SM-in", phone=PHONE, body=body))

    assert not wants_none(scenario)


@pytest.mark.parametrize(
    ("opt_out_type", "body", "opted_out"),
    [("STOP", "ya basta", True), ("START", "STOP", False), ("HELP", "STOP", False), ("stop", "", True)],
)
def test_what_the_carrier_made_of_it_counts(opt_out_type: str, body: str, *, opted_out: bool) -> None:
    scenario = NotificationScenario()
    text = InboundText(sid="SM-in", phone=PHONE, body=body, opt_out_type=opt_out_type)

    scenario.unite.notifications.receive_inbound_text(text)

    assert wants_none(scenario) is opted_out


def test_a_word_that_is_told_again_later_changes_nothing() -> None:
    scenario = NotificationScenario()
    take: ReceiveInboundText = scenario.unite.notifications.receive_inbound_text
    stop = InboundText(sid="SM-1", phone=PHONE, body="STOP")
    for text in (stop, InboundText(sid="SM-2", phone=PHONE, body="START"), stop):
        take(text)
        scenario.ports.clock.advance(timedelta(seconds=1))

    assert not wants_none(scenario)
