"""Tests of login, refresh, logout and password changes over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from tests.http.service import PASSWORD, Person, Service, faults, problem
from unite_core.identity.model import Role


def tokens_of(service: Service, email: str) -> dict[str, Any]:
    answer = service.stranger.post("/v1/auth/login", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200
    body: dict[str, Any] = answer.get_json()
    return body


def test_a_login_returns_a_pair_of_tokens_valid_for_15_minutes(service: Service) -> None:
    user = service.add(Role.AGENT)

    tokens = tokens_of(service, user.email)

    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 900
    assert Person(service, token=tokens["access_token"]).get("/v1/me").get_json()["id"] == str(user.id)


def test_an_unknown_address_and_a_wrong_password_get_the_same_response(service: Service) -> None:
    user = service.add(Role.AGENT)

    wrong = service.stranger.post("/v1/auth/login", json={"email": user.email, "password": "not this one"})
    unknown = service.stranger.post("/v1/auth/login", json={"email": "no@unite.example", "password": PASSWORD})

    assert problem(wrong) == problem(unknown) == (401, "invalid_credentials")
    assert wrong.get_json()["detail"] == unknown.get_json()["detail"]
    assert wrong.headers["WWW-Authenticate"] == 'Bearer realm="unite"'


def test_logins_are_limited_per_account_with_retry_after() -> None:
    service = Service(logins_per_minute=2)
    user = service.add(Role.AGENT)
    for _ in range(2):
        tokens_of(service, user.email)

    refused = service.stranger.post("/v1/auth/login", json={"email": user.email, "password": PASSWORD})

    assert problem(refused) == (429, "too_many_logins")
    assert 0 < int(refused.headers["Retry-After"]) <= 60


def test_attempts_with_a_wrong_current_password_are_limited_like_logins() -> None:
    agent = Service(logins_per_minute=2).agent()
    guess = {"current_password": "not this one", "new_password": "staple battery"}

    answers = [agent.post("/v1/me/password", json=guess) for _ in range(3)]

    assert [problem(answer) for answer in answers] == [
        (422, "wrong_password"),
        (422, "wrong_password"),
        (429, "too_many_logins"),
    ]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60


def test_a_refresh_token_can_be_used_once_and_its_reuse_ends_the_session(service: Service) -> None:
    first = tokens_of(service, service.add(Role.AGENT).email)

    second = service.stranger.post("/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
    reused = service.stranger.post("/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})

    assert second.status_code == 200
    assert problem(reused) == (401, "token_reused")
    ended = Person(service, token=second.get_json()["access_token"]).get("/v1/me")
    assert problem(ended) == (401, "token_revoked")


def test_logging_out_ends_only_the_current_session(service: Service) -> None:
    user = service.add(Role.AGENT)
    here, there = service.log_in(user), service.log_in(user)

    assert here.post("/v1/auth/logout").status_code == 204

    assert problem(here.get("/v1/me")) == (401, "token_revoked")
    assert there.get("/v1/me").status_code == 200


def test_logging_out_everywhere_ends_all_sessions(service: Service) -> None:
    user = service.add(Role.AGENT)
    here, there = service.log_in(user), service.log_in(user)

    assert here.post("/v1/auth/logout-all").status_code == 204

    assert problem(there.get("/v1/me")) == (401, "token_revoked")


def test_an_access_token_expires(service: Service) -> None:
    agent = service.agent()

    service.ports.clock.advance(timedelta(minutes=15))

    expired = agent.get("/v1/me")
    assert problem(expired) == (401, "token_expired")
    assert expired.headers["WWW-Authenticate"] == 'Bearer realm="unite", error="invalid_token"'


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token x"])
def test_a_request_without_a_bearer_token_is_401(service: Service, header: str) -> None:
    answer = service.stranger.get("/v1/me", headers={"Authorization": header})

    assert problem(answer) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="unite"'


def test_a_changed_token_is_refused(service: Service) -> None:
    token = tokens_of(service, service.add(Role.ADMIN).email)["access_token"]

    altered = Person(service, token=token[:-1] + ("0" if token[-1] != "0" else "1")).get("/v1/me")

    assert problem(altered) == (401, "invalid_token")


def test_the_name_of_the_scheme_may_be_in_lower_case(service: Service) -> None:
    token = tokens_of(service, service.add(Role.AGENT).email)["access_token"]

    assert service.stranger.get("/v1/me", headers={"Authorization": f"bearer {token}"}).status_code == 200


def test_a_password_change_needs_the_current_password_and_ends_other_sessions(service: Service) -> None:
    user = service.add(Role.AGENT)
    here, there = service.log_in(user), service.log_in(user)

    wrong = here.post("/v1/me/password", json={"current_password": "not this one", "new_password": "x" * 12})
    short = here.post("/v1/me/password", json={"current_password": PASSWORD, "new_password": "short"})
    right = here.post("/v1/me/password", json={"current_password": PASSWORD, "new_password": "staple battery"})

    assert problem(wrong) == (422, "wrong_password")
    assert faults(short) == [("/new_password", "too_short")]
    assert right.status_code == 204
    assert here.get("/v1/me").status_code == 200
    assert problem(there.get("/v1/me")) == (401, "token_revoked")


@pytest.mark.parametrize("body", [{"email": 5, "password": PASSWORD}, {"email": "a@unite.example"}, [], "text"])
def test_a_malformed_login_is_422(service: Service, body: object) -> None:
    assert problem(service.stranger.post("/v1/auth/login", json=body)) == (422, "invalid")
