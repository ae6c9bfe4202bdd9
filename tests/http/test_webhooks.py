"""Twilio tells what became of text messages, and what people answer; nobody else is listened to."""

import base64
import hashlib
import hmac
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from adapters.twilio.signatures import TwilioSignatures
from tests.http.contended import ContendedWork
from tests.http.service import HttpScenario, Service, faults, problem
from tests.http.twilio_in_memory import TwilioInMemory
from unite_core.deadlocks import MAX_TRANSACTION_ATTEMPTS
from unite_core.notifications.model import Receipt
from unite_core.testing.in_memory import InMemoryUnitOfWorkFactory, Store

STATUS = "/webhooks/twilio/status"
INBOUND = "/webhooks/twilio/inbound"
PUBLIC_URL = "https://unite.example/api"
TOKEN = b"12345"
SID = f"SM{1:032x}"
ANNS_NUMBER = "+12125550142"


def signature(url: str, form: Mapping[str, str]) -> str:
    """As Twilio documents it: the URL and the fields in the order of their names, HMAC-SHA1, base64."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(TOKEN, signed.encode(), hashlib.sha1)).decode()


good = TwilioSignatures(TOKEN.decode()).valid


@pytest.fixture
def scenario() -> HttpScenario:
    """Events go to the telephones too; a task of Ann's has been told to her by a text message."""
    scenario = HttpScenario(Service(verify_text_signature=good, public_url=PUBLIC_URL, texts=TwilioInMemory()))
    scenario.create_call_task()
    scenario.service.run_jobs()
    return scenario


def text_delivery(scenario: HttpScenario) -> dict[str, Any]:
    """The delivery of the text message."""
    [listed] = scenario.manager.get("/v1/deliveries?destination=texts").get_json()["items"]
    delivery: dict[str, Any] = listed
    return delivery


def post(scenario: HttpScenario, path: str, form: Mapping[str, str], **changes: Any) -> TestResponse:
    """Post the form as Twilio does: signed, from nobody who is logged in."""
    headers = {"X-Twilio-Signature": changes.pop("signature", signature(f"{PUBLIC_URL}{path}", form))}
    options = {"data": urlencode(form), "content_type": "application/x-www-form-urlencoded", **changes}
    return scenario.service.stranger.post(path, headers=headers, **options)


def tell(scenario: HttpScenario, status: str, **more: str) -> TestResponse:
    """Tell what became of the text message."""
    form = {"MessageSid": SID, "MessageStatus": status, "AccountSid": "AC1", "To": ANNS_NUMBER, **more}
    return post(scenario, f"{STATUS}?delivery={text_delivery(scenario)['id']}", form)


def test_how_far_a_message_has_come_is_kept_with_its_delivery(scenario: HttpScenario) -> None:
    sent, delivered = tell(scenario, "sent"), tell(scenario, "delivered")

    assert (sent.status_code, delivered.status_code) == (204, 204)
    assert delivered.get_data() == b""
    delivery = text_delivery(scenario)
    assert (delivery["status"], delivery["response"]["status"], delivery["response"]["sid"]) == (
        "delivered",
        "delivered",
        SID,
    )


def test_the_same_status_twice_and_an_older_one_later_have_no_effect(scenario: HttpScenario) -> None:
    tell(scenario, "delivered")
    before = text_delivery(scenario)

    statuses = [tell(scenario, status).status_code for status in ("delivered", "sent", "queued")]

    assert (statuses, text_delivery(scenario)) == ([204] * 3, before)


