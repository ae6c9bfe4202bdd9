"""Tests that a request's correlation id reaches jobs, events, topics, text messages, callbacks and log lines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer

from tests.adapters.aws.moto import access_to
from tests.adapters.aws.topics import ListenedTo, listened_to
from tests.servers.twilio import TwilioStandIn, a_stand_in
from tests.service_process import Client, Service, eventually, worker

ID, OTHER_ID = "from-the-client.0001", "from-the-client.0002"
ROUTE = "/webhooks/twilio/status"


@pytest.fixture
def listening(aws_url: str) -> ListenedTo:
    return listened_to(access_to(aws_url))


@pytest.fixture
def one(tmp_path: Path, redis_url: str, listening: ListenedTo) -> Iterator[Service]:
    it = Service(tmp_path, command=("entrypoints", "serve", "--no-worker"))
    with a_stand_in(public_url=it.url) as twilio:
        it.settings = {
            **twilio.settings,
            **listening.settings,
            "UNITE_REDIS_URL": redis_url,
            "UNITE_PUBLIC_URL": it.url,
        }
        try:
            it.start()
            yield it
        finally:
            it.kill_all()


@pytest.fixture
def twilio(one: Service) -> TwilioStandIn:
    return TwilioStandIn(port=int(one.settings["UNITE_TWILIO_BASE_URL"].rpartition(":")[2]))


def lines(*logs: Path) -> list[dict[str, Any]]:
    """Return the complete lines of the logs."""
    return [json.loads(line) for log in logs for line in log.read_text().rpartition("\n")[0].splitlines()]


def under(correlation_id: str, found: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Group the lines with this correlation id by their message."""
    results: dict[str, list[dict[str, Any]]] = {}
    for line in found:
        if line.get("correlation_id") == correlation_id:
            results.setdefault(line["message"], []).append(line)
    return results


def call_amy(client: Client, correlation_id: str) -> str:
    """Have Amy, who is added where she is missing, call a lead; the id of the lead."""
    users = {each["name"]: each["id"] for each in client.call("GET", "/v1/users")["items"]}
    if "Amy" not in users:
        amy = {"email": "amy@example.com", "name": "Amy", "role": "agent", "password": "staple battery horse"}
        users["Amy"] = client.call("POST", "/v1/users", json=amy | {"phone": "+12125550142"})["id"]
        client.call("POST", "/v1/leads", json={"name": "Grace Hopper", "phone": "+12125550123"})
    [lead] = client.call("GET", "/v1/leads")["items"]
    task = {"lead_id": lead["id"], "assigned_to": users["Amy"], "due_at": "2030-01-07T09:00:00Z"}
    answer = client.session.post(f"{client.url}/v1/call-tasks", json=task, headers={"X-Correlation-ID": correlation_id})
    assert (answer.status_code, answer.headers["X-Correlation-ID"]) == (201, correlation_id)
    return str(lead["id"])


def test_the_correlation_id_of_a_request_reaches_events_messages_callbacks_and_their_log_lines(
    one: Service, twilio: TwilioStandIn, listening: ListenedTo
) -> None:
    client = one.client()
    lead_id = call_amy(client, ID)

    with worker(one, "worker") as working:
        callbacks = eventually(twilio.callbacks, "Twilio reports on the message")
        eventually(
            lambda: "delivered" in {it["parameters"]["MessageStatus"] for it in twilio.callbacks()}, "it arrives"
        )

        def activity() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = client.call("GET", f"/v1/leads/{lead_id}/activity")["items"]
            return [it for it in found if it["type"] == "call_task.assigned"]

        [event] = eventually(activity, "the event is in the activity log")
        logged = under(ID, lines(one.log, working.log))
        twilio.behave({"final_status": "undelivered", "error_code": 30003})
        call_amy(client, OTHER_ID)
        given_up = "An event is given up: it does not reach its destination (texts)."
        eventually(lambda: given_up in under(OTHER_ID, lines(one.log)), "the other message is given up")

    assert event["correlation_id"] == ID
    published = {(it.correlation_id, json.loads(it.body)["correlation_id"]) for it in listening.heard()}
    assert {(ID, ID), (OTHER_ID, OTHER_ID)} <= published
    assert callbacks[0]["url"].endswith(f"&correlation_id={ID}")
    requests = {line["route"] for line in logged["request"]}
    assert {"/v1/call-tasks", ROUTE} <= requests
    [text] = logged["A text message was handed to Twilio."]
    assert {line["component"] for line in logged["An event was published to the topic."]} == {"worker"}
    assert (text["component"], text["sid"]) == ("worker", twilio.messages()[0]["sid"])


def test_a_job_and_its_log_lines_have_the_correlation_id_of_its_request(one: Service, redis_url: str) -> None:
    client = one.client()
    client.session.headers["X-Correlation-ID"] = ID

    import_id = client.import_leads(b"Name,Phone\nGrace Hopper,+12125550101\n")

    with Redis.from_url(redis_url) as redis:
        job = Job.fetch(f"run_import-{import_id}", connection=redis, serializer=JSONSerializer)
        assert job.meta == {"correlation_id": ID, "traceparent": None}
    with worker(one, "worker") as working:
        eventually(lambda: client.lead_import(import_id)["status"] == "completed", "the import is completed")
        eventually(lambda: "The import is completed." in under(ID, lines(working.log)), "its lines have the id")
