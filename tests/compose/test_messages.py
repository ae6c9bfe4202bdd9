"""Messages through the whole stack: a call that is assigned is texted and published, and what comes back is kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.compose.stack import Stack
from tests.service_process import Client, direct_session, eventually

PHONE = "+12025550187"


def stand_in(stack: Stack, method: str, what: str, content: object = None) -> Any:
    """What stands in for Twilio is asked for."""
    with direct_session() as session:
        answer = session.request(method, f"{stack.twilio_url}/stand-in/{what}", json=content, timeout=30)
    answer.raise_for_status()
    return answer.json()


@pytest.fixture(scope="module")
def agent(client: Client) -> dict[str, Any]:
    new = {"email": "ben@example.com", "name": "Ben", "role": "agent", "password": "correct horse battery"}
    added: dict[str, Any] = client.call("POST", "/v1/users", json={**new, "phone": PHONE})
    return added


def assign_a_call(client: Client, agent: dict[str, Any], name: str, phone: str) -> None:
    lead = client.call("POST", "/v1/leads", json={"name": name, "phone": phone})
    due = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    client.call("POST", "/v1/call-tasks", json={"lead_id": lead["id"], "assigned_to": agent["id"], "due_at": due})


def latest(client: Client, destination: str, **response: object) -> dict[str, Any]:
    """The newest delivery to the destination, as soon as its response says so."""

    def found() -> dict[str, Any] | None:
        items = client.call("GET", "/v1/deliveries", params={"destination": destination})["items"]
        told = [it for it in items[:1] if response.items() <= it["response"].items()]
        return told[0] if told else None

    return eventually(found, f"the newest delivery to {destination} says {response}")


def test_a_call_that_is_assigned_is_texted_and_published_and_both_ids_are_kept(
    stack: Stack, client: Client, agent: dict[str, Any]
) -> None:
    assign_a_call(client, agent, "Grace Hopper", "+12125550171")

    text = latest(client, "texts", status="delivered")  # which Twilio told, signed for the public address
    topic = eventually(
        lambda: next(
            (it for it in client.call("GET", "/v1/deliveries")["items"] if it["destination"] == "topic"), None
        ),
        "the topic is told",
    )

    (sent,) = stand_in(stack, "GET", "messages")
    assert (sent["to"], sent["num_segments"]) == (PHONE, "1")
    assert "Grace Hopper" in sent["body"]
    assert "2125550171" not in sent["body"]
    assert (text["response"]["sid"], text["response"]["segments"]) == (sent["sid"], 1)
    assert text["response"]["price"] == "-0.00790"
    assert topic["status"] == "delivered"
    assert topic["response"]["message_id"]
    assert {callback["status"] for callback in stand_in(stack, "GET", "callbacks")} == {204}


def test_whoever_writes_stop_gets_no_more_messages(stack: Stack, client: Client, agent: dict[str, Any]) -> None:
    before = len(stand_in(stack, "GET", "messages"))
    assert stand_in(stack, "POST", "inbound", {"from": PHONE, "body": "stop"})["status"] == 200

    assign_a_call(client, agent, "Ada Lovelace", "+12125550172")

    assert latest(client, "texts", reason="opted_out")["status"] == "skipped"
    assert len(stand_in(stack, "GET", "messages")) == before
