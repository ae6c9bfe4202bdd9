"""Tests of the activity of leads and imports over HTTP."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.http.service import Person, Service, problem
from unite_core.errors import Unavailable
from unite_core.events import Event
from unite_core.identity.model import Role
from unite_core.notifications.ports import EventFilter
from unite_core.paging import Page, PageRequest
from unite_core.testing.builders import an_event, an_id, an_import
from unite_core.testing.contracts.database import add_all
from unite_core.testing.in_memory import A_MONDAY_MORNING, InMemoryActivityLog

ANY = "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f"
SECOND = timedelta(seconds=1)


@pytest.fixture
def manager(service: Service) -> Person:
    return service.manager()


@pytest.fixture
def lead_id(manager: Person) -> UUID:
    return UUID(manager.post("/v1/leads", json={"name": "Grace", "phone": "+12125550123"}).get_json()["id"])


@pytest.fixture
def import_id(service: Service) -> UUID:
    coming = an_import(service.add(Role.MANAGER))
    add_all(service.ports.work, coming)
    return coming.id


def of_lead(lead_id: UUID | str) -> str:
    return f"/v1/leads/{lead_id}/activity"


def of_import(import_id: UUID | str) -> str:
    return f"/v1/lead-imports/{import_id}/activity"


def test_an_event_has_all_of_its_fields(service: Service, manager: Person, lead_id: UUID) -> None:
    event = an_event(
        type="lead.changed",
        at=A_MONDAY_MORNING + timedelta(microseconds=123456),
        actor_id=an_id(),
        correlation_id="a-correlation-id",
        import_id=an_id(),
        lead_ids=(lead_id, an_id()),
        data={"status": {"from": "new", "to": "contacted"}, "a.b": [None]},
    )
    service.ports.activity.deliver([event, an_event()])

    answer = manager.get(of_lead(lead_id))

    assert (answer.status_code, answer.get_json()["next_cursor"]) == (200, None)
    assert answer.get_json()["items"] == [
        {
            "id": str(event.id),
            "type": "lead.changed",
            "at": "2026-03-02T09:00:00.123456Z",
            "actor_id": str(event.actor_id),
            "correlation_id": "a-correlation-id",
            "import_id": str(event.import_id),
            "delivery_id": None,
            "data": {"status": {"from": "new", "to": "contacted"}, "a.b": [None]},
        }
    ]


def test_missing_values_of_an_event_are_null(service: Service, manager: Person, lead_id: UUID) -> None:
    service.ports.activity.deliver([Event(id=an_id(), type="lead.deleted", at=A_MONDAY_MORNING, lead_ids=(lead_id,))])

    [shown] = manager.get(of_lead(lead_id)).get_json()["items"]

    unknown = ("actor_id", "correlation_id", "import_id", "delivery_id")
    assert ([shown[name] for name in unknown], shown["data"]) == ([None] * 4, {})


def test_the_activity_of_a_lead_is_paginated_newest_first(service: Service, manager: Person, lead_id: UUID) -> None:
    events = [
        an_event(lead_ids=(lead_id,), at=A_MONDAY_MORNING + number * SECOND, type=f"{number}") for number in (0, 1, 2)
    ]
    service.ports.activity.deliver(events)

    first = manager.get(f"{of_lead(lead_id)}?limit=2")
    service.ports.activity.deliver([an_event(lead_ids=(lead_id,), at=A_MONDAY_MORNING + 9 * SECOND)])
    second = manager.get(first.headers["Link"].removeprefix("<").removesuffix('>; rel="next"'))

    assert [each["type"] for each in first.get_json()["items"]] == ["2", "1"]
    assert [each["type"] for each in second.get_json()["items"]] == ["0"]
    assert (second.get_json()["next_cursor"], second.headers.get("Link")) == (None, None)


def test_agents_see_the_activity_of_leads_assigned_to_them(service: Service, manager: Person, lead_id: UUID) -> None:
    agent, other = service.agent(), service.agent()
    service.ports.activity.deliver([an_event(lead_ids=(lead_id,))])

    assert problem(agent.get(of_lead(lead_id))) == (404, "not_found")
    manager.patch(f"/v1/leads/{lead_id}", json={"assigned_to": str(agent.user.id)})

    assert len(agent.get(of_lead(lead_id)).get_json()["items"]) == 1
    assert problem(other.get(of_lead(lead_id))) == (404, "not_found")


def test_the_activity_of_a_deleted_lead_is_not_found(service: Service, manager: Person, lead_id: UUID) -> None:
    service.ports.activity.deliver([an_event(lead_ids=(lead_id,))])
    manager.delete(f"/v1/leads/{lead_id}")

    assert problem(manager.get(of_lead(lead_id))) == (404, "not_found")


def test_the_activity_of_an_import_is_paginated(service: Service, manager: Person, import_id: UUID) -> None:
    begun = an_event(type="import.started", lead_ids=(), import_id=import_id)
    ended = an_event(type="import.finished", lead_ids=(), import_id=import_id, at=A_MONDAY_MORNING + SECOND)
    service.ports.activity.deliver([begun, an_event(import_id=import_id), ended])

    first = manager.get(f"{of_import(import_id)}?limit=1")
    second = manager.get(f"{of_import(import_id)}?limit=1&cursor={first.get_json()['next_cursor']}")

    assert [each["type"] for each in first.get_json()["items"]] == ["import.finished"]
    assert [each["type"] for each in second.get_json()["items"]] == ["import.started"]
    assert {each["import_id"] for each in second.get_json()["items"]} == {str(import_id)}
    assert second.get_json()["next_cursor"] is None


def test_agents_cannot_see_the_activity_of_imports(service: Service, import_id: UUID) -> None:
    assert problem(service.agent().get(of_import(import_id))) == (403, "forbidden")


@pytest.mark.parametrize("path", [of_lead(ANY), of_import(ANY), of_lead("17"), of_import("17")])
def test_the_activity_of_an_unknown_resource_is_not_found(manager: Person, path: str) -> None:
    assert problem(manager.get(path)) == (404, "not_found")


def test_unauthenticated_clients_get_no_activity(service: Service, lead_id: UUID, import_id: UUID) -> None:
    for path in (of_lead(lead_id), of_import(import_id)):
        assert problem(service.stranger.get(path)) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("query", "code"),
    [("limit=0", "invalid_parameter"), ("type=lead.created", "invalid_parameter"), ("cursor=x", "invalid_cursor")],
)
def test_a_malformed_query_is_refused(manager: Person, lead_id: UUID, query: str, code: str) -> None:
    assert problem(manager.get(f"{of_lead(lead_id)}?{query}")) == (400, code)


class LogThatIsAway(InMemoryActivityLog):
    def of_lead(self, lead_id: UUID, request: PageRequest, visible: EventFilter | None = None) -> Page[Event]:  # noqa: ARG002 - it reads nothing
        raise Unavailable("The log is away.")


def test_during_an_outage_of_the_activity_log_only_its_own_operations_fail() -> None:
    service = Service(activity=LogThatIsAway())
    manager = service.manager()
    lead = manager.post("/v1/leads", json={"name": "Grace", "phone": "+12125550123"}).get_json()

    assert problem(manager.get(of_lead(lead["id"]))) == (503, "unavailable")
    assert manager.patch(f"/v1/leads/{lead['id']}", json={"name": "Grace Hopper"}).status_code == 200
    assert manager.get(f"/v1/leads/{lead['id']}").get_json()["name"] == "Grace Hopper"
