"""What a route can reach: the application, the door, and whoever is asking."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from flask import current_app, g, request

from entrypoints.http.config import HttpConfig
from entrypoints.networks import client_address_key
from unite_core.application import Unite
from unite_core.errors import Unauthenticated
from unite_core.identity.model import Actor


def unite() -> Unite:
    """The application that the routes call."""
    return cast("Unite", current_app.extensions["unite"])


def http_config() -> HttpConfig:
    """What the door was told when it was made."""
    return cast("HttpConfig", current_app.extensions["http_config"])


def actor() -> Actor:
    """Whoever the request's access token belongs to, or on a page its session cookie; asked once per request.

    Raises `Unauthenticated` where there is no `Authorization: Bearer` (RFC 6750, 2.1), or its token is not good; the
    same for a page without a good cookie. No cookie counts where a token is expected, and no token on a page.
    """
    known: Actor | None = g.get("actor")
    if known is None:
        authenticate: Callable[[], Actor] = g.get("authenticate", _by_access_token)
        authenticated = authenticate()
        known = g.actor = replace(authenticated, correlation_id=g.get("correlation_id"))
    return known


def set_authenticator(authenticate: Callable[[], Actor]) -> None:
    """Have `actor()` ask this function in the current request, in place of its access token."""
    g.authenticate = authenticate


def authenticated_actor() -> Actor | None:
    """The actor as far as somebody has asked for one in this request."""
    return cast("Actor | None", g.get("actor"))


def _by_access_token() -> Actor:
    return unite().identity.authenticate(bearer_token())


def current_client_key() -> str:
    """What the client is counted by where it has no user: its IPv4 address, or the /64 of its IPv6 address."""
    return client_address_key(request.remote_addr or "unknown")


def bearer_token() -> str:
    """The access token of the request; raises `Unauthenticated` where there is none."""
    return bearer_token_of(request.headers.get("Authorization", ""))


def bearer_token_of(authorization: str) -> str:
    """The access token in a header Authorization (RFC 6750, 2.1); raises `Unauthenticated` where there is none."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Log in, and send the access token as Authorization: Bearer.")
    return token
