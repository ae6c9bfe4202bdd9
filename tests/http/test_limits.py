"""Tests of rate limits over HTTP and their headers."""

from datetime import timedelta

import pytest

from tests.http.service import Person, Service, problem


@pytest.fixture
def limited() -> Service:
    return Service(requests_per_minute=5)


def test_each_response_has_the_policy_and_the_remaining_requests(limited: Service) -> None:
    agent = limited.agent()

    first, second = agent.get("/v1/me"), agent.get("/v1/leads")

    assert first.headers["RateLimit-Policy"] == '"user";q=5;w=60'
    assert first.headers["RateLimit"] == '"user";r=4;t=60'
    assert second.headers["RateLimit"] == '"user";r=3;t=60'


def test_a_user_over_the_limit_gets_retry_after_and_others_are_not_affected(limited: Service) -> None:
    agent, other = limited.agent(), limited.agent()
    for _ in range(5):
        assert agent.get("/v1/me").status_code == 200

    limited.ports.clock.advance(timedelta(seconds=20))
    refused = agent.get("/v1/me")

    assert problem(refused) == (429, "too_many_requests")
    assert refused.headers["Retry-After"] == "40"
    assert refused.headers["RateLimit"] == '"user";r=0;t=40'
    assert other.get("/v1/me").status_code == 200
    limited.ports.clock.advance(timedelta(seconds=40))
    assert agent.get("/v1/me").status_code == 200


@pytest.mark.parametrize("path", ["/v1/me", "/nothing", "/v1/leads/"])
def test_an_unauthenticated_client_is_counted_by_address(limited: Service, path: str) -> None:
    for _ in range(5):
        assert limited.stranger.get(path).status_code in (401, 404)

    refused = limited.stranger.get(path)

    assert problem(refused) == (429, "too_many_requests")
    assert refused.headers["RateLimit-Policy"] == '"address";q=5;w=60'
    elsewhere = limited.stranger.get(path, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code in (401, 404)


def test_an_invalid_token_is_counted_by_address(limited: Service) -> None:
    forger = Person(limited, token="forged.token")

    assert forger.get("/v1/me").headers["RateLimit"] == '"address";r=4;t=60'


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/docs", "/openapi.json", "/problems/invalid"])
def test_health_and_docs_are_not_counted(limited: Service, path: str) -> None:
    for _ in range(7):
        answer = limited.stranger.get(path)
        assert answer.status_code == 200
        assert "RateLimit" not in answer.headers


def test_with_a_limit_of_0_nothing_is_counted(service: Service) -> None:
    assert "RateLimit" not in service.agent().get("/v1/me").headers
