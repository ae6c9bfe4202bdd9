"""In-memory scenario for calls over HTTP: a manager, two agents, and a lead assigned to one of them."""

from typing import Any

from werkzeug.test import TestResponse

from tests.http.service import Person, Service
from unite_core.identity.model import Role

TASKS = "/v1/call-tasks"
LOGS = "/v1/call-logs"
DUE = "2026-03-02T15:00:00Z"
CALL = {"outcome": "connected", "duration_seconds": 300}


class HttpCallScenario:
    """The service with its users Mo, Amy and Ben; Amy has a phone, and the lead Grace is assigned to her."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.admin = service.admin()
        self.mo = service.manager()
        self.amy = service.log_in(service.add(Role.AGENT, phone="+12125550142"))
        self.ben = service.agent()
        self.grace = self.lead("Grace Hopper", "+12125550123", assigned_to=id_of(self.amy))

    def lead(self, name: str, phone: str, **more: Any) -> str:
        """Add a lead; return its id."""
        answer = self.mo.post("/v1/leads", json={"name": name, "phone": phone, **more})
        assert answer.status_code == 201, answer.get_json()
        return str(answer.get_json()["id"])

    def task(self, **changes: Any) -> dict[str, Any]:
        """Create a call task to Grace for Amy."""
        answer = self.mo.post(TASKS, json={"lead_id": self.grace, "due_at": DUE, **changes})
        assert answer.status_code == 201, answer.get_json()
        told: dict[str, Any] = answer.get_json()
        return told

    def completed(self, **changes: Any) -> dict[str, Any]:
        """Create a call task, and complete it as Amy."""
        answer = complete(self.amy, self.task()["id"], **changes)
        assert answer.status_code == 200, answer.get_json()
        told: dict[str, Any] = answer.get_json()
        return told


def id_of(person: Person) -> str:
    """Return the id of the user."""
    return str(person.user.id)


def complete(person: Person, task_id: str, **changes: Any) -> TestResponse:
    """Complete a call task, as connected unless `changes` say otherwise."""
    headers = changes.pop("headers", None)
    return person.post(f"{TASKS}/{task_id}/complete", json={**CALL, **changes}, headers=headers)


def items(answer: TestResponse) -> list[dict[str, Any]]:
    """Return the items of a page."""
    assert answer.status_code == 200, answer.get_json()
    found: list[dict[str, Any]] = answer.get_json()["items"]
    return found


def ids(answer: TestResponse) -> list[str]:
    """Return the ids of the items of a page, in their order."""
    return [each["id"] for each in items(answer)]
