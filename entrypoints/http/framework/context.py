"""Access to the application, the HTTP configuration and the current user from a route."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from flask import current_app, g, request

from entrypoints.correlation import set_user_id
from entrypoints.http.config import HttpConfig
from entrypoints.networks import client_address_key
from unite_core.application import Unite
from unite_core.errors import Unauthenticated
from unite_core.identity.model import Actor


def unite() -> Unite:
    """Return the application that the routes call."""
    return cast("Unite", current_app.extensions["unite"])


def http_config() -> HttpConfig:
    """Return the configuration with which the HTTP application was created."""
    return cast("HttpConfig", current_app.extensions["http_config"])


def actor() -> Actor:
    """Return the user of the request's access token, or on a page of its session cookie; checked once per request.

    Raises `Unauthenticated` without `Authorization: Bearer` (RFC 6750, 2.1) or if the token is not valid, and on a
    page without a valid cookie. The API ignores cookies, and pages ignore tokens.
    """
    known: Actor | None = g.get("actor")
    if known is None:
        authenticate: Callable[[], Actor] = g.get("authenticate", _by_access_token)
        authenticated = authenticate()
        known = g.actor = replace(authenticated, correlation_id=g.get("correlation_id"))
        set_user_id(str(known.user_id))
    return known


def set_authenticator(authenticate: Callable[[], Actor]) -> None:
    """Make `actor()` call this function in the current request instead of reading its access token."""
    g.authenticate = authenticate


def authenticated_actor() -> Actor | None:
    """Return the actor if this request has been authenticated already, otherwise None."""
    return cast("Actor | None", g.get("actor"))


def _by_access_token() -> Actor:
    return unite().identity.authenticate(bearer_token())


def current_client_key() -> str:
    """Return the key for counting a client without a user: its IPv4 address, or the /64 of its IPv6 address."""
    return client_address_key(request.remote_addr or "unknown")


def bearer_token() -> str:
    """Return the access token of the request; raise `Unauthenticated` if there is none."""
    return bearer_token_of(request.headers.get("Authorization", ""))


def bearer_token_of(authorization: str) -> str:
    """Return the access token in an Authorization header (RFC 6750, 2.1); raise `Unauthenticated` if there is none."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Log in, and send the access token as Authorization: Bearer.")
    return token
