"""Tests of signing in to the dashboard and out: the cookie belongs to a session of the API."""

from datetime import timedelta
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.http.dashboard.visitor import HOME, SESSION, SIGN_IN, SIGN_OUT, Visitor, signed_in
from tests.http.service import PASSWORD, Person, Service, problem
from unite_core.identity.model import COOKIE_TTL, Role, User
from unite_core.identity.use_cases import Credentials
from unite_core.identity.use_cases.cookies import RENEW_AFTER


@pytest.fixture
def ann(service: Service) -> User:
    return service.add(Role.MANAGER, email="ann@unite.example")


def cookies_set_by(answer: TestResponse) -> dict[str, dict[str, str]]:
    results: dict[str, dict[str, str]] = {}
    for line in answer.headers.getlist("Set-Cookie"):
        for name, morsel in SimpleCookie(line).items():
            results[name] = {key: str(value) for key, value in morsel.items() if value}
    return results


def test_after_signing_in_the_dashboard_shows_name_and_role(service: Service, ann: User) -> None:
    page = signed_in(service, ann).get(HOME)

    assert page.status_code == 200
    assert page.mimetype == "text/html"
    assert ann.name in page.text
    assert "(manager)" in page.text


def test_the_cookie_is_host_only_secure_and_http_only(service: Service, ann: User) -> None:
    answer = Visitor(service).sign_in(ann)

    cookie = cookies_set_by(answer)[SESSION]
    assert cookie.pop("expires")
    assert cookie == {"path": "/", "secure": "True", "httponly": "True", "samesite": "Lax", "max-age": "43200"}


def test_without_tls_the_cookie_has_no_host_prefix() -> None:
    service = Service(public_url="http://127.0.0.1:8000")
    visitor = Visitor(service, host="http://127.0.0.1:8000")

    answer = visitor.sign_in(service.add(Role.AGENT))

    cookie = cookies_set_by(answer)["unite_session"]
    assert "secure" not in cookie
    assert (cookie["httponly"], cookie["samesite"]) == ("True", "Lax")
    assert visitor.is_signed_in()


def test_a_proxy_with_tls_makes_the_cookie_secure() -> None:
    service = Service(public_url="http://unite.example", trusted_proxies="127.0.0.1")
    visitor = Visitor(service, host="http://unite.example")
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.9"}

    answer = visitor.get(SIGN_IN, headers=forwarded)

    assert cookies_set_by(answer)["__Host-unite_sign_in"]["secure"] == "True"


@pytest.mark.parametrize(("email", "password"), [(None, "wrong"), ("nobody@unite.example", PASSWORD), ("", "")])
def test_a_wrong_password_and_an_unknown_address_get_the_same_response(
    service: Service, ann: User, email: str | None, password: str
) -> None:
    visitor = Visitor(service)
    fields = {
        "csrf_token": visitor.token(SIGN_IN),
        "email": ann.email if email is None else email,
        "password": password,
        "next": HOME,
    }

    answer = visitor.post(SIGN_IN, fields)

    assert answer.status_code == 422
    assert "The e-mail address or the password is wrong." in answer.text
    assert visitor.cookie() is None
    assert f'value="{password}"' not in answer.text or not password


def test_logins_to_the_dashboard_and_to_the_api_share_one_limit() -> None:
    service = Service(logins_per_minute=2)
    user = service.add(Role.AGENT)
    service.log_in(user)
    visitor = Visitor(service)
    visitor.sign_in(user, "wrong")

    answer = visitor.sign_in(user)

    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert "Too many logins" in answer.text
    assert visitor.cookie() is None


def test_signing_out_ends_the_session_of_the_api_too(service: Service, ann: User) -> None:
    visitor = signed_in(service, ann)
    value = visitor.cookie()
    assert value is not None
    session = service.unite.identity.authenticate_cookie(value).actor.session_id

    answer = visitor.sign_out()

    assert (answer.status_code, answer.headers["Location"]) == (303, SIGN_IN)
    assert visitor.cookie() is None
    with service.ports.reads() as reads:
        ended = reads.sessions.get(session) if session else None
    assert ended is not None
    assert ended.revoked_at is not None
    visitor.client.set_cookie(SESSION, value, domain="unite.example", secure=True, path="/")
    assert not visitor.is_signed_in()


def test_logging_out_everywhere_in_the_api_ends_the_session_of_the_dashboard(service: Service, ann: User) -> None:
    visitor = signed_in(service, ann)

    service.log_in(ann).post("/v1/auth/logout-all")

    assert not visitor.is_signed_in()


def test_signing_out_leaves_other_sessions_alone(service: Service, ann: User) -> None:
    api, other = service.log_in(ann), signed_in(service, ann)
    visitor = signed_in(service, ann)

    visitor.sign_out()

    assert api.get("/v1/me").status_code == 200
    assert other.is_signed_in()


def test_a_deactivation_a_role_change_and_a_new_password_end_the_session(service: Service) -> None:
    admin = service.admin()
    for change in ({"active": False}, {"role": "agent"}):
        user = service.add(Role.MANAGER)
        visitor = signed_in(service, user)
        assert admin.patch(f"/v1/users/{user.id}", json=change).status_code == 200
        assert not visitor.is_signed_in(), change
    user = service.add(Role.MANAGER)
    visitor = signed_in(service, user)
    body = {"current_password": PASSWORD, "new_password": "another horse battery"}

    assert service.log_in(user).post("/v1/me/password", json=body).status_code == 204

    assert not visitor.is_signed_in()


