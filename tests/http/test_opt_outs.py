"""Tests of opt-outs and opt-ins by replies to text messages."""

import re
from datetime import timedelta

import pytest

from adapters.twilio.opt_outs import START_WORDS, STOP_WORDS
from tests.conftest import CHECKOUT
from tests.http.service import HttpScenario, Service
from tests.http.test_webhooks import ANNS_NUMBER, INBOUND, PUBLIC_URL, good, post

STOP = (
    "STOP",
    "stopall",
    " Unsubscribe\n",
    "CANCEL",
    "end",
    "Quit",
    "REVOKE",
    "optout",
    "STOP.",
    "Stop!!!",
    "STOP ALL",
    "opt-out",
    "«arrêt»",
    "STOPP",
    "Baja.",
    "стоп",
    "停止",
    "Stop 🛑",
    "STOP STOP",
)
START = ("START", " yes ", "UnStop", "Yes!", "start.")


@pytest.fixture
def scenario() -> HttpScenario:
    return HttpScenario(Service(verify_text_signature=good, public_url=PUBLIC_URL))


def answer(scenario: HttpScenario, body: str, message: str = "SM1", **more: str) -> None:
    """Have Ann write that."""
    answered = post(scenario, INBOUND, {"MessageSid": message, "From": ANNS_NUMBER, "Body": body, **more})
    assert answered.status_code == 200
    scenario.service.ports.clock.advance(timedelta(seconds=1))


def wants_none(scenario: HttpScenario, phone: str = ANNS_NUMBER) -> bool:
    with scenario.service.ports.reads() as reads:
        return reads.consents.opted_out(phone)


@pytest.mark.parametrize("body", STOP)
def test_a_stop_word_opts_out(scenario: HttpScenario, body: str) -> None:
    answer(scenario, body)

    assert wants_none(scenario)
    assert not wants_none(scenario, "+12125550101")


@pytest.mark.parametrize("body", START)
def test_a_start_word_opts_in_again(scenario: HttpScenario, body: str) -> None:
    answer(scenario, "STOP")

    answer(scenario, body, "SM2")

    assert not wants_none(scenario)


@pytest.mark.parametrize(
    "body", ["", "Stop it", "please stop", "HELP", "no", "Stop?? no", "no stop", "...", "bajar", "STOP START"]
)
def test_any_other_reply_has_no_effect(scenario: HttpScenario, body: str) -> None:
    answer(scenario, body)
    assert not wants_none(scenario)
    answer(scenario, "STOP", "SM2")

    answer(scenario, body, "SM3")

    assert wants_none(scenario)


@pytest.mark.parametrize(
    ("opt_out_type", "body", "opted_out"),
    [("STOP", "ya basta", True), ("START", "STOP", False), ("HELP", "STOP", False), ("stop", "", True)],
)
def test_the_opt_out_type_of_the_carrier_takes_precedence_over_the_text(
    scenario: HttpScenario, opt_out_type: str, body: str, *, opted_out: bool
) -> None:
    answer(scenario, body, OptOutType=opt_out_type)

    assert wants_none(scenario) is opted_out


def test_a_repeated_notification_of_an_earlier_reply_changes_nothing(scenario: HttpScenario) -> None:
    for message, body in (("SM1", "STOP"), ("SM2", "START"), ("SM1", "STOP")):
        answer(scenario, body, message)

    assert not wants_none(scenario)


def test_the_page_about_messages_lists_the_words() -> None:
    page = (CHECKOUT / "docs" / "reference" / "messages.md").read_text("utf-8")
    words = re.search(
        r"A recipient who answers ([^.]*?)\sgets no more messages at that number;\s(.*?) takes that back", page
    )

    assert words is not None
    stop, start = (frozenset(re.findall(r"[A-Z]{3,}", part)) for part in words.groups())
    assert (stop, start) == (STOP_WORDS["English"], START_WORDS)
