"""Tests of what all operations share: unknown paths and methods, correlation ids, headers, errors and logs."""

import json
import logging
import re
from typing import Any

import pytest

from tests.http.service import PASSWORD, Service, problem
from unite_core.errors import Unavailable
from unite_core.identity.model import Role


class Broken:
    """A port whose every use fails with `error`."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def hit(self, *_: object) -> object:
        raise self._error

    peek = hit


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v1/leads/", "/v1//leads", "/V1/leads", "/%00"])
def test_an_unknown_path_is_a_problem_document(service: Service, path: str) -> None:
    answer = service.stranger.get(path, base_url="http://localhost")

    assert problem(answer) == (404, "not_found")


@pytest.mark.parametrize("path", ["//v1/leads", "///v1/leads", "//health/live", "//"])
def test_a_path_with_two_leading_slashes_is_unknown(service: Service, path: str) -> None:
    # As a URL, the client would take what follows for a host.
    answer = service.manager().get("/", environ_overrides={"PATH_INFO": path})

    assert problem(answer) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/leads", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", "/v1/me", {"GET", "HEAD", "OPTIONS", "PATCH"}),
        ("GET", "/v1/auth/login", {"OPTIONS", "POST"}),
        ("TRACE", "/health/live", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_an_unsupported_method_is_405_with_the_supported_ones(
    service: Service, method: str, path: str, allowed: set[str]
) -> None:
    answer = service.stranger.send(method, path)

    assert problem(answer) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed


def test_options_returns_the_methods_without_a_token(service: Service) -> None:
    answer = service.stranger.send("OPTIONS", "/v1/leads")

    assert answer.status_code == 200
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_head_returns_the_headers_of_get(service: Service) -> None:
    admin = service.admin()

    head, get = admin.send("HEAD", "/v1/me"), admin.get("/v1/me")

    assert head.get_data() == b""
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert head.headers["ETag"] == get.headers["ETag"]
    assert problem_free(service.stranger.send("HEAD", "/v1/me")) == 401


def problem_free(answer: Any) -> int:
    assert answer.get_data() == b""
    return int(answer.status_code)


@pytest.mark.parametrize("given", ["12345678", "A.b_c-12", "x" * 128])
def test_a_valid_correlation_id_is_used(service: Service, given: str) -> None:
    answer = service.stranger.get("/v1/me", headers={"X-Correlation-ID": given})

    assert answer.headers["X-Correlation-ID"] == given
    assert answer.get_json()["correlation_id"] == given


@pytest.mark.parametrize("given", ["", "1234567", "x" * 129, "has blanks", "<script>", "ümlaut-12"])
def test_an_invalid_correlation_id_is_replaced(service: Service, given: str) -> None:
    answer = service.stranger.get("/health/live", headers={"X-Correlation-ID": given})

    assert answer.headers["X-Correlation-ID"] != given
    assert re.fullmatch("[0-9a-f-]{36}", answer.headers["X-Correlation-ID"])


def test_every_response_has_security_headers(service: Service) -> None:
    for path in ("/v1/me", "/nothing", "/health/live", "/docs", "/openapi.json"):
        headers = service.stranger.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Strict-Transport-Security"].startswith("max-age=")


def test_strict_transport_security_is_set_for_an_https_public_url() -> None:
    plain = Service(public_url="http://127.0.0.1:8000")

    assert "Strict-Transport-Security" not in plain.stranger.get("/health/live").headers


def test_an_internal_error_shows_no_details_and_is_logged_with_its_correlation_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = Service(requests_per_minute=9, limits=Broken(RuntimeError("SELECT secret FROM users")))

    answer = service.stranger.get("/v1/me")

    assert problem(answer) == (500, "internal_error")
    assert "secret" not in answer.get_data(as_text=True)
    assert "RuntimeError" not in answer.get_data(as_text=True)
    [logged] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert logged.exc_info is not None
    assert "SELECT secret" in str(logged.exc_info[1])


def test_an_unavailable_dependency_is_503_with_retry_after() -> None:
    service = Service(requests_per_minute=9, limits=Broken(Unavailable("The counter does not answer.")))

    answer = service.stranger.get("/v1/me")

    assert problem(answer) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_each_request_is_one_log_line_without_personal_data(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    user = service.add(Role.AGENT, email="grace@unite.example")
    agent = service.log_in(user)
    caplog.set_level(logging.INFO, logger="unite.requests")

    agent.get("/v1/leads?q=hopper&limit=7", headers={"X-Correlation-ID": "correlation-1"})
    service.stranger.post("/v1/auth/login", json={"email": user.email, "password": PASSWORD})

    listed, login = [line for line in caplog.records if line.name == "unite.requests"]
    logged = {name: getattr(listed, name) for name in ("method", "route", "status", "user_id", "correlation_id")}
    assert logged == {
        "method": "GET",
        "route": "/v1/leads",
        "status": 200,
        "user_id": str(user.id),
        "correlation_id": "correlation-1",
    }
    assert 0 <= listed.__dict__["ms"] < 60_000
    everything = json.dumps([line.__dict__ for line in (listed, login)], default=str)
    for private in ("hopper", "limit", user.email, PASSWORD, "Bearer"):
        assert private not in everything
