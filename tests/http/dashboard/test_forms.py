"""Tests of CSRF protection: forms are accepted only from the dashboard's own pages, each bound to its session."""

from collections.abc import Mapping

import pytest

from tests.guards.http_inputs import page_operations
from tests.http.dashboard.visitor import HOME, HOST, SIGN_IN, SIGN_OUT, Visitor, signed_in
from tests.http.service import PASSWORD, Service
from unite_core.identity.model import Role

FORMS = [operation.path for operation in page_operations(Service().app) if operation.method == "POST"]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("token", [None, "", "x", "é", "\ud800", "0" * 43])
def test_a_form_without_its_token_is_refused(service: Service, path: str, token: str | None) -> None:
    visitor = signed_in(service, service.add(Role.MANAGER))
    visitor.client.set_cookie("__Host-unite_sign_in", "n" * 43, domain="unite.example", secure=True, path="/")
    body = b"" if token is None else b"csrf_token=" + token.encode("utf-8", "surrogatepass")

    answer = visitor.client.post(
        path, base_url=HOST, data=body, content_type="application/x-www-form-urlencoded", headers={"Origin": HOST}
    )

    assert answer.status_code == (400 if token == "\ud800" else 403)
    assert answer.mimetype == "text/html"
    assert visitor.is_signed_in()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": ""},
        {"Sec-Fetch-Site": "cross-site", "Origin": HOST},
        {"Origin": "https://evil.example"},
        {"Origin": "https://unite.example.evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
    ],
)
def test_a_form_of_another_origin_is_refused_even_with_a_valid_token(
    service: Service, headers: Mapping[str, str]
) -> None:
    user = service.add(Role.MANAGER)
    visitor = signed_in(service, user)
    out = {"csrf_token": visitor.token(HOME)}
    stranger = Visitor(service)
    credentials = {"csrf_token": stranger.token(SIGN_IN), "email": user.email, "password": PASSWORD}

    refused = [
        visitor.client.post(SIGN_OUT, base_url=HOST, data=out, headers=dict(headers)),
        stranger.client.post(SIGN_IN, base_url=HOST, data=credentials, headers=dict(headers)),
    ]

    assert [answer.status_code for answer in refused] == [403, 403]
    assert "another site" in refused[0].text
    assert visitor.is_signed_in()
    assert not stranger.is_signed_in()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": HOST},
        {"Origin": "http://unite.example"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    ],
)
def test_a_form_of_the_dashboard_is_accepted_from_old_and_new_browsers(
    service: Service, headers: Mapping[str, str]
) -> None:
    visitor = signed_in(service, service.add(Role.MANAGER))
    fields = {"csrf_token": visitor.token(HOME)}

    answer = visitor.client.post(SIGN_OUT, base_url=HOST, data=fields, headers=dict(headers))

    assert answer.status_code == 303
    assert not visitor.is_signed_in()


def test_a_token_of_another_session_is_refused(service: Service) -> None:
    user = service.add(Role.MANAGER)
    mine, theirs = signed_in(service, user), signed_in(service, user)

    answer = mine.post(SIGN_OUT, {"csrf_token": theirs.token(HOME)})

    assert answer.status_code == 403
    assert mine.is_signed_in()


def test_a_sign_in_form_of_another_browser_is_refused(service: Service) -> None:
    user = service.add(Role.MANAGER)
    victim, attacker = Visitor(service), Visitor(service)
    victim.get(SIGN_IN)
    fields = {"csrf_token": attacker.token(SIGN_IN), "email": user.email, "password": PASSWORD}

    assert victim.post(SIGN_IN, fields).status_code == 403
    assert not victim.is_signed_in()


def test_a_browser_without_cookies_gets_an_explanation(service: Service) -> None:
    user = service.add(Role.MANAGER)
    token = Visitor(service).token(SIGN_IN)

    answer = Visitor(service).post(SIGN_IN, {"csrf_token": token, "email": user.email, "password": PASSWORD})

    assert answer.status_code == 403
    assert "Allow cookies" in answer.text


def test_forms_stay_valid_after_a_rotation_of_keys() -> None:
    old, new = b"o" * 32, b"n" * 32
    before = Service(cursor_secrets=(old,))
    user = before.add(Role.MANAGER)
    token = signed_in(before, user).token(HOME)
    after = Service(cursor_secrets=(new, old), **{name: getattr(before.ports, name) for name in ("work", "reads")})
    visitor = signed_in(before, user)
    token = visitor.token(HOME)
    value = visitor.cookie()
    assert value is not None
    moved = Visitor(after)
    moved.client.set_cookie("__Host-unite_session", value, domain="unite.example", secure=True, path="/")

    assert moved.post(SIGN_OUT, {"csrf_token": token}).status_code == 303


@pytest.mark.parametrize("path", FORMS)
def test_a_form_of_another_media_type_with_repeated_fields_or_too_large_is_refused(service: Service, path: str) -> None:
    visitor = signed_in(service, service.add(Role.MANAGER))
    url_encoded = "application/x-www-form-urlencoded"

    def send(body: bytes, content_type: str) -> int:
        return visitor.client.post(path, base_url=HOST, data=body, content_type=content_type).status_code

    assert send(b"{}", "application/json") == 415
    assert send(b"--x\r\n", "multipart/form-data; boundary=x") == 415
    assert send(b"csrf_token=a&csrf_token=b", url_encoded) == 400
    assert send(b"&".join(b"a%d=1" % number for number in range(30)), url_encoded) == 400
    assert send(b"a=\xff", url_encoded) == 400
    assert send(b"a=%ff", url_encoded) == 400
    assert send(b"a=" + b"x" * 20_000, url_encoded) == 413


def test_an_unknown_field_is_refused(service: Service) -> None:
    visitor = signed_in(service, service.add(Role.MANAGER))

    answer = visitor.post(SIGN_OUT, {"csrf_token": visitor.token(HOME), "everywhere": "yes"})

    assert answer.status_code == 422
    assert visitor.is_signed_in()
