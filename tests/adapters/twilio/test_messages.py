"""What is sent, and what Twilio's answers mean."""

import logging

import pytest

from adapters.twilio.connection import Account, Twilio
from adapters.twilio.messages import Sender, TwilioTextMessages
from tests.adapters.twilio.sending import ADDRESS, texts_by, twilio_at
from tests.servers.twilio import ACCOUNT_SID, NUMBER, TwilioStandIn
from tests.service_process import eventually
from unite_core.errors import Unavailable
from unite_core.notifications.delivery_reports import MessageProgress
from unite_core.testing.contracts.messages import a_text

SERVICE = "MG" + "b2" * 16


def test_a_message_goes_from_our_number_and_says_where_its_statuses_are_wanted(
    texts: TwilioTextMessages, twilio_server: TwilioStandIn
) -> None:
    message = a_text("Unite: call Zoë ☎.")

    receipt = texts.send(message)

    (sent,) = twilio_server.messages()
    assert (sent["to"], sent["from"], sent["body"]) == (message.to, NUMBER, message.text)
    query = f"delivery={message.delivery_id}&correlation_id={message.correlation_id}"
    assert sent["status_callback"] == f"{ADDRESS}/webhooks/twilio/status?{query}"
    assert receipt.response == {
        "sid": sent["sid"],
        "status": "queued",
        "segments": 1,
        "price": None,
        "price_unit": "USD",
        "error_code": None,
        "error": None,
    }


def test_a_message_may_come_from_a_messaging_service_that_has_yet_to_choose_a_number(
    twilio_server: TwilioStandIn,
) -> None:
    texts = TwilioTextMessages(
        twilio_at(twilio_server), sender=Sender(messaging_service_sid=SERVICE), public_url=ADDRESS
    )

    receipt = texts.send(a_text())

    assert receipt.response["segments"] == 0
    assert twilio_server.messages()[0]["messaging_service_sid"] == SERVICE


def test_price_and_segments_are_known_once_a_message_is_delivered(texts: TwilioTextMessages) -> None:
    sid = texts.send(a_text("Unite: " + "x" * 160)).response["sid"]

    eventually(lambda: texts.look_up(sid).progress is MessageProgress.DELIVERED, "the message arrives")

    report = texts.look_up(sid)
    response = report.response
    assert (report.message_id, report.complete, response["status"]) == (sid, True, "delivered")
    assert (response["segments"], response["price"], response["price_unit"]) == (2, "-0.01580", "USD")


def test_a_message_that_did_not_arrive_says_why_when_it_is_looked_up(
    texts: TwilioTextMessages, twilio_server: TwilioStandIn
) -> None:
    twilio_server.behave({"final_status": "undelivered", "error_code": 30003})
    sid = texts.send(a_text()).response["sid"]

    eventually(lambda: texts.look_up(sid).progress is MessageProgress.FAILED, "the message is given up")

    response = texts.look_up(sid).response
    assert response["status"] == "undelivered"
    assert (response["error_code"], response["error"]) == (30003, "The message to …0123 did not arrive.")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (21610, "opted_out"),
        (21211, "not_a_number"),
        (21614, "not_a_number"),
        (21217, "not_a_number"),
        (21635, "not_a_number"),
        (21408, None),
        (21612, None),
    ],
)
def test_what_twilio_will_never_send_is_refused_at_once_and_says_why(
    texts: TwilioTextMessages, twilio_server: TwilioStandIn, code: int, reason: str | None
) -> None:
    twilio_server.behave({"status": 400, "code": code})

    receipt = texts.send(a_text())

    assert (receipt.accepted, receipt.refused) == (False, True)
    assert receipt.response["error_code"] == code
    assert receipt.response.get("reason") == reason
    assert receipt.response["error"]
    assert twilio_server.requests()["POST"] == 1


def test_somebody_who_wrote_stop_is_opted_out_until_they_write_start(
    texts: TwilioTextMessages, twilio_server: TwilioStandIn
) -> None:
    message = a_text()
    twilio_server.write_to_us(message.to, " Stop ")
    assert texts.send(message).response["reason"] == "opted_out"

    twilio_server.write_to_us(message.to, "START")

    assert texts.send(message).accepted


def test_what_is_no_number_is_refused_without_telling_it(texts: TwilioTextMessages) -> None:
    receipt = texts.send(a_text(to="12025550123"))

    assert receipt.response["reason"] == "not_a_number"
    assert "…0123" in receipt.response["error"]
    assert "2025550123" not in receipt.response["error"]


@pytest.mark.parametrize(
    ("status", "code"), [(401, 20003), (404, 20404), (403, 20403), (400, 21606), (400, 21703), (400, 21609), (302, 0)]
)
def test_an_account_that_is_set_up_wrongly_refuses_no_message(
    texts: TwilioTextMessages,
    twilio_server: TwilioStandIn,
    caplog: pytest.LogCaptureFixture,
    status: int,
    code: int,
) -> None:
    twilio_server.behave({"status": status, "code": code})

    with pytest.raises(Unavailable, match="takes nothing from this account"):
        texts.send(a_text())

    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert twilio_server.requests()["POST"] == 1


def test_a_wrong_token_turns_no_message_into_a_dead_letter(
    twilio_server: TwilioStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    twilio = twilio_at(twilio_server, token="not the token", failure_threshold=3)
    texts = texts_by(twilio)

    for _ in range(10):
        with pytest.raises(Unavailable):
            texts.send(a_text(), may_have_been_sent=True)

    assert twilio.breaker_state == "open"
    assert sum(twilio_server.requests().values()) == 3
    assert "code 20003" in caplog.text
    assert "not the token" not in caplog.text


def test_nothing_is_opened_before_something_is_asked() -> None:
    twilio = Twilio(Account(sid=ACCOUNT_SID, auth_token="x", base_url="http://127.0.0.1:9"))

    assert twilio.breaker_state == "closed"
    assert "auth_token" not in repr(Account(sid=ACCOUNT_SID, auth_token="x"))


def test_a_ping_asks_for_the_account_and_believes_the_answer_for_a_while(twilio_server: TwilioStandIn) -> None:
    twilio = twilio_at(twilio_server)

    for _ in range(5):
        twilio.ping()

    assert twilio_server.requests() == {"GET": 1, "POST": 0}


def test_a_ping_that_failed_is_not_asked_again_for_a_while_either(twilio_server: TwilioStandIn) -> None:
    twilio = twilio_at(twilio_server, token="not the token")

    for _ in range(3):
        with pytest.raises(Unavailable, match="20003"):
            twilio.ping()

    assert twilio_server.requests() == {"GET": 1, "POST": 0}
