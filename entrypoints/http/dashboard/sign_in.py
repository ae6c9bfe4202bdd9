"""Pages and forms for signing in to the dashboard and signing out."""

from typing import Any

from flask import Response

from entrypoints.http.dashboard import csrf
from entrypoints.http.dashboard.pages import PageForm, page, see_other
from entrypoints.http.dashboard.pages import form as page_form
from entrypoints.http.dashboard.paths import SIGN_IN, SIGN_OUT, safe_next
from entrypoints.http.dashboard.session import (
    SESSION,
    actor_of_cookie,
    remove_cookie,
    set_cookie,
    start_session,
)
from entrypoints.http.dashboard.session import SIGN_IN as SIGN_IN_COOKIE
from entrypoints.http.dashboard.templating import html
from entrypoints.http.framework.context import actor, current_client_key, unite
from entrypoints.http.framework.fields import Query, Text
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import TooManyRequests, Unauthenticated
from unite_core.identity.model import Actor
from unite_core.identity.use_cases import Credentials

WRONG = "The e-mail address or the password is wrong."


class SignInQuery(Query):
    """The query of the sign-in page: the page to go to afterwards."""

    next = Text()


@page(SIGN_IN, query=SignInQuery, public=True)
def sign_in_page(query: dict[str, Any]) -> Response:
    """Show the sign-in form, or redirect a user who is signed in."""
    next_page = safe_next(query.get("next"))
    if _signed_in_actor() is not None:
        return see_other(next_page)
    return _sign_in_form(next_page)


class SignInForm(PageForm):
    """The credentials, and the page to go to afterwards."""

    email = Text(load_default="")
    password = Text(load_default="")
    next = Text()


@page_form(SIGN_IN, SignInForm, public=True)
def sign_in(form: dict[str, Any]) -> Response:
    """Sign in, and redirect to the requested page."""
    next_page, email = safe_next(form.get("next")), form["email"]
    credentials = Credentials(email=email, password=form["password"], address=current_client_key())
    try:
        cookie = retry_on_deadlock(lambda: unite().identity.log_in_with_cookie(credentials))
    except Unauthenticated:
        return _sign_in_form(next_page, email=email, problem=WRONG, status=422)
    except TooManyRequests as error:
        response = _sign_in_form(next_page, email=email, problem=error.detail, status=429)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    previous = _signed_in_actor()
    if previous is not None:
        unite().identity.log_out(previous)
    response = see_other(next_page)
    start_session(response, cookie)
    remove_cookie(response, SIGN_IN_COOKIE)
    return response


@page_form(SIGN_OUT, PageForm, before_password_change=True)
def sign_out(form: dict[str, Any]) -> Response:  # noqa: ARG001  # every form function gets the fields; this form has only its token
    """End the session, for the API too."""
    unite().identity.log_out(actor())
    response = see_other(SIGN_IN)
    remove_cookie(response, SESSION)
    return response


def _sign_in_form(next_page: str, *, email: str = "", problem: str | None = None, status: int = 200) -> Response:
    nonce = csrf.sign_in_nonce()
    response = html(
        "sign_in.html",
        status=status,
        next=next_page,
        email=email,
        problem=problem,
        csrf_token=csrf.token_for(csrf.sign_in_binding(nonce)),
    )
    set_cookie(response, SIGN_IN_COOKIE, nonce)
    return response


def _signed_in_actor() -> Actor | None:
    try:
        return actor_of_cookie()
    except Unauthenticated:
        return None
