"""Session cookies of the dashboard: set, read, renew and remove; the API does not accept them."""

from flask import Response, g, request

from entrypoints.http.framework.context import actor, unite
from entrypoints.http.framework.security_headers import is_secure
from unite_core.errors import Unauthenticated
from unite_core.identity.model import Actor, User
from unite_core.identity.use_cases import SessionCookie

SESSION = "unite_session"
SIGN_IN = "unite_sign_in"
"""The cookie with the random value to which the sign-in form is bound."""

SAME_SITE = "Lax"
"""With Strict, a link in an e-mail or a chat would show the sign-in to users who are signed in. All changes are POST
requests, with which Lax sends no cookies from other sites."""

PART_HEADER = "HX-Request"
"""The header of htmx in its requests for parts of a page."""

_HOST_ONLY = "__Host-"
"""Browsers accept a cookie with this prefix only over TLS, for one host and all paths (RFC 6265bis, 4.1.3.2)."""


def cookie_value(name: str) -> str | None:
    """Return the value of a cookie of the dashboard, or None."""
    return request.cookies.get(_full_name(name)) or None


def set_cookie(response: Response, name: str, value: str, *, max_age: int | None = None) -> None:
    """Set a cookie for `max_age` seconds, or until the browser is closed."""
    response.set_cookie(
        _full_name(name),
        value,
        max_age=max_age,
        secure=is_secure(),
        httponly=True,
        samesite=SAME_SITE,
        path="/",
    )


def remove_cookie(response: Response, name: str) -> None:
    """Remove a cookie from the browser."""
    response.delete_cookie(_full_name(name), secure=is_secure(), httponly=True, samesite=SAME_SITE, path="/")


def start_session(response: Response, cookie: SessionCookie) -> None:
    """Set the session cookie."""
    set_cookie(response, SESSION, cookie.value, max_age=cookie.max_age)


def actor_of_cookie() -> Actor:
    """Return the actor of the request's session cookie; raise `Unauthenticated`.

    If the cookie has to be renewed, `renew_session` sends the new one with the response.
    """
    value = cookie_value(SESSION)
    if value is None:
        raise Unauthenticated("Sign in to see this page.")
    session = unite().identity.authenticate_cookie(value)
    g.renewed_cookie, g.signed_in_user = session.renewed, session.user
    return session.actor


def signed_in_user() -> User:
    """Return the user of the request's session cookie; raise `Unauthenticated`."""
    actor()
    user: User = g.signed_in_user
    return user


def renew_session(response: Response) -> None:
    """Set the renewed cookie if there is one, unless the response sets a session itself.

    Requests that a page makes by itself do not renew the session; only actions of the user do.
    """
    if PART_HEADER in request.headers:
        return
    renewed: SessionCookie | None = g.get("renewed_cookie")
    name = f"{_full_name(SESSION)}="
    if renewed is not None and not any(header.startswith(name) for header in response.headers.getlist("Set-Cookie")):
        start_session(response, renewed)


def _full_name(name: str) -> str:
    return f"{_HOST_ONLY}{name}" if is_secure() else name
