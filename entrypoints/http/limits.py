"""How many requests a minute: per user, and per network address for whoever is not logged in.

The headers are those of the IETF's draft "RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers-10):
`RateLimit-Policy: "user";q=1200;w=60` and `RateLimit: "user";r=1199;t=60`.
"""

from flask import Flask, Response, g, request

from entrypoints.http import context
from entrypoints.http.cors import is_preflight
from entrypoints.http.openapi import Operation
from entrypoints.http.operations import operation_of
from unite_core.errors import Forbidden, TooManyRequests, Unauthenticated
from unite_core.identity.model import Actor

WINDOW_SECONDS = 60

PASSWORD_CHANGE_REQUIRED = "password_change_required"  # noqa: S105  # a code, no password
"""The code of the refusal that a user with a one-time password gets."""

PREFLIGHT_FACTOR = 10
"""An address may send so many times as many preflight requests (CORS): a whole office may share it, and browsers ask
before nearly every request."""


def install(app: Flask) -> None:
    """Authenticate and count every request before its route runs; a one-time password has to be changed first.

    Every operation but the public ones needs a user. Health, docs and files are not counted; a path that
    does not exist is, per address. Preflight requests (CORS) are counted apart, per address.
    """

    @app.before_request
    def admit() -> None:
        if is_preflight():
            _count("preflight", context.current_client_key(), PREFLIGHT_FACTOR)
            return
        operation = operation_of(request.endpoint)
        if request.method == "OPTIONS" or (operation is not None and not operation.limited):
            if operation is not None and not operation.public and request.method != "OPTIONS":
                _require_own_password(context.actor(), operation)
            return
        if request.endpoint is None or (operation is not None and operation.public):
            _count("address", context.current_client_key())
            return
        try:
            actor = context.actor()
        except Unauthenticated:
            _count("address", context.current_client_key())
            raise
        _count("user", str(actor.user_id))
        _require_own_password(actor, operation)

    @app.after_request
    def tell(response: Response) -> Response:
        policy = g.get("rate_limit")
        if policy is not None:
            name, allowance = policy
            response.headers["RateLimit-Policy"] = f'"{name}";q={allowance.limit};w={WINDOW_SECONDS}'
            response.headers["RateLimit"] = f'"{name}";r={allowance.remaining};t={allowance.reset}'
        return response


def _require_own_password(actor: Actor, operation: Operation | None) -> None:
    """Raise `Forbidden` where the user has to change a one-time password before anything else."""
    if actor.password_change_required and (operation is None or not operation.before_password_change):
        raise Forbidden(
            "Your password is a one-time password. Change it by POST /v1/me/password, then go on.",
            code=PASSWORD_CHANGE_REQUIRED,
        )


def _count(policy: str, who: str, factor: int = 1) -> None:
    per_minute = context.http_config().requests_per_minute * factor
    if not per_minute:
        return
    allowance = context.unite().limits.hit(f"requests:{policy}:{who}", per_minute)
    g.rate_limit = (policy, allowance)
    if not allowance.allowed:
        raise TooManyRequests(
            f"At most {per_minute} requests a minute are taken; go on in {allowance.reset} seconds.",
            retry_after=allowance.reset,
        )
