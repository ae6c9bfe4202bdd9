"""The session of somebody who uses the pages: a cookie that the API does not take, and that scripts cannot read."""

from flask import Response, g, request

from entrypoints.http.context import actor, unite
from entrypoints.http.security import is_secure
from unite_core.errors import Unauthenticated
from unite_core.identity.model import Actor, User
from unite_core.identity.use_cases import SessionCookie

SESSION = "unite_session"
SIGN_IN = "unite_sign_in"
"""Holds a random value while nobody is signed in, which the form of the sign-in is bound to."""

SAME_SITE = "Lax"
"""With Strict, a link to a page from an e-mail or a chat would lead to the sign-in of somebody who is signed in. What
changes something is a POST in any case, which Lax does not send from other sites."""

PART_HEADER = "HX-Request"
"""What htmx sends with its requests for parts of a page."""

_HOST_ONLY = "__Host-"
"""Browsers take such a cookie only over TLS, for this host alone and for all paths (RFC 6265bis, 4.1.3.2)."""


def cookie_value(name: str) -> str | None:
    """The value of a cookie of ours; None where the browser sent none."""
    return request.cookies.get(_full_name(name)) or None


def set_cookie(response: Response, name: str, value: str, *, max_age: int | None = None) -> None:
    """Have the browser keep a cookie, for `max_age` seconds or until it is closed."""
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
    """Have the browser forget a cookie."""
    response.delete_cookie(_full_name(name), secure=is_secure(), httponly=True, samesite=SAME_SITE, path="/")


def start_session(response: Response, cookie: SessionCookie) -> None:
    """Have the browser hold the session."""
    set_cookie(response, SESSION, cookie.value, max_age=cookie.max_age)


def actor_of_cookie() -> Actor:
    """The actor of the session cookie of the request; raises `Unauthenticated`.

    Where the cookie is to be renewed, `renew_session` sends the new one with the response.
    """
    value = cookie_value(SESSION)
    if value is None:
        raise Unauthenticated("Sign in to see this page.")
    session = unite().identity.authenticate_cookie(value)
    g.renewed_cookie, g.signed_in_user = session.renewed, session.user
    return session.actor


def signed_in_user() -> User:
    """The user of the session cookie of the request; raises `Unauthenticated`."""
    actor()
    user: User = g.signed_in_user
    return user


def renew_session(response: Response) -> None:
    """Set the renewed cookie, if there is one and the response sets no session of its own.

    A page that asks for its parts by itself does not renew the session: only what people do keeps it alive.
    """
    if PART_HEADER in request.headers:
        return
    renewed: SessionCookie | None = g.get("renewed_cookie")
    name = f"{_full_name(SESSION)}="
    if renewed is not None and not any(it.startswith(name) for it in response.headers.getlist("Set-Cookie")):
        start_session(response, renewed)


def _full_name(name: str) -> str:
    return f"{_HOST_ONLY}{name}" if is_secure() else name
