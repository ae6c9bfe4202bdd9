"""Whatever becomes of an answer, a message is sent once; what may pass is tried again, and nothing else."""

import logging
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.twilio.messages import TwilioTextMessages
from tests.adapters.twilio.sending import texts_by, timeouts, twilio_at
from tests.servers.twilio import TwilioStandIn
from tests.service_process import eventually
from unite_core.errors import NotFound, Unavailable
from unite_core.testing.contracts.messages import a_text

LOST: list[dict[str, Any]] = [
    {"drop": "after"},
    {"status": 500, "stored": True},
    {"status": 503, "stored": True, "text": "<html>Service Unavailable</html>"},
    {"status": 201, "stored": True, "text": "<html>"},
    {"status": 201, "stored": True, "text": ""},
    {"status": 201, "stored": True, "text": "[]"},
]
NOT_TAKEN: list[dict[str, Any]] = [
    {"drop": "before"},
    {"status": 429},
    {"status": 400, "code": 21611},
    {"status": 500},
    {"status": 503, "text": ""},
]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO):  # as the service logs
        yield caplog


@pytest.mark.parametrize("fault", LOST, ids=str)
def test_where_the_answer_was_lost_the_message_is_found_and_not_sent_again(
    texts: TwilioTextMessages, twilio_server: TwilioStandIn, fault: dict[str, Any]
) -> None:
    message = a_text()
    twilio_server.behave({**fault, "method": "POST", "times": 1})

    receipt = texts.send(message)

    assert twilio_server.bodies() == [message.text]
    assert receipt.accepted
    assert receipt.response["sid"] == twilio_server.messages()[0]["sid"]
    assert twilio_server.requests() == {"GET": 1, "POST": 1}


def test_an_answer_that_comes_too_late_is_not_asked_for_again_at_once_and_the_message_is_found_later(
    twilio_server: TwilioStandIn,
) -> None:
    texts = texts_by(twilio_at(twilio_server, timeouts=timeouts(0.5)))
    twilio_server.behave({"delay_seconds": 1, "method": "POST", "times": 1})
    message = a_text()

    with pytest.raises(Unavailable):
        texts.send(message)
    eventually(twilio_server.bodies, "Twilio takes it, late")

    assert texts.send(message, may_have_been_sent=True).accepted
    assert twilio_server.bodies() == [message.text]


@pytest.mark.parametrize("fault", NOT_TAKEN, ids=str)
def test_what_was_not_taken_is_sent_again_a_moment_later(
    texts: TwilioTextMessages, twilio_server: TwilioStandIn, fault: dict[str, Any]
) -> None:
    message = a_text()
    twilio_server.behave({**fault, "method": "POST", "times": 2})

    assert texts.send(message).accepted

    assert twilio_server.bodies() == [message.text]
    assert twilio_server.requests()["POST"] == 3


@pytest.mark.parametrize("fault", NOT_TAKEN, ids=str)
def test_what_does_not_pass_is_unavailable_after_three_attempts(
    texts: TwilioTextMessages, twilio_server: TwilioStandIn, fault: dict[str, Any]
) -> None:
    twilio_server.behave({**fault, "method": "POST"})

    with pytest.raises(Unavailable):
        texts.send(a_text())

    assert twilio_server.bodies() == []
    assert twilio_server.requests()["POST"] == 3


def test_where_nothing_tells_whether_it_was_sent_the_next_attempt_of_the_relay_looks_first(
    texts: TwilioTextMessages, twilio_server: TwilioStandIn
) -> None:
    message = a_text()
    twilio_server.behave({"drop": "after"})
    with pytest.raises(Unavailable):
        texts.send(message)
    twilio_server.behave()

    assert texts.send(message, may_have_been_sent=True).accepted

    assert twilio_server.bodies() == [message.text]


def test_a_search_that_fails_sends_nothing(texts: TwilioTextMessages, twilio_server: TwilioStandIn) -> None:
    twilio_server.behave({"status": 500, "method": "GET"})

    with pytest.raises(Unavailable):
        texts.send(a_text(), may_have_been_sent=True)

    assert twilio_server.requests() == {"GET": 3, "POST": 0}


@pytest.mark.parametrize("final", ["failed", "undelivered", "canceled"])
def test_a_message_that_did_not_go_is_sent_again_although_it_is_found(
    texts: TwilioTextMessages, twilio_server: TwilioStandIn, final: str
) -> None:
    message = a_text()
    twilio_server.behave({"final_status": final})
    texts.send(message)
    eventually(lambda: twilio_server.messages()[0]["status"] == final, "it ends")
    twilio_server.behave()

    texts.send(message, may_have_been_sent=True)

    assert twilio_server.bodies() == [message.text] * 2


def test_a_message_of_an_earlier_day_is_another_one(texts: TwilioTextMessages, twilio_server: TwilioStandIn) -> None:
    message = a_text()
    texts.send(message)
    tomorrow = replace(message, since=datetime.now(UTC) + timedelta(days=1))

    texts.send(tomorrow, may_have_been_sent=True)

    assert len(twilio_server.bodies()) == 2


