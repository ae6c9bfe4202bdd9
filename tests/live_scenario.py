"""Scenario over a running service: users, leads and call tasks, created over HTTP."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any, TypeVar

import requests

from tests.service_process import TIMEOUT, Client, eventually

T = TypeVar("T")

TASKS = "/v1/call-tasks"
LOGS = "/v1/call-logs"
CALL = {"outcome": "connected", "duration_seconds": 300}
PASSWORD = "correct horse battery"


@dataclass
class Person:
    """A logged-in user; `user` is the JSON of the service."""

    user: dict[str, Any]
    client: Client

    @property
    def id(self) -> str:
        return str(self.user["id"])

    def post(self, path: str, body: dict[str, Any], **headers: str) -> requests.Response:
        """Send a POST request; return the answer whatever its status is."""
        return self.client.session.post(self.client.url + path, json=body, headers=headers, timeout=TIMEOUT)

    def complete(self, task_id: str, key: str | None = None, **changes: Any) -> requests.Response:
        """Complete a call task, as connected unless `changes` say otherwise."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.post(f"{TASKS}/{task_id}/complete", {**CALL, **changes}, **headers)


@dataclass
class LiveScenario:
    """The service, as the admin sees it."""

    admin: Client
    hired: int = field(default=0, init=False)

    def add_user(self, role: str, phone: str | None = None) -> Person:
        """Create a user of that role, with that phone for text messages, and log in."""
        self.hired += 1
        login = {"email": f"{role}{self.hired}@example.com", "password": PASSWORD}
        new = {**login, "name": f"The {role} {self.hired}", "role": role, "phone": phone}
        user = self.admin.call("POST", "/v1/users", json=new)
        client = Client(self.admin.url)
        pair = client.call("POST", "/v1/auth/login", json=login)
        client.session.headers["Authorization"] = f"Bearer {pair['access_token']}"
        return Person(user, client)

    def delivery(self, lead_id: str, event_type: str, destination: str, **response: object) -> dict[str, Any]:
        """Wait for the delivery of a lead's event of that type to that destination, until it has this response."""

        def finished_delivery() -> dict[str, Any] | None:
            activity = self.admin.call("GET", f"/v1/leads/{lead_id}/activity")["items"]
            for event in (it for it in activity if it["type"] == event_type):
                query = {"event_id": event["id"], "destination": destination}
                (delivery,) = self.admin.call("GET", "/v1/deliveries", params=query)["items"]
                if response.items() <= delivery["response"].items():
                    one: dict[str, Any] = delivery
                    return one
            return None

        return eventually(finished_delivery, f"{destination} answers to {event_type} with {response}")

    def lead(self, name: str, **more: Any) -> str:
        """Create a lead; return its id."""
        email = f"{name.lower().replace(' ', '.')}@example.com"
        return str(self.admin.call("POST", "/v1/leads", json={"name": name, "email": email, **more})["id"])


def call_tasks(manager: Person, agent: Person, leads: Sequence[str], **more: Any) -> list[str]:
    """Create a call task for the agent and each of the leads, due in an hour; return their ids."""
    due = {"due_at": iso_time(timedelta(hours=1)), "assigned_to": agent.id}
    return [manager.client.call("POST", TASKS, json={"lead_id": it, **due, **more})["id"] for it in leads]


def iso_time(from_now: timedelta) -> str:
    """Return that moment in the format of the API."""
    return (datetime.now(UTC) + from_now).isoformat().replace("+00:00", "Z")


def all_items(client: Client, path: str, **filters: Any) -> list[dict[str, Any]]:
    """Return all items of a list, page by page."""
    results: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        page = client.call("GET", path, params={"limit": 200, **filters, **more})
        results += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return results


def run_concurrently(acts: Sequence[Callable[[], T]]) -> list[T]:
    """Run all functions at the same moment; return their results."""
    ready = Barrier(len(acts))

    def do(act: Callable[[], T]) -> T:
        ready.wait(TIMEOUT)
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(do, acts))
