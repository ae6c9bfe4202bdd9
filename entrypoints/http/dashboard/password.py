"""The page that changes the user's password; users with a one-time password have to start here."""

from typing import Any

from flask import Response

from entrypoints.http.dashboard.pages import PageForm, form, page, see_other, signed_in_page
from entrypoints.http.dashboard.paths import PASSWORD, safe_next
from entrypoints.http.framework.context import actor, unite
from entrypoints.http.framework.fields import Query, Text
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import FieldError, Invalid, TooManyRequests
from unite_core.identity.model import MIN_PASSWORD_LENGTH
from unite_core.identity.use_cases import PasswordChange


class PasswordQuery(Query):
    """The query of the password page: the page to go to afterwards."""

    next = Text()


@page(PASSWORD, query=PasswordQuery, before_password_change=True)
def password_page(query: dict[str, Any]) -> Response:
    """Show the form that changes the password of the signed-in user."""
    return _password_form(safe_next(query.get("next")))


class PasswordForm(PageForm):
    """The current password, the new one twice, and the page to go to afterwards."""

    current_password = Text(load_default="")
    new_password = Text(load_default="")
    repeated_password = Text(load_default="")
    next = Text()


@form(PASSWORD, PasswordForm, before_password_change=True)
def change_password(form: dict[str, Any]) -> Response:
    """Change the password, end the user's other sessions, and redirect to the requested page."""
    next_page = safe_next(form.get("next"))
    change = PasswordChange(current_password=form["current_password"], new_password=form["new_password"])
    if form["repeated_password"] != form["new_password"]:
        detail = "The two new passwords are different. Write the same one twice."
        return _password_form(next_page, FieldError(field="repeated_password", code="different", detail=detail))
    try:
        retry_on_deadlock(lambda: unite().identity.change_password(actor(), change))
    except Invalid as error:
        return _password_form(next_page, error.problems[0])
    except TooManyRequests as error:
        problem = FieldError(field="current_password", code=error.code, detail=error.detail)
        response = _password_form(next_page, problem, status=429)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    return see_other(next_page)


def _password_form(next_page: str, problem: FieldError | None = None, status: int | None = None) -> Response:
    return signed_in_page(
        "password.html",
        status=status or (422 if problem else 200),
        next=next_page,
        problem=problem,
        min_length=MIN_PASSWORD_LENGTH,
    )
