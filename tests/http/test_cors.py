"""Tests of CORS: responses to allowed and to other origins."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug import Response
from werkzeug.test import TestResponse

from adapters.local.files import LocalFiles
from entrypoints.http.framework.cors import ALLOWED_HEADERS, ALLOWED_METHODS, EXPOSED_HEADERS
from tests.http.service import PUBLIC_URL, Person, Service, problem
from unite_core.testing.in_memory import FixedClock

APP = "https://app.example.com"
DEV = "http://localhost:5173"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 92
OTHERS = [
    "https://evil.example",
    "https://app.example.com.evil.example",
    "https://evilapp.example.com",
    "https://app.example.com:8443",
    "http://app.example.com",
    "https://app.example.com/",
    "HTTPS://app.example.com",
    f"{APP},https://evil.example",
    f"{APP} https://evil.example",
    "null",
    "*",
    "",
]


@pytest.fixture
def service() -> Service:
    return Service(cors_origins=(APP, DEV))


def preflight(service: Service, path: str, *, origin: str = APP, method: str = "POST", **rest: Any) -> TestResponse:
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return service.stranger.send("OPTIONS", path, headers=headers, **rest)


def allowed(answer: Response, origin: str = APP) -> bool:
    """Whether a browser lets a page of the origin read the answer."""
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    if "Access-Control-Allow-Origin" not in answer.headers:
        assert not [name for name in dict(answer.headers) if name.startswith("Access-Control-")]
        return False
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert set(answer.headers["Access-Control-Expose-Headers"].split(", ")) == set(EXPOSED_HEADERS)
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    return True


@pytest.mark.parametrize("origin", [APP, DEV])
def test_a_preflight_response_lists_methods_and_headers(service: Service, origin: str) -> None:
    answer = preflight(service, "/v1/leads", origin=origin)

    assert answer.status_code == 204
    assert answer.get_data() == b""
    assert allowed(answer, origin)
    assert set(answer.headers["Access-Control-Allow-Methods"].split(", ")) == set(ALLOWED_METHODS)
    assert {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} == set(ALLOWED_METHODS)
    assert set(answer.headers["Access-Control-Allow-Headers"].split(", ")) == set(ALLOWED_HEADERS)
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


def test_every_documented_header_is_allowed_and_exposed(service: Service) -> None:
    document = service.stranger.get("/openapi.json").get_json()

    sent = {each["name"] for each in document["components"]["parameters"].values() if each["in"] == "header"}
    read = set(document["components"]["headers"])

    assert sent <= set(ALLOWED_HEADERS)
    assert read - {"Connection", "Accept-Encoding"} <= set(EXPOSED_HEADERS)


def test_every_operation_is_accessible_from_a_page(service: Service) -> None:
    for rule in service.app.url_map.iter_rules():
        path = rule.rule.replace("<uuid:", "").replace("<path:", "").replace("<", "").replace(">", "")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            asked = preflight(service, path, method=method)
            answered = service.stranger.send(method, path, headers={"Origin": APP})
            if path.startswith(("/webhooks/", "/dashboard")):
                assert not [name for name in (*dict(asked.headers), *dict(answered.headers)) if "Access-" in name]
                continue
            assert (asked.status_code, allowed(asked), allowed(answered)) == (204, True, True), (method, path)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/me", 401),
        ("GET", "/nothing", 404),
        ("PUT", "/v1/leads", 405),
        ("POST", "/v1/auth/login", 400),
        ("GET", "/health/live", 200),
        ("GET", "/docs", 200),
    ],
)
def test_errors_and_pages_are_readable_too(service: Service, method: str, path: str, status: int) -> None:
    answer = service.stranger.send(method, path, headers={"Origin": APP})

    assert answer.status_code == status
    assert allowed(answer)


def test_a_preflight_for_an_unknown_path_succeeds_so_that_its_error_is_readable(service: Service) -> None:
    assert preflight(service, "/nothing").status_code == 204
    assert preflight(service, "/v1/leads", method="TRACE").status_code == 204


class Broken:
    def hit(self, *_: object) -> object:
        raise RuntimeError("a mistake of ours")

    peek = hit


def test_an_internal_error_is_readable() -> None:
    broken = Service(cors_origins=(APP,), requests_per_minute=9, limits=Broken())

    answer = broken.stranger.get("/v1/me", headers={"Origin": APP})

    assert answer.status_code == 500
    assert allowed(answer)


@pytest.mark.parametrize("origin", OTHERS)
def test_pages_of_other_origins_get_no_cors_headers(service: Service, origin: str) -> None:
    asked = preflight(service, "/v1/leads", origin=origin)
    answered = service.stranger.get("/v1/me", headers={"Origin": origin})

    assert asked.status_code == 200  # as any other OPTIONS
    assert not allowed(asked)
    assert not allowed(answered)
    assert answered.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_response_without_an_origin_varies_by_origin_too(service: Service) -> None:
    assert not allowed(service.stranger.get("/health/live"))


def test_without_the_setting_there_are_no_cors_headers() -> None:
    plain = Service()

    for answer in (preflight(plain, "/v1/leads"), plain.stranger.get("/v1/me", headers={"Origin": APP})):
        assert not [name for name in dict(answer.headers) if name.startswith("Access-Control-")]
        assert "Origin" not in answer.headers.get("Vary", "")
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert preflight(plain, "/v1/leads").status_code == 200
    assert "POST" in preflight(plain, "/v1/leads").headers["Allow"]


@pytest.mark.parametrize("path", ["/webhooks/twilio/status", "/webhooks/twilio/inbound"])
def test_webhooks_have_no_cors_headers(service: Service, path: str) -> None:
    for answer in (preflight(service, path), service.stranger.post(path, headers={"Origin": APP})):
        assert not [name for name in dict(answer.headers) if name.startswith("Access-Control-")]


def test_options_without_a_preflight_is_unchanged(service: Service) -> None:
    answer = service.stranger.send("OPTIONS", "/v1/leads", headers={"Origin": APP})

    assert answer.status_code == 200
    assert "POST" in answer.headers["Allow"]
    assert allowed(answer)


def test_a_page_can_upload_and_show_a_picture_by_signed_links(tmp_path: Path) -> None:
    clock = FixedClock()
    files = LocalFiles(tmp_path, public_url=PUBLIC_URL, secrets_by_kid={"a": b"s" * 32}, clock=clock)
    service = Service(cors_origins=(APP,), files=files, clock=clock)
    manager = service.manager()
    lead = manager.post("/v1/leads", json={"name": "Grace", "phone": "+12125550123"}).headers["Location"]
    announced = manager.post(f"{lead}/images", json={"content_type": "image/png", "size": len(PNG)}).get_json()
    upload = path_of(announced["upload"]["url"])

    asked = preflight(service, upload, method="PUT")
    sent = service.stranger.send("PUT", upload, data=PNG, headers={"Origin": APP, **announced["upload"]["headers"]})
    manager.post(f"{lead}/images/{announced['id']}/complete")
    [image] = manager.get(f"{lead}/images").get_json()["items"]
    with service.stranger.get(path_of(image["download_url"]), headers={"Origin": APP}) as fetched:
        assert fetched.get_data() == PNG
    with service.stranger.get(path_of(image["download_url"])) as shown:
        assert shown.get_data() == PNG

    assert (asked.status_code, sent.status_code, fetched.status_code) == (204, 204, 200)
    assert allowed(asked)
    assert allowed(sent)
    assert allowed(fetched)
    # An <img> of a page sends no Origin, and is kept from what is for the same origin alone.
    assert shown.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def test_preflight_requests_have_their_own_limit() -> None:
    service = Service(cors_origins=(APP,), requests_per_minute=2)
    for _ in range(20):
        assert preflight(service, "/v1/me", method="GET").status_code == 204

    refused = preflight(service, "/v1/me", method="GET")
    answer = service.stranger.get("/v1/me", headers={"Origin": APP})

    assert problem(refused) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    assert allowed(refused)
    assert answer.status_code == 401
    assert preflight(service, "/v1/me", environ_overrides={"REMOTE_ADDR": "192.0.2.7"}).status_code == 204


def test_the_rate_limit_headers_are_exposed() -> None:
    limited = Service(cors_origins=(APP,), requests_per_minute=1)
    limited.stranger.get("/v1/me")

    refused = Person(limited).get("/v1/me", headers={"Origin": APP})

    assert refused.status_code == 429
    assert allowed(refused)
    assert "Retry-After" in refused.headers["Access-Control-Expose-Headers"]
