"""Tests of users over HTTP."""

from typing import Any

import pytest

from tests.http.service import Service, faults, problem
from unite_core.identity.model import Role

NEW = {"email": "Ada@Unite.example", "name": "Ada", "role": "agent", "password": "correct horse battery"}


def test_an_admin_creates_a_user_who_can_log_in(service: Service) -> None:
    admin = service.admin()

    added = admin.post("/v1/users", json={**NEW, "phone": "+44 20 7946 0018"})

    assert added.status_code == 201
    assert added.headers["Location"] == f"/v1/users/{added.get_json()['id']}"
    assert added.headers["ETag"] == '"1"'
    assert added.get_json()["email"] == "ada@unite.example"
    assert added.get_json()["phone"] == "+442079460018"
    assert NEW["password"] not in added.get_data(as_text=True)
    assert added.get_json()["password_change_required"] is False
    login = service.stranger.post("/v1/auth/login", json={"email": NEW["email"], "password": NEW["password"]})
    assert login.status_code == 200


def test_two_users_cannot_have_the_same_address(service: Service) -> None:
    admin = service.admin()
    admin.post("/v1/users", json=NEW)

    assert problem(admin.post("/v1/users", json={**NEW, "email": "ada@unite.example"})) == (409, "duplicate_user")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"role": "boss"}, ("/role", "unknown_value")),
        ({"role": ["agent"]}, ("/role", "unknown_value")),
        ({"role": None}, ("/role", "null")),
        ({"email": "not an address"}, ("/email", "invalid_email")),
        ({"password": "short"}, ("/password", "too_short")),
        ({"password": "correct\nhorse battery"}, ("/password", "control_character")),
        ({"name": ""}, ("/name", "required")),
        ({"phone": 442079460018}, ("/phone", "wrong_type")),
        ({"active": True}, ("/active", "unknown_field")),
    ],
)
def test_an_invalid_user_is_refused_with_its_fields(
    service: Service, change: dict[str, Any], fault: tuple[str, str]
) -> None:
    answer = service.admin().post("/v1/users", json={**NEW, **change})

    assert problem(answer) == (422, "invalid")
    assert faults(answer) == [fault]


def test_users_are_listed_newest_first_and_filtered(service: Service) -> None:
    admin = service.admin()
    agents = [service.add(Role.AGENT) for _ in range(3)]
    admin.patch(f"/v1/users/{agents[0].id}", json={"active": False})

    listed = admin.get("/v1/users?role=agent&active=true&limit=1")
    rest = admin.get(f"/v1/users?role=agent&active=true&cursor={listed.get_json()['next_cursor']}")

    assert [each["id"] for each in listed.get_json()["items"]] == [str(agents[2].id)]
    assert [each["id"] for each in rest.get_json()["items"]] == [str(agents[1].id)]
    assert rest.get_json()["next_cursor"] is None


@pytest.mark.parametrize("query", ["role=boss", "active=1", "active=True", "active=", "name=x"])
def test_a_malformed_filter_is_400(service: Service, query: str) -> None:
    answer = service.admin().get(f"/v1/users?{query}")

    assert problem(answer) == (400, "invalid_parameter")
    assert [where for where, _ in faults(answer)] == [query.partition("=")[0]]


def test_a_merge_patch_changes_the_given_fields_and_null_clears(service: Service) -> None:
    admin = service.admin()
    user = admin.post("/v1/users", json={**NEW, "phone": "+442079460018"}).get_json()

    renamed = admin.patch(
        f"/v1/users/{user['id']}", json={"name": "Ada L."}, headers={"Content-Type": "application/merge-patch+json"}
    )
    emptied = admin.patch(f"/v1/users/{user['id']}", json={"phone": None})

    assert renamed.get_json()["phone"] == "+442079460018"
    assert emptied.get_json()["phone"] is None
    assert emptied.get_json()["name"] == "Ada L."
    assert emptied.headers["ETag"] == '"3"'


@pytest.mark.parametrize("patch", [{"active": False}, {"role": "manager"}])
def test_a_deactivation_or_a_role_change_ends_the_sessions_of_the_user(service: Service, patch: dict[str, Any]) -> None:
    admin, agent = service.admin(), service.agent()

    assert admin.patch(f"/v1/users/{agent.user.id}", json=patch).status_code == 200

    assert problem(agent.get("/v1/me")) == (401, "token_revoked")


@pytest.mark.parametrize("patch", [{"active": False}, {"role": "agent"}])
def test_the_last_active_admin_cannot_be_removed(service: Service, patch: dict[str, Any]) -> None:
    admin = service.admin()

    assert problem(admin.patch(f"/v1/users/{admin.user.id}", json=patch)) == (409, "last_admin")


@pytest.mark.parametrize(
    "patch", [{"name": None}, {"role": None}, {"active": "false"}, {"active": 1}, {"active": None}]
)
def test_a_patch_with_a_wrong_type_is_422(service: Service, patch: dict[str, Any]) -> None:
    admin = service.admin()

    answer = admin.patch(f"/v1/users/{admin.user.id}", json=patch)

    assert problem(answer) == (422, "invalid")
    assert [where for where, _ in faults(answer)] == [f"/{next(iter(patch))}"]


def test_the_roles_that_may_access_users(service: Service) -> None:
    people = {"admin": service.admin(), "manager": service.manager(), "agent": service.agent()}
    other = service.add(Role.AGENT)
    statuses = {
        role: [
            person.post("/v1/users", json={**NEW, "email": f"new-by-{role}@unite.example"}).status_code,
            person.patch(f"/v1/users/{other.id}", json={"name": "Else"}).status_code,
            person.get(f"/v1/users/{other.id}").status_code,
            len(person.get("/v1/users").get_json()["items"]) > 1,
        ]
        for role, person in people.items()
    }

    assert statuses == {
        "admin": [201, 200, 200, True],
        "manager": [403, 403, 200, True],
        "agent": [403, 404, 404, False],
    }


def test_an_agent_can_read_themselves(service: Service) -> None:
    agent = service.agent()

    assert agent.get(f"/v1/users/{agent.user.id}").get_json() == agent.get("/v1/me").get_json()
    assert [each["id"] for each in agent.get("/v1/users").get_json()["items"]] == [str(agent.user.id)]
