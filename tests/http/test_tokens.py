"""Tests of forged access tokens over HTTP."""

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest

from adapters.jwt import JwtTokens
from tests.http.service import PASSWORD, Person, Service, problem
from unite_core.identity.model import Role

LATER = 4_000_000_000  # in 2096
KEYS = {"new": b"n" * 32, "old": b"o" * 32}


@pytest.fixture
def service() -> Service:
    return Service(tokens=JwtTokens(KEYS))


@pytest.fixture
def token(service: Service) -> str:
    """A good token of an agent."""
    user = service.add(Role.AGENT)
    login = service.stranger.post("/v1/auth/login", json={"email": user.email, "password": PASSWORD})
    access_token: str = login.get_json()["access_token"]
    return access_token


def status(service: Service, token: str) -> int:
    return Person(service, token=token).get("/v1/me").status_code


def part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_a_valid_token_is_accepted(service: Service, token: str) -> None:
    assert status(service, token) == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_a_token_without_a_signature_is_refused(service: Service, token: str, algorithm: str) -> None:
    body = token.split(".")[1]

    for signature in ("", token.split(".")[2]):
        forged = f"{part({'alg': algorithm, 'typ': 'JWT', 'kid': 'new'})}.{body}.{signature}"
        assert problem(Person(service, token=forged).get("/v1/me")) == (401, "invalid_token")


@pytest.mark.parametrize("kid", ["new", "old", "other", "", "../../dev/null", None, 5])
def test_a_token_signed_by_another_key_is_refused_whatever_key_it_names(service: Service, token: str, kid: Any) -> None:
    header = {"kid": kid} if isinstance(kid, str) else {}
    forged = jwt.encode(claims_of(token), b"x" * 32, algorithm="HS256", headers=header)

    assert status(service, forged) == 401


def test_a_token_signed_by_one_key_that_names_another_is_refused(service: Service, token: str) -> None:
    swapped = jwt.encode(claims_of(token), KEYS["new"], algorithm="HS256", headers={"kid": "old"})

    assert status(service, swapped) == 401


def test_keys_can_be_rotated_without_logging_anybody_out(service: Service, token: str) -> None:
    older = jwt.encode(claims_of(token), KEYS["old"], algorithm="HS256", headers={"kid": "old"})

    assert status(service, older) == 200


@pytest.mark.parametrize(
    "claims",
    [{"role": "admin"}, {"sub": "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f"}, {"exp": 99999999999}, {"aud": "elsewhere"}],
)
def test_changed_claims_are_refused(service: Service, token: str, claims: dict[str, Any]) -> None:
    header, _, signature = token.split(".")

    forged = f"{header}.{part({**claims_of(token), **claims})}.{signature}"

    assert problem(Person(service, token=forged).get("/v1/me")) == (401, "invalid_token")


@pytest.mark.parametrize(
    "claims",
    [
        {"nbf": LATER},
        {"nbf": "now"},
        {"iat": LATER, "exp": LATER + 900},
        {"exp": LATER * 10},
        {"sid": 7},
        {"sid": ["a"]},
        {"jti": {}},
        {"role": ["admin"]},
    ],
)
def test_a_token_signed_by_our_key_with_foreign_claims_is_refused(
    service: Service, token: str, claims: dict[str, Any]
) -> None:
    forged = jwt.encode({**claims_of(token), **claims}, KEYS["new"], algorithm="HS256", headers={"kid": "new"})

    assert problem(Person(service, token=forged).get("/v1/me")) == (401, "invalid_token")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_token_with_any_character_changed_is_refused(service: Service, token: str, place: int) -> None:
    parts = token.split(".")
    middle = len(parts[place]) // 2
    other = "A" if parts[place][middle] != "A" else "B"
    parts[place] = parts[place][:middle] + other + parts[place][middle + 1 :]

    assert problem(Person(service, token=".".join(parts)).get("/v1/me")) == (401, "invalid_token")


@pytest.mark.parametrize("forged", ["a.b.c", "...", "null", "x" * 10_000, "eyJhbGciOiJIUzI1NiJ9..", "é.é.é"])
def test_a_text_that_is_no_token_is_refused(service: Service, forged: str) -> None:
    assert problem(Person(service, token=forged).get("/v1/me")) == (401, "invalid_token")


def test_a_refresh_token_is_not_accepted_as_an_access_token(service: Service) -> None:
    user = service.add(Role.AGENT)
    login = service.stranger.post("/v1/auth/login", json={"email": user.email, "password": PASSWORD})

    assert status(service, login.get_json()["refresh_token"]) == 401


def test_the_current_role_of_the_user_counts(service: Service) -> None:
    admin, other = service.admin(), service.admin()

    admin.patch(f"/v1/users/{other.user.id}", json={"role": "agent"})

    assert problem(other.get("/v1/users")) == (401, "token_revoked")
    again = service.log_in(other.user)
    assert problem(
        again.post("/v1/users", json={"email": "a@unite.example", "name": "A", "role": "admin", "password": PASSWORD})
    ) == (403, "forbidden")


def test_a_token_expires_after_15_minutes(service: Service, token: str) -> None:
    service.ports.clock.advance(timedelta(minutes=15, seconds=1))

    assert problem(Person(service, token=token).get("/v1/me")) == (401, "token_expired")
