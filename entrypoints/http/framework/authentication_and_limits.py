"""Authenticate and count every request before its route runs: rate limits, and refusal of one-time passwords.

The headers are those of the IETF's draft "RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers-10):
`RateLimit-Policy: "user";q=1200;w=60` and `RateLimit: "user";r=1199;t=60`.
"""

from flask import Flask, Response, g, request

from entrypoints.http.framework import context
from entrypoints.http.framework.cors import is_preflight
from entrypoints.http.framework.operation_docs import Operation
from entrypoints.http.framework.operations import operation_of
from unite_core.errors import Forbidden, TooManyRequests, Unauthenticated
from unite_core.identity.model import Actor

WINDOW_SECONDS = 60

PASSWORD_CHANGE_REQUIRED = "password_change_required"  # noqa: S105  # an error code, not a password
"""The error code for users who have to change a one-time password first."""

PREFLIGHT_FACTOR = 10
"""The limit for preflight requests (CORS) is this many times higher: an office may share one address, and browsers send
a preflight request before nearly every request."""


def install(app: Flask) -> None:
    """Authenticate and count every request before its route runs; refuse users with a one-time password.

    Every operation that is not public needs a user. Requests for health, docs and files are not counted; requests for
    unknown paths are counted per address. Preflight requests (CORS) are counted separately, per address.
    """

    @app.before_request
    def check_limit() -> None:
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
    def add_headers(response: Response) -> Response:
        policy = g.get("rate_limit")
        if policy is not None:
            name, allowance = policy
            response.headers["RateLimit-Policy"] = f'"{name}";q={allowance.limit};w={WINDOW_SECONDS}'
            response.headers["RateLimit"] = f'"{name}";r={allowance.remaining};t={allowance.reset}'
        return response


def _require_own_password(actor: Actor, operation: Operation | None) -> None:
    """Raise `Forbidden` if the user has to change a one-time password before anything else."""
    if actor.password_change_required and (operation is None or not operation.before_password_change):
        raise Forbidden(
            "Your password is a one-time password. Change it with POST /v1/me/password, then try again.",
            code=PASSWORD_CHANGE_REQUIRED,
        )


def _count(policy: str, key: str, factor: int = 1) -> None:
    per_minute = context.http_config().requests_per_minute * factor
    if not per_minute:
        return
    allowance = context.unite().limits.hit(f"requests:{policy}:{key}", per_minute)
    g.rate_limit = (policy, allowance)
    if not allowance.allowed:
        raise TooManyRequests(
            f"At most {per_minute} requests a minute are allowed; try again in {allowance.reset} seconds.",
            retry_after=allowance.reset,
        )
