"""Tests of outages in the Compose stack: requests continue, and no data is lost."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.compose.stack import Stack
from tests.service_process import Client, eventually

ROWS = 20_000
LEASE_AND_MORE = 240.0
"""Seconds until another worker may take an import that one has died over, and has done the rest."""


@contextmanager
def without(stack: Stack, service: str) -> Iterator[None]:
    """Kill that server of the stack during the block, and start it again."""
    stack.kill(service)
    try:
        yield
    finally:
        stack.start(service)


def statuses(client: Client) -> dict[str, str]:
    ready = client.call("GET", "/health/ready")
    return {name: check["status"] for name, check in ready["checks"].items()} | {"all": ready["status"]}


def all_is_well(client: Client) -> bool:
    return set(statuses(client).values()) == {"ok"}


def generated() -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["Name", "Email"])
    writer.writerows([f"Lead {number}", f"lead{number}@example.com"] for number in range(ROWS))
    return buffer.getvalue().encode()


def test_requests_succeed_without_redis(stack: Stack, client: Client) -> None:
    with without(stack, "redis"):
        lead = client.call("POST", "/v1/leads", json={"name": "Without Redis", "email": "redis@example.com"})
        response = client.call("GET", f"/v1/leads/{lead['id']}")
        health = statuses(client)
        import_id = client.import_leads(b"Name,Email\nMeanwhile,meanwhile@example.com\n")
        eventually(lambda: client.lead_import(import_id)["status"] == "completed", "an import completes without Redis")

    assert response["name"] == "Without Redis"
    assert (health["redis"], health["database"], health["all"]) == (
        "degraded",
        "ok",
        "degraded",
    )
    eventually(lambda: all_is_well(client), "Redis is used again")


def test_requests_succeed_without_mongodb_and_the_activity_follows_later(stack: Stack, client: Client) -> None:
    with without(stack, "mongo"):
        lead = client.call("POST", "/v1/leads", json={"name": "Without MongoDB", "email": "mongo@example.com"})
        health = statuses(client)

    assert (health["mongodb"], health["database"], health["all"]) == (
        "degraded",
        "ok",
        "degraded",
    )
    eventually(lambda: all_is_well(client), "MongoDB is used again")

    def activity() -> Any:
        return client.call("GET", f"/v1/leads/{lead['id']}/activity")["items"]

    (event,) = eventually(activity, "what happened meanwhile is in the activity log", LEASE_AND_MORE)
    assert event["type"] == "lead.created"


def test_an_import_continues_after_docker_has_restarted_its_crashed_worker(stack: Stack, client: Client) -> None:
    import_id = client.import_leads(generated())
    eventually(lambda: client.lead_import(import_id)["counts"]["rows"] > 0, "the import has begun")

    stack.crash("worker")
    left = client.lead_import(import_id)
    eventually(
        lambda: client.lead_import(import_id)["status"] == "completed", "the same import completes", LEASE_AND_MORE
    )

    assert left["counts"]["rows"] < ROWS, "it crashed too late"
    assert stack.inspected("worker")["RestartCount"] == 1
    assert client.lead_import(import_id)["counts"] == {
        "rows": ROWS,
        "created": ROWS,
        "updated": 0,
        "duplicate": 0,
        "rejected": 0,
    }