def test_the_api_accepts_neither_the_cookie_nor_its_value_as_a_token(service: Service, ann: User) -> None:
    visitor = signed_in(service, ann)

    assert problem(visitor.get("/v1/me")) == (401, "unauthenticated")
    assert problem(Person(service, token=visitor.cookie()).get("/v1/me")) == (401, "invalid_token")


def test_pages_accept_an_access_token_neither_in_the_header_nor_in_the_cookie(service: Service, ann: User) -> None:
    credentials = Credentials(email=ann.email, password=PASSWORD, address="192.0.2.1")
    token = service.unite.identity.log_in(credentials).access_token
    visitor = Visitor(service)

    assert visitor.get(HOME, headers={"Authorization": f"Bearer {token}"}).status_code == 303
    visitor.client.set_cookie(SESSION, token, domain="unite.example", secure=True, path="/")
    assert visitor.get(HOME).status_code == 303


def test_the_session_lasts_while_it_is_used_and_expires_otherwise(service: Service, ann: User) -> None:
    visitor = signed_in(service, ann)
    first = visitor.cookie()
    service.ports.clock.advance(RENEW_AFTER)

    visitor.get("/dashboard/leads")

    assert visitor.cookie() != first
    service.ports.clock.advance(COOKIE_TTL - timedelta(seconds=1))
    assert visitor.is_signed_in()
    service.ports.clock.advance(COOKIE_TTL)
    assert not visitor.is_signed_in()


def test_concurrent_renewals_of_several_tabs_all_succeed(service: Service, ann: User) -> None:
    visitor = signed_in(service, ann)
    service.ports.clock.advance(RENEW_AFTER)
    value = visitor.cookie()
    assert value is not None
    tabs = [Visitor(service), Visitor(service)]
    for tab in tabs:
        tab.client.set_cookie(SESSION, value, domain="unite.example", secure=True, path="/")

    renewed = {tab.get(HOME).status_code and tab.cookie() for tab in tabs}

    assert len(renewed - {value}) == 2
    assert all(tab.is_signed_in() for tab in (*tabs, visitor))


def test_polling_does_not_renew_the_session(service: Service, ann: User) -> None:
    visitor = signed_in(service, ann)
    first = visitor.cookie()
    service.ports.clock.advance(RENEW_AFTER)

    answer = visitor.get("/dashboard/parts/imports", headers={"HX-Request": "true"})

    assert answer.status_code == 200
    assert visitor.cookie() == first


@pytest.mark.parametrize("path", [HOME, "/dashboard/leads?status=new&q=a%26b", "/dashboard/calls"])
def test_a_page_without_a_session_redirects_to_the_sign_in_and_back(service: Service, ann: User, path: str) -> None:
    visitor = Visitor(service)

    sent = visitor.get(path)

    assert sent.status_code == 303
    target = urlsplit(sent.headers["Location"])
    assert target.path == SIGN_IN
    [next_page] = parse_qs(target.query)["next"]
    assert next_page == path
    assert visitor.sign_in(ann, next_page=next_page).headers["Location"] == path


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/dashboard\\@evil.example",
        "/dashboard.evil.example",
        "/dashboard@evil.example",
        "/dashboard//evil.example",
        "/dashboard/..//evil.example",
        "/dashboard/\r\nSet-Cookie: a=b",
        "/dashboard/\tx",
        "javascript:alert(1)",
        "/v1/leads",
        "/dashboard/logout",
        "/dashboard/login?next=/dashboard",
        "/dashboard/é",
        "",
        "/dashboard/" + "x" * 5000,
    ],
)
def test_signing_in_never_redirects_to_another_site(service: Service, ann: User, elsewhere: str) -> None:
    visitor = Visitor(service)

    page = visitor.get(SIGN_IN, query_string={"next": elsewhere})
    answer = visitor.sign_in(ann, next_page=elsewhere)

    assert 'name="next" value="/dashboard"' in page.text
    assert (answer.status_code, answer.headers["Location"]) == (303, HOME)


def test_a_signed_in_user_is_redirected_from_the_sign_in_page(service: Service, ann: User) -> None:
    answer = signed_in(service, ann).get(f"{SIGN_IN}?next=/dashboard/leads")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard/leads")


def test_signing_in_again_ends_the_previous_session(service: Service, ann: User) -> None:
    other = service.add(Role.AGENT)
    visitor = Visitor(service)
    token = visitor.token(SIGN_IN)
    nonce = visitor.cookie("__Host-unite_sign_in")
    assert nonce is not None
    visitor.sign_in(ann)
    first = visitor.cookie()
    assert first is not None

    # In another tab the form was open all the time.
    visitor.client.set_cookie("__Host-unite_sign_in", nonce, domain="unite.example", secure=True, path="/")
    visitor.post(SIGN_IN, {"csrf_token": token, "email": other.email, "password": PASSWORD})

    assert "(agent)" in visitor.get(HOME).text
    tab = Visitor(service)
    tab.client.set_cookie(SESSION, first, domain="unite.example", secure=True, path="/")
    assert not tab.is_signed_in()


def test_a_polled_section_reloads_the_page_after_the_session_has_ended(service: Service) -> None:
    answer = Visitor(service).get("/dashboard/parts/imports", headers={"HX-Request": "true"})

    assert answer.status_code == 401
    assert answer.headers["HX-Refresh"] == "true"


def test_signing_out_without_a_session_redirects_to_the_sign_in(service: Service) -> None:
    answer = Visitor(service).post(SIGN_OUT, {"csrf_token": "x"})

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(SIGN_IN)
