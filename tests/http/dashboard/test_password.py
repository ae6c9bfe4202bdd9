"""Tests of the page that changes the password; a one-time password redirects every page to it."""

import pytest
from werkzeug.test import TestResponse

from tests.http.dashboard.visitor import CHANGE_PASSWORD, HOME, SIGN_OUT, Visitor, signed_in
from tests.http.service import PASSWORD, Service
from unite_core.identity.model import Role, User
from unite_core.identity.use_cases import PasswordReset
from unite_core.testing.builders import an_actor

CHOSEN = "chosen by Ann alone"


@pytest.fixture
def ann(service: Service) -> User:
    """A manager with a one-time password."""
    user = service.add(Role.MANAGER, email="ann@unite.example")
    service.unite.identity.reset_password(an_actor(), PasswordReset(user_id=user.id, password=PASSWORD))
    return user


def change(
    visitor: Visitor, current: str = PASSWORD, new: str = CHOSEN, again: str | None = None, next_page: str = HOME
) -> TestResponse:
    fields = {
        "csrf_token": visitor.token(CHANGE_PASSWORD),
        "current_password": current,
        "new_password": new,
        "repeated_password": new if again is None else again,
        "next": next_page,
    }
    return visitor.post(CHANGE_PASSWORD, fields)


@pytest.mark.parametrize(
    ("asked_for", "leads_to"),
    [
        (HOME, "/dashboard/password?next=%2Fdashboard"),
        ("/dashboard/tasks?status=pending", "/dashboard/password?next=%2Fdashboard%2Ftasks%3Fstatus%3Dpending"),
    ],
)
def test_with_a_one_time_password_pages_redirect_to_the_password_page(
    service: Service, ann: User, asked_for: str, leads_to: str
) -> None:
    visitor = signed_in(service, ann)

    answer = visitor.get(asked_for)

    assert (answer.status_code, answer.headers["Location"]) == (303, leads_to)
    page = visitor.get(leads_to)
    assert page.status_code == 200
    assert "You signed in with a one-time password." in page.text
    assert "<nav" not in page.text, "every other page leads back here"


def test_a_polled_section_reloads_the_page_if_the_password_has_to_be_changed(service: Service) -> None:
    user = service.add(Role.MANAGER)
    service.unite.identity.reset_password(an_actor(), PasswordReset(user_id=user.id, password=PASSWORD))
    visitor = signed_in(service, user)

    answer = visitor.get("/dashboard/parts/imports", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.headers["HX-Refresh"], answer.text) == (403, "true", "")


def test_after_the_change_the_requested_page_opens_and_other_sessions_end(service: Service, ann: User) -> None:
    visitor, other = signed_in(service, ann), signed_in(service, ann)

    answer = change(visitor, next_page="/dashboard/leads")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard/leads")
    assert visitor.is_signed_in()
    assert not other.is_signed_in()
    assert other.get(HOME).headers["Location"].startswith("/dashboard/login?")
    assert Visitor(service).sign_in(ann, CHOSEN).status_code == 303
    assert Visitor(service).sign_in(ann).status_code == 422


@pytest.mark.parametrize("next_page", ["https://evil.example", "//evil.example", CHANGE_PASSWORD, ""])
def test_it_redirects_neither_to_another_site_nor_to_itself(service: Service, ann: User, next_page: str) -> None:
    visitor = signed_in(service, ann)

    assert change(visitor, next_page=next_page).headers["Location"] == HOME


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"current": "wrong"}, "This is not your password."),
        ({"new": "short"}, "A password has at least 12 characters."),
        ({"new": PASSWORD}, "Choose another password than the one-time one."),
        ({"again": "chosen by Ann alon"}, "The two new passwords are different. Write the same one twice."),
    ],
)
def test_errors_are_shown_above_the_form_and_nothing_changes(
    service: Service, ann: User, fields: dict[str, str], complaint: str
) -> None:
    visitor = signed_in(service, ann)

    answer = change(visitor, **fields, next_page="/dashboard/leads")

    assert answer.status_code == 422
    assert f'role="alert" id="problem">{complaint}<' in answer.text
    assert answer.text.count('aria-invalid="true" aria-describedby="problem"') == 1
    assert 'name="next" value="/dashboard/leads"' in answer.text
    assert not any(f'value="{password}"' in answer.text for password in (PASSWORD, CHOSEN))
    assert visitor.get(HOME).headers["Location"].startswith(CHANGE_PASSWORD)
    assert Visitor(service).sign_in(ann).status_code == 303


def test_attempts_with_a_wrong_password_are_limited() -> None:
    service = Service(logins_per_minute=2)
    visitor = signed_in(service, service.add(Role.AGENT))
    change(visitor, "wrong")
    change(visitor, "wrong")

    answer = change(visitor)

    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert 'role="alert"' in answer.text


def test_users_with_an_ordinary_password_can_change_it_too(service: Service) -> None:
    user = service.add(Role.AGENT)
    visitor = signed_in(service, user)

    page = visitor.get(CHANGE_PASSWORD)

    assert "one-time" not in page.text
    assert "<nav" in page.text
    assert change(visitor).status_code == 303
    assert Visitor(service).sign_in(user, CHOSEN).status_code == 303


def test_a_form_of_another_session_is_refused(service: Service, ann: User) -> None:
    other = signed_in(service, service.add(Role.MANAGER))
    visitor = signed_in(service, ann)
    fields = {"current_password": PASSWORD, "new_password": CHOSEN, "repeated_password": CHOSEN}

    answer = visitor.post(CHANGE_PASSWORD, {**fields, "csrf_token": other.token(HOME)})

    assert answer.status_code == 403
    assert Visitor(service).sign_in(ann).status_code == 303


def test_signing_out_is_possible_before_the_change(service: Service, ann: User) -> None:
    visitor = signed_in(service, ann)

    answer = visitor.post(SIGN_OUT, {"csrf_token": visitor.token(CHANGE_PASSWORD)})

    assert answer.status_code == 303
    assert visitor.cookie() is None
