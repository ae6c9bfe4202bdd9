"""Tests of deliveries over HTTP: list, replay and activity."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.http.service import Person, Service, problem
from unite_core.events import Event
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import Destination
from unite_core.notifications.subscriptions import Subscription


class Refusing(Destination):
    """A destination that refuses every event until a test changes that."""

    subscription = Subscription(name="picky")

    def __init__(self) -> None:
        self.taken: list[UUID] = []
        self.refuses = True

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:  # noqa: ARG002 - it refuses, or goes by ids
        if self.refuses:
            return [Receipt(accepted=False, refused=True, response={"status": 400})] * len(events)
        self.taken += [event.id for event in events]
        return [Receipt(accepted=True, response={"message_id": "0c"})] * len(events)


@pytest.fixture
def picky() -> Refusing:
    return Refusing()


@pytest.fixture
def service(picky: Refusing) -> Service:
    """Return an in-memory service whose events go to the activity log and to a refusing destination."""
    return Service(destinations=(picky,))


def create_lead(person: Person) -> None:
    assert person.post("/v1/leads", json={"name": "Grace", "phone": "(212) 555-0123"}).status_code == 201


def listed(person: Person, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = person.get(f"/v1/deliveries{query}").get_json()["items"]
    return items


def test_a_delivery_shows_its_status(service: Service) -> None:
    admin = service.admin()
    create_lead(admin)

    waiting = {each["destination"]: each for each in listed(admin)}
    service.ports.jobs.run_all(service.unite)
    by_destination = {each["destination"]: each for each in listed(admin)}

    at = "2026-03-02T09:00:00Z"
    event_id = waiting["activity"]["event_id"]
    new = {"status": "pending", "attempts": 0, "next_attempt_at": at, "delivered_at": None, "response": {}}
    assert waiting == {
        name: {"id": waiting[name]["id"], "event_id": event_id, "destination": name, "created_at": at} | new
        for name in ("activity", "picky")
    }
    arrived = {"status": "delivered", "attempts": 1, "next_attempt_at": None, "delivered_at": at}
    assert by_destination["activity"] == waiting["activity"] | arrived
    dead = {"status": "dead", "attempts": 1, "next_attempt_at": None, "response": {"status": 400}}
    assert by_destination["picky"] == waiting["picky"] | dead


def test_deliveries_are_filtered_and_paginated(service: Service) -> None:
    admin = service.admin()
    create_lead(admin)
    first = listed(admin)[0]["event_id"]
    service.ports.jobs.run_all(service.unite)
    admin.post("/v1/leads", json={"name": "Ada", "email": "ada@example.com"})

    def matches_of(query: str) -> list[tuple[str, str]]:
        return sorted((each["destination"], each["status"]) for each in listed(admin, query))

    assert matches_of("?status=dead") == [("picky", "dead")]
    # What the one who refuses has answered is told to the activity log too.
    assert matches_of("?destination=activity") == [
        ("activity", "delivered"),
        ("activity", "delivered"),
        ("activity", "pending"),
    ]
    assert matches_of(f"?event_id={first}") == [("activity", "delivered"), ("picky", "dead")]
    assert matches_of("?destination=nobody") == []
    page = admin.get("/v1/deliveries?limit=3").get_json()
    rest = listed(admin, f"?cursor={page['next_cursor']}")
    assert [*page["items"], *rest] == listed(admin)


@pytest.mark.parametrize("query", ["?status=lost", "?event_id=1", "?type=lead.created"])
def test_a_malformed_filter_is_400(service: Service, query: str) -> None:
    assert problem(service.admin().get(f"/v1/deliveries{query}")) == (400, "invalid_parameter")


def test_a_replayed_dead_letter_is_delivered(service: Service, picky: Refusing) -> None:
    admin = service.admin()
    create_lead(admin)
    service.ports.jobs.run_all(service.unite)
    (dead,) = listed(admin, "?status=dead")
    picky.refuses = False

    answer = admin.post(f"/v1/deliveries/{dead['id']}/replay")

    pending = {"status": "pending", "next_attempt_at": "2026-03-02T09:00:00Z"}
    assert (answer.status_code, answer.get_json()) == (200, dead | pending)
    assert service.ports.jobs.relays == 1
    service.ports.jobs.run_all(service.unite)
    (arrived,) = listed(admin, "?destination=picky")
    assert (arrived["status"], arrived["attempts"], arrived["response"]) == ("delivered", 2, {"message_id": "0c"})
    assert picky.taken == [UUID(dead["event_id"])]


def test_only_dead_letters_can_be_replayed(service: Service) -> None:
    admin = service.admin()
    create_lead(admin)
    (waiting,) = listed(admin, "?destination=activity")

    assert problem(admin.post(f"/v1/deliveries/{waiting['id']}/replay")) == (409, "not_dead")
    assert service.ports.jobs.relays == 0


def test_a_repeated_replay_with_its_key_is_performed_once(service: Service) -> None:
    admin = service.admin()
    create_lead(admin)
    service.ports.jobs.run_all(service.unite)
    (dead,) = listed(admin, "?status=dead")
    path, key = f"/v1/deliveries/{dead['id']}/replay", {"Idempotency-Key": "once"}

    first, again = (admin.post(path, headers=key) for _ in range(2))

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert service.ports.jobs.relays == 1


def test_the_roles_that_may_access_deliveries(service: Service) -> None:
    admin = service.admin()
    create_lead(admin)
    service.ports.jobs.run_all(service.unite)
    (dead,) = listed(admin, "?status=dead")
    path = f"/v1/deliveries/{dead['id']}/replay"
    people = {"agent": service.agent(), "manager": service.manager(), "admin": admin}

    statuses = {
        role: (person.get("/v1/deliveries").status_code, person.post(path).status_code)
        for role, person in people.items()
    }

    assert statuses == {"agent": (403, 403), "manager": (200, 403), "admin": (200, 200)}
    assert problem(admin.post("/v1/deliveries/01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f/replay")) == (404, "not_found")


def test_the_activity_of_a_delivery_is_paginated_newest_first(service: Service, picky: Refusing) -> None:
    admin, manager = service.admin(), service.manager()
    create_lead(admin)
    service.ports.jobs.run_all(service.unite)
    (dead,) = listed(admin, "?status=dead")
    picky.refuses = False
    service.ports.clock.advance(timedelta(minutes=1))
    admin.post(f"/v1/deliveries/{dead['id']}/replay")
    service.ports.jobs.run_all(service.unite)
    service.ports.jobs.run_all(service.unite)

    first = manager.get(f"/v1/deliveries/{dead['id']}/activity?limit=1")
    second = manager.get(first.headers["Link"].removeprefix("<https://unite.example").removesuffix('>; rel="next"'))

    items = [*first.get_json()["items"], *second.get_json()["items"]]
    assert [(each["type"], each["data"]["attempt"], each["data"]["status"]) for each in items] == [
        ("delivery.answered", 2, "delivered"),
        ("delivery.answered", 1, "dead"),
    ]
    assert {each["delivery_id"] for each in items} == {dead["id"]}
    assert second.get_json()["next_cursor"] is None


def test_the_roles_that_may_read_the_activity_of_a_delivery(service: Service) -> None:
    admin = service.admin()
    create_lead(admin)
    path = f"/v1/deliveries/{listed(admin)[0]['id']}/activity"

    assert admin.get(path).get_json() == {"items": [], "next_cursor": None}
    assert problem(service.agent().get(path)) == (403, "forbidden")
    assert problem(service.stranger.get(path)) == (401, "unauthenticated")
    unknown = "/v1/deliveries/01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f/activity"
    assert problem(service.manager().get(unknown)) == (404, "not_found")


def test_an_event_without_a_recipient_is_skipped_and_can_be_replayed() -> None:
    service = Service()
    admin, agent = service.admin(), service.agent()
    lead = admin.post("/v1/leads", json={"name": "Grace", "phone": "(212) 555-0123"}).get_json()
    new = {"lead_id": lead["id"], "due_at": "2026-03-02T15:00:00Z", "assigned_to": str(agent.user.id)}
    assert admin.post("/v1/call-tasks", json=new).status_code == 201
    service.ports.jobs.run_all(service.unite)

    (skipped,) = listed(admin, "?status=skipped")

    assert (skipped["destination"], skipped["response"]) == ("texts", {"reason": "no_phone"})
    replayed = admin.post(f"/v1/deliveries/{skipped['id']}/replay")
    assert (replayed.status_code, replayed.get_json()["status"]) == (200, "pending")
