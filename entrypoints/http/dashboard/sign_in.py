"""Signing in to the pages, and out of them."""

from typing import Any

from flask import Response

from entrypoints.http.context import actor, current_client_key, unite
from entrypoints.http.dashboard import csrf
from entrypoints.http.dashboard.links import SIGN_IN, SIGN_OUT, safe_next
from entrypoints.http.dashboard.pages import PageForm, page, see_other
from entrypoints.http.dashboard.pages import form as page_form
from entrypoints.http.dashboard.session import (
    SESSION,
    actor_of_cookie,
    remove_cookie,
    set_cookie,
    start_session,
)
from entrypoints.http.dashboard.session import SIGN_IN as SIGN_IN_COOKIE
from entrypoints.http.dashboard.templating import html
from entrypoints.http.fields import Query, Text
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import TooManyRequests, Unauthenticated
from unite_core.identity.model import Actor
from unite_core.identity.use_cases import Credentials

WRONG = "The e-mail address or the password is wrong."


class SignInQuery(Query):
    """Where to go after signing in."""

    next = Text()


@page(SIGN_IN, query=SignInQuery, public=True)
def sign_in_page(query: dict[str, Any]) -> Response:
    """The form to sign in; who is signed in is sent on."""
    next_page = safe_next(query.get("next"))
    if _signed_in() is not None:
        return see_other(next_page)
    return _sign_in_form(next_page)


class SignInForm(PageForm):
    """Who signs in, and where to go then."""

    email = Text(load_default="")
    password = Text(load_default="")
    next = Text()


@page_form(SIGN_IN, SignInForm, public=True)
def sign_in(form: dict[str, Any]) -> Response:
    """Sign in, and go on to the page that was asked for."""
    next_page, email = safe_next(form.get("next")), form["email"]
    credentials = Credentials(email=email, password=form["password"], address=current_client_key())
    try:
        cookie = retry_on_deadlock(lambda: unite().identity.log_in_with_cookie(credentials))
    except Unauthenticated:
        return _sign_in_form(next_page, email=email, problem=WRONG, status=422)
    except TooManyRequests as refused:
        response = _sign_in_form(next_page, email=email, problem=refused.detail, status=429)
        response.headers["Retry-After"] = str(refused.retry_after)
        return response
    before = _signed_in()
    if before is not None:
        unite().identity.log_out(before)
    response = see_other(next_page)
    start_session(response, cookie)
    remove_cookie(response, SIGN_IN_COOKIE)
    return response


@page_form(SIGN_OUT, PageForm, before_password_change=True)
def sign_out(form: dict[str, Any]) -> Response:  # noqa: ARG001  # every form has its fields; this one has its token alone
    """End the session, in the API too."""
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


def _signed_in() -> Actor | None:
    try:
        return actor_of_cookie()
    except Unauthenticated:
        return None