def test_a_message_that_did_not_arrive_is_a_dead_letter_and_logged_without_the_number(
    scenario: HttpScenario, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    assert tell(scenario, "undelivered", ErrorCode="30003").status_code == 204

    delivery = text_delivery(scenario)
    assert (delivery["status"], delivery["response"]["error_code"]) == ("dead", 30003)
    [logged] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (logged.message, vars(logged)["delivery_id"]) == (
        "An event is given up: it does not reach its destination (texts).",
        delivery["id"],
    )
    assert vars(logged)["code"] == 30003
    assert ANNS_NUMBER.strip("+") not in "".join(f"{vars(record)}" for record in caplog.records)


@pytest.mark.parametrize(
    ("sent", "signed", "continued"),
    [("from-the-client.1", True, True), ("a%20b-0000000", True, False), ("from-the-client.1", False, False)],
    ids=["of the message", "not acceptable", "not signed"],
)
def test_a_status_continues_with_the_correlation_id_of_its_message_if_twilio_signed_it(
    scenario: HttpScenario, sent: str, signed: bool, continued: bool
) -> None:
    form = {"MessageSid": SID, "MessageStatus": "delivered"}
    path = f"{STATUS}?delivery={text_delivery(scenario)['id']}&correlation_id={sent}"

    answer = post(scenario, path, form, **({} if signed else {"signature": "forged"}))

    assert (answer.status_code, answer.headers["X-Correlation-ID"] == sent) == (204 if signed else 403, continued)
    scenario.service.run_jobs()
    history = scenario.manager.get(f"/v1/deliveries/{text_delivery(scenario)['id']}/activity").get_json()["items"]
    assert ("delivery.reported" in {event["type"] for event in history}) == signed


def test_a_delivery_that_is_not_known_is_no_error(scenario: HttpScenario) -> None:
    form = {"MessageSid": SID, "MessageStatus": "delivered"}
    path = f"{STATUS}?delivery=01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f"

    assert post(scenario, path, form).status_code == 204


@pytest.mark.parametrize(("word", "out"), [("STOP", True), (" unsubscribe ", True), ("START", False), ("hello", False)])
def test_nothing_more_is_sent_to_whoever_writes_stop(scenario: HttpScenario, word: str, out: bool) -> None:
    answer = post(scenario, INBOUND, {"MessageSid": "SM7", "From": ANNS_NUMBER, "Body": word})
    scenario.create_call_task()
    scenario.service.run_jobs()

    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    assert answer.get_data(as_text=True).endswith("<Response/>")
    assert len(scenario.service.ports.texts.sent) == (1 if out else 2)


def test_what_twilio_understood_counts_and_whoever_writes_start_hears_of_us_again(scenario: HttpScenario) -> None:
    post(scenario, INBOUND, {"MessageSid": "SM7", "From": ANNS_NUMBER, "Body": "arrêt", "OptOutType": "STOP"})
    post(scenario, INBOUND, {"MessageSid": "SM8", "From": ANNS_NUMBER, "Body": "START"})
    # It was told before: it does not stop them a second time.
    post(scenario, INBOUND, {"MessageSid": "SM7", "From": ANNS_NUMBER, "Body": "arrêt", "OptOutType": "STOP"})
    scenario.create_call_task()
    scenario.service.run_jobs()

    assert len(scenario.service.ports.texts.sent) == 2


@pytest.mark.parametrize("sender", ["12345", "whatsapp:+12125550142", "Somebody"])
def test_a_sender_without_a_number_is_answered_and_not_remembered(scenario: HttpScenario, sender: str) -> None:
    answer = post(scenario, INBOUND, {"MessageSid": "SM7", "From": sender, "Body": "STOP"})

    assert answer.status_code == 200
    with scenario.service.ports.reads() as reads:
        assert reads._tables.consents == {}


def refused(answer: TestResponse) -> None:
    assert problem(answer) == (403, "invalid_signature")


@pytest.mark.parametrize("path", [f"{STATUS}?delivery=01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f", INBOUND])
def test_a_callback_without_a_valid_signature_is_refused(scenario: HttpScenario, path: str) -> None:
    form = {"MessageSid": SID, "MessageStatus": "failed", "From": ANNS_NUMBER, "Body": "STOP"}
    url = f"{PUBLIC_URL}{path}"
    elsewhere = f"https://unite.example{path}"

    refused(post(scenario, path, form, signature=""))
    refused(post(scenario, path, form, signature=signature(url, {**form, "Body": "START"})))
    refused(post(scenario, path, form, signature=signature(elsewhere, form)))
    refused(post(scenario, path, form, signature=signature(f"{url}&x=1", form)))
    refused(post(scenario, f"{path}&x=1" if "?" in path else f"{path}?x=1", form, signature=signature(url, form)))
    refused(post(scenario, path, form, data=f"{urlencode(form)}&Body=STOP", signature=signature(url, form)))
    refused(post(scenario, path, form, data=b"\xff\xfe=%zz", signature=signature(url, form)))
    refused(scenario.manager.post(path, data=urlencode(form), content_type="application/x-www-form-urlencoded"))
    assert text_delivery(scenario)["status"] == "delivered"


@pytest.mark.parametrize("path", [STATUS, INBOUND])
def test_where_there_is_no_twilio_nothing_is_taken(path: str) -> None:
    scenario = HttpScenario(Service(public_url=PUBLIC_URL))

    refused(post(scenario, path, {"MessageSid": SID}))


@pytest.mark.parametrize(
    ("path", "form", "missing"),
    [
        (STATUS, {"MessageStatus": "sent"}, "/MessageSid"),
        (STATUS, {"MessageSid": SID, "MessageStatus": ""}, "/MessageStatus"),
        (INBOUND, {"From": ANNS_NUMBER, "Body": "STOP"}, "/MessageSid"),
        (INBOUND, {"MessageSid": SID, "Body": "STOP"}, "/From"),
    ],
)
def test_a_form_without_what_it_is_about_is_told_so(
    scenario: HttpScenario, path: str, form: dict[str, str], missing: str
) -> None:
    if path == STATUS:
        path += f"?delivery={text_delivery(scenario)['id']}"

    answer = post(scenario, path, form)

    assert (problem(answer), faults(answer)) == ((422, "invalid"), [(missing, "required")])


@pytest.mark.parametrize("query", ["", "?delivery=", "?delivery=1", "?delivery=%zz"])
def test_a_status_of_no_delivery_is_told_so(scenario: HttpScenario, query: str) -> None:
    answer = post(scenario, f"{STATUS}{query}", {"MessageSid": SID, "MessageStatus": "sent"})

    assert problem(answer) == (400, "invalid_parameter")


def test_only_a_small_form_is_taken(scenario: HttpScenario) -> None:
    form = {"MessageSid": "SM7", "From": ANNS_NUMBER, "Body": "\N{GRINNING FACE}" * 1600}

    assert post(scenario, INBOUND, form).status_code == 200
    assert problem(post(scenario, INBOUND, {**form, "Body": "x" * 65536})) == (413, "too_large")
    assert problem(post(scenario, INBOUND, form, content_type="application/json")) == (415, "unsupported_media_type")


def test_the_senders_of_webhooks_are_not_counted() -> None:
    scenario = HttpScenario(Service(verify_text_signature=good, public_url=PUBLIC_URL, requests_per_minute=10))
    form = {"MessageSid": SID, "From": ANNS_NUMBER, "Body": "hello"}

    assert {post(scenario, INBOUND, form).status_code for _ in range(15)} == {200}


def test_what_gave_way_to_another_is_done_again() -> None:
    store = Store()
    work, reads = ContendedWork(store), InMemoryUnitOfWorkFactory(store, writes=False)
    scenario = HttpScenario(Service(verify_text_signature=good, public_url=PUBLIC_URL, work=work, reads=reads))
    work.times = MAX_TRANSACTION_ATTEMPTS - 1

    answer = post(scenario, INBOUND, {"MessageSid": "SM7", "From": ANNS_NUMBER, "Body": "STOP"})

    assert (answer.status_code, work.times) == (200, 0)
    with scenario.service.ports.reads() as unit:
        assert unit.consents.opted_out(ANNS_NUMBER)


def test_a_status_settles_what_a_relay_sent_and_did_not_live_to_store(scenario: HttpScenario) -> None:
    scenario.service.ports.texts.answer = lambda _: Receipt(accepted=False)
    scenario.create_call_task()
    scenario.service.run_jobs()
    [waiting] = scenario.manager.get("/v1/deliveries?destination=texts&status=pending").get_json()["items"]

    post(scenario, f"{STATUS}?delivery={waiting['id']}", {"MessageSid": f"SM{9:032x}", "MessageStatus": "sent"})

    with scenario.service.ports.reads() as reads:
        assert reads.deliveries.get(UUID(waiting["id"])).status == "delivered"
