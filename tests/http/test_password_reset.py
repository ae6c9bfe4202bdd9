"""Tests of password resets and one-time passwords over HTTP."""

import logging

import pytest

from entrypoints.http.framework.operation_docs import Operation
from tests.guards.http_inputs import api_operations
from tests.http.service import Person, Service, problem
from unite_core.identity.model import Role, User

ANY_ID = "01990f3e-9b5c-7d2e-8f3a-1b2c3d4e5f60"
NEW_PASSWORD = "staple battery horse"
OPEN = {
    ("GET", "/v1/me"),
    ("POST", "/v1/me/password"),
    ("POST", "/v1/auth/logout"),
    ("POST", "/v1/auth/logout-all"),
}
OPERATIONS = [each for each in api_operations(Service().app) if not each.public]


def reset(service: Service, user: User) -> str:
    answer = service.admin().post(f"/v1/users/{user.id}/password-reset")
    assert answer.status_code == 200
    return str(answer.get_json()["password"])


def log_in(service: Service, user: User, password: str) -> Person:
    answer = service.stranger.post("/v1/auth/login", json={"email": user.email, "password": password})
    assert answer.status_code == 200
    return Person(service, user, answer.get_json()["access_token"])


def test_a_reset_returns_a_one_time_password_that_has_to_be_changed(service: Service) -> None:
    user = service.add(Role.AGENT)
    before = service.log_in(user)

    password = reset(service, user)

    assert problem(before.get("/v1/me")) == (401, "token_revoked")
    person = log_in(service, user, password)
    assert person.get("/v1/me").get_json()["password_change_required"] is True
    assert problem(person.get("/v1/leads")) == (403, "password_change_required")
    change = {"current_password": password, "new_password": NEW_PASSWORD}
    assert person.post("/v1/me/password", json=change).status_code == 204
    assert person.get("/v1/leads").status_code == 200
    assert person.get("/v1/me").get_json()["password_change_required"] is False


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method} {each.path}")
def test_with_a_one_time_password_only_its_change_is_possible(service: Service, operation: Operation) -> None:
    user = service.add(Role.ADMIN)
    person = log_in(service, user, reset(service, user))
    path = "/".join(ANY_ID if part.startswith("<") else part for part in operation.path.split("/"))

    answer = person.send(operation.method, path)

    if (operation.method, operation.path) in OPEN:
        assert answer.status_code != 403
    else:
        assert problem(answer) == (403, "password_change_required")


def test_a_one_time_password_cannot_be_kept(service: Service) -> None:
    user = service.add(Role.AGENT)
    password = reset(service, user)

    answer = log_in(service, user, password).post(
        "/v1/me/password", json={"current_password": password, "new_password": password}
    )

    assert problem(answer) == (422, "invalid")


def test_each_reset_creates_another_password_and_ignores_idempotency_keys(service: Service) -> None:
    user, admin = service.add(Role.AGENT), service.admin()

    first, second = (
        admin.post(f"/v1/users/{user.id}/password-reset", headers={"Idempotency-Key": "k"}).get_json()["password"]
        for _ in range(2)
    )

    assert first != second
    log_in(service, user, second)


def test_a_one_time_password_is_not_logged(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    user = service.add(Role.AGENT)

    password = reset(service, user)
    log_in(service, user, password)

    assert caplog.records
    assert password not in "".join(str(vars(record)) for record in caplog.records)


def test_only_admins_reset_passwords_and_not_their_own(service: Service) -> None:
    admin, manager = service.admin(), service.manager()

    assert problem(admin.post(f"/v1/users/{admin.user.id}/password-reset")) == (403, "forbidden")
    assert problem(manager.post(f"/v1/users/{admin.user.id}/password-reset")) == (403, "forbidden")
    assert problem(admin.post(f"/v1/users/{ANY_ID}/password-reset")) == (404, "not_found")