def test_a_message_is_found_behind_a_trial_accounts_own_words(
    texts: TwilioTextMessages, twilio_server: TwilioStandIn
) -> None:
    message = a_text()
    texts.send(replace(message, text=f"Sent from your Twilio trial account - {message.text}"))

    texts.send(message, may_have_been_sent=True)

    assert len(twilio_server.bodies()) == 1


def test_a_message_is_found_among_many(texts: TwilioTextMessages, twilio_server: TwilioStandIn) -> None:
    message = a_text()
    texts.send(message)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: texts.send(a_text(f"Unite: call number {number}.")), range(80)))

    texts.send(message, may_have_been_sent=True)

    assert twilio_server.bodies().count(message.text) == 1


def test_threads_that_send_at_once_get_the_answer_that_is_theirs(
    texts: TwilioTextMessages, twilio_server: TwilioStandIn
) -> None:
    messages = [a_text(f"Unite: call number {number}.") for number in range(60)]

    with ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(texts.send, messages))

    taken = {message["sid"]: message["body"] for message in twilio_server.messages()}
    assert [taken[receipt.response["sid"]] for receipt in receipts] == [message.text for message in messages]


def test_what_twilio_does_not_know_of_is_not_found_and_a_lost_answer_is_unavailable(
    texts: TwilioTextMessages, twilio_server: TwilioStandIn
) -> None:
    with pytest.raises(NotFound):
        texts.look_up("SM" + "0" * 32)
    twilio_server.behave({"status": 500})

    with pytest.raises(Unavailable):
        texts.look_up("SM" + "0" * 32)


def test_who_is_in_a_hurry_waits_for_one_answer_and_not_for_long(twilio_server: TwilioStandIn) -> None:
    texts = texts_by(twilio_at(twilio_server, short_timeouts=timeouts(0.3), retry_interval=timedelta()))
    sid = texts.send(a_text()).response["sid"]
    assert texts.look_up(sid, short_timeouts=True).message_id == sid
    before = twilio_server.requests()["GET"]
    twilio_server.behave({"delay_seconds": 1, "method": "GET", "times": 1})

    with pytest.raises(Unavailable):
        texts.look_up(sid, short_timeouts=True)

    assert twilio_server.requests()["GET"] == before + 1


def test_the_breaker_opens_after_so_many_failures_in_a_row_and_closes_when_twilio_is_back_and_the_log_tells_of_both(
    twilio_server: TwilioStandIn, logged: pytest.LogCaptureFixture
) -> None:
    twilio = twilio_at(twilio_server, failure_threshold=5, attempts=1, recovery_timeout=timedelta(seconds=0.5))
    texts = texts_by(twilio)
    twilio_server.behave({"status": 503})

    for _ in range(5):
        assert twilio.breaker_state == "closed"
        with pytest.raises(Unavailable, match="failed with 503"):
            texts.send(a_text())
    assert twilio.breaker_state == "open"
    with pytest.raises(Unavailable, match="several times"):
        texts.send(a_text())
    assert twilio_server.requests()["POST"] == 5

    twilio_server.behave()
    eventually(lambda: twilio.breaker_state == "half_open", "the pause is over")
    assert texts.send(a_text()).accepted
    assert twilio.breaker_state == "closed"
    assert logged.messages == [
        *["Twilio failed with 503."] * 5,
        "Twilio failed 5 times in a row; it is not called for 0.5 seconds.",
        "Twilio answers again.",
        "A text message was handed to Twilio.",
    ]


def test_one_success_between_failures_keeps_the_breaker_closed_and_a_refusal_is_one(
    twilio_server: TwilioStandIn,
) -> None:
    twilio = twilio_at(twilio_server, failure_threshold=2, attempts=1)
    texts = texts_by(twilio)

    for _ in range(3):
        twilio_server.behave({"status": 500, "times": 1})
        with pytest.raises(Unavailable):
            texts.send(a_text())
        assert texts.send(a_text(to="no number")).refused

    assert twilio.breaker_state == "closed"


def test_a_twilio_that_was_killed_is_unavailable_until_it_is_back(twilio_server: TwilioStandIn) -> None:
    texts = texts_by(twilio_at(twilio_server))
    assert texts.send(a_text()).accepted

    twilio_server.kill()
    with pytest.raises(Unavailable, match="does not answer"):
        texts.send(a_text())

    twilio_server.start()
    assert texts.send(a_text()).accepted


@pytest.mark.parametrize("fault", [*LOST, *NOT_TAKEN, {"status": 400, "code": 21211}, {"status": 401}], ids=str)
def test_no_number_and_no_token_is_written_down_whatever_happens(
    texts: TwilioTextMessages, twilio_server: TwilioStandIn, logged: pytest.LogCaptureFixture, fault: dict[str, Any]
) -> None:
    number = f"+1202{5550123}"
    twilio_server.behave(fault)
    message = a_text(to=number)
    printed = repr(message)

    try:
        printed += repr(texts.send(message, may_have_been_sent=True))
    except Unavailable:
        printed += traceback.format_exc()

    assert number[2:] not in logged.text + printed
    assert twilio_server.auth_token not in logged.text + printed
