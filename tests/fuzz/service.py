"""In-memory service for fuzz targets, reset before each input, so that inputs do not depend on each other."""

import re
from functools import cache
from typing import Any
from uuid import UUID

from werkzeug.test import TestResponse

from entrypoints.http.framework.fields import MAX_ERRORS
from tests.http.service import Person, Service
from unite_core.testing.in_memory import InMemoryUnitOfWorkFactory, Store

LEAD = {"name": "Ada Lovelace", "phone": "+12125550100", "email": "ada@example.com"}
MAX_PROBLEM_BYTES = 64 * 1024


class FuzzedDoor:
    """The HTTP application with a manager, a lead, a call task and an import."""

    def __init__(self) -> None:
        self._store = Store()
        service = Service(
            work=InMemoryUnitOfWorkFactory(self._store),
            reads=InMemoryUnitOfWorkFactory(self._store, writes=False),
            verify_text_signature=lambda *_: True,
        )
        self.people: tuple[Person, ...] = (service.manager(), service.admin(), service.agent(), service.stranger)
        self.routes: tuple[tuple[str, str], ...] = tuple(
            sorted(
                (method, str(rule))
                for rule in service.app.url_map.iter_rules()
                for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
            )
        )
        manager = self.people[0]
        lead = manager.post("/v1/leads", json=LEAD).get_json()["id"]
        due = "2030-01-01T09:00:00Z"
        task = manager.post(
            "/v1/call-tasks", json={"lead_id": lead, "assigned_to": str(manager.user.id), "due_at": due}
        )
        announced = manager.post("/v1/lead-imports", json={"filename": "leads.csv", "size": 40})
        image = manager.post(f"/v1/leads/{lead}/images", json={"content_type": "image/png", "size": 100})
        self.ids: dict[str, str] = {
            "lead_id": lead,
            "task_id": task.get_json()["id"],
            "import_id": announced.get_json()["id"],
            "image_id": image.get_json()["id"],
            "user_id": str(manager.user.id),
        }
        self._committed = self._store._committed

    def path(self, rule: str) -> str:
        """Return the path of a URL rule, with ids of existing objects."""
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda part: self.ids.get(part[1], str(UUID(int=1))), rule)

    def ask(self, person: Person, method: str, path: str, **request: Any) -> TestResponse:
        """Send a request to the service in its initial state; check that the answer is documented and not a 500."""
        self._store._committed = self._committed
        answer = person.send(method, path, **request)
        assert answer.status_code < 500, answer.get_data()
        if answer.mimetype == "application/problem+json" and method != "HEAD":
            assert len(answer.get_data()) < MAX_PROBLEM_BYTES
            assert len(answer.get_json().get("errors", [])) <= MAX_ERRORS
        return answer


@cache
def fuzzed_service() -> FuzzedDoor:
    """Return the service that all targets share."""
    return FuzzedDoor()
