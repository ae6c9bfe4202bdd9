"""Tests of a running service with a fake Twilio: sent texts, callbacks, and replies."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.http.service import PASSWORD
from tests.servers.twilio import TwilioStandIn, a_stand_in
from tests.service_process import Client, Service, eventually, service

AMYS_NUMBER = "+12125550142"


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Service]:
    with service(tmp_path) as one:
        yield one


@pytest.fixture
def twilio(one: Service) -> Iterator[TwilioStandIn]:
    """Start a fake Twilio and a service that uses it."""
    with a_stand_in(public_url=one.url) as stand_in:
        one.settings = stand_in.settings
        one.start()
        yield stand_in


@pytest.fixture
def office(one: Service, twilio: TwilioStandIn) -> Client:
    assert twilio.messages() == []
    return one.client()


def assign_a_call(office: Client) -> None:
    """Have Amy, who is added where she is missing, call a lead."""
    users = {each["name"]: each["id"] for each in office.call("GET", "/v1/users")["items"]}
    if "Amy" not in users:
        new = {"email": "amy@example.com", "name": "Amy", "role": "agent", "password": PASSWORD, "phone": AMYS_NUMBER}
        users["Amy"] = office.call("POST", "/v1/users", json=new)["id"]
        office.call("POST", "/v1/leads", json={"name": "Grace Hopper", "phone": "+12125550123"})
    [lead] = office.call("GET", "/v1/leads")["items"]
    task = {"lead_id": lead["id"], "assigned_to": users["Amy"], "due_at": "2030-01-07T09:00:00Z"}
    office.call("POST", "/v1/call-tasks", json=task)


def texts(office: Client, status: str) -> list[dict[str, Any]]:
    """The deliveries of text messages that have this status."""
    response: list[dict[str, Any]] = office.call("GET", f"/v1/deliveries?destination=texts&status={status}")["items"]
    return response


def test_callbacks_update_the_delivery_of_a_text_message(office: Client, twilio: TwilioStandIn) -> None:
    assign_a_call(office)

    def arrived() -> dict[str, Any] | None:
        return next((it for it in texts(office, "delivered") if it["response"]["status"] == "delivered"), None)

    delivery = eventually(arrived, "Twilio tells that the message has arrived")
    [body] = twilio.bodies()
    assert body.startswith("Unite: call Grace Hopper, due 7 Jan 2030 09:00 UTC.")
    assert (delivery["response"]["segments"], delivery["response"]["price_unit"]) == (1, "USD")
    eventually(
        lambda: len(office.call("GET", f"/v1/deliveries/{delivery['id']}/activity")["items"]) >= 2,
        "the activity log has what was answered and what was told later",
    )
    assert {callback["status"] for callback in twilio.callbacks()} == {204}


def test_a_recipient_who_replied_stop_gets_nothing_until_they_reply_start(
    office: Client, twilio: TwilioStandIn
) -> None:
    assign_a_call(office)
    eventually(twilio.bodies, "the first text goes out")

    assert twilio.write_to_us(AMYS_NUMBER, "Stop")["status"] == 200
    assign_a_call(office)
    [skipped] = eventually(lambda: texts(office, "skipped"), "the second text goes nowhere")
    assert twilio.write_to_us(AMYS_NUMBER, "START")["status"] == 200
    assign_a_call(office)
    eventually(lambda: len(twilio.bodies()) == 2, "the third text goes out")

    assert skipped["response"]["reason"] == "opted_out"


def test_a_failed_message_is_a_dead_letter_that_is_logged_and_counted(
    one: Service, office: Client, twilio: TwilioStandIn
) -> None:
    twilio.behave({"final_status": "undelivered", "error_code": 30003})

    assign_a_call(office)

    [dead] = eventually(lambda: texts(office, "dead"), "Twilio tells that the message did not arrive")
    ready = office.call("GET", "/health/ready")
    assert (ready["status"], ready["dead_letters"]) == ("ok", 1)
    [line] = eventually(
        lambda: logged(one, "An event is given up: it does not reach its destination (texts)."), "it is logged"
    )
    assert (line["level"], line["delivery_id"], line["code"]) == ("ERROR", dead["id"], 30003)
    assert AMYS_NUMBER.strip("+") not in one.log.read_text()


def logged(one: Service, message: str) -> list[dict[str, Any]]:
    """The lines of the service's log, as far as they are written, that say this."""
    lines = one.log.read_text().rpartition("\n")[0].splitlines()
    return [line for line in map(json.loads, lines) if line["message"] == message]
