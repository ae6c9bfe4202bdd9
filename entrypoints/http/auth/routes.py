"""Routes for logging in, refreshing tokens and logging out.

None of these operations takes an Idempotency-Key, and one that is sent is ignored (RFC 9110, 5.1): each attempt counts,
each refresh token works once, and no token is stored.
"""

from typing import Any

from flask import Response

from entrypoints.http.framework.context import actor, current_client_key, unite
from entrypoints.http.framework.idempotency import ResponseContent, respond
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from entrypoints.http.users.schemas import (
    TOKENS_EXAMPLE,
    CredentialsSchema,
    RefreshSchema,
    TokensSchema,
    tokens_json,
)
from unite_core.identity.model import TokenPair
from unite_core.identity.use_cases import Credentials, LogIn, LogOut, LogOutEverywhere, RefreshTokens

MAX_AUTH_BYTES = 16 * 1024
"""The limit is small because the sender is not known yet; credentials or a token need only a fraction of it."""

operations = OperationGroup(
    "auth",
    "Logging in, refreshing tokens and logging out. An Idempotency-Key is ignored here: a request that is sent again "
    "is a new request.",
)

_TOKENS = ResponseDoc(status=200, schema=TokensSchema, example=TOKENS_EXAMPLE, description="A pair of tokens.")
_ENDED = ResponseDoc(status=204, description="The tokens are no longer valid.")


@operations.operation(
    "POST",
    "/v1/auth/login",
    use_case=LogIn,
    public=True,
    takes_idempotency_key=False,
    body=CredentialsSchema,
    body_example={"email": "ada@unite.example", "password": "correct horse battery"},
    responses=[_TOKENS],
    problems=["invalid_credentials", "too_many_logins"],
    max_body=MAX_AUTH_BYTES,
)
def log_in(body: dict[str, Any]) -> Response:
    """Log in."""
    credentials = Credentials(**body, address=current_client_key())
    return _tokens(unite().identity.log_in(credentials))


@operations.operation(
    "POST",
    "/v1/auth/refresh",
    use_case=RefreshTokens,
    public=True,
    takes_idempotency_key=False,
    body=RefreshSchema,
    body_example={"refresh_token": TOKENS_EXAMPLE["refresh_token"]},
    responses=[_TOKENS],
    problems=["invalid_token", "token_reused"],
    max_body=MAX_AUTH_BYTES,
)
def refresh(body: dict[str, Any]) -> Response:
    """Refresh tokens."""
    return _tokens(unite().identity.refresh(body["refresh_token"]))


@operations.operation(
    "POST",
    "/v1/auth/logout",
    use_case=LogOut,
    responses=[_ENDED],
    takes_idempotency_key=False,
    before_password_change=True,
    max_body=MAX_AUTH_BYTES,
)
def log_out() -> Response:
    """Log out."""
    unite().identity.log_out(actor())
    return respond(ResponseContent(204))


@operations.operation(
    "POST",
    "/v1/auth/logout-all",
    use_case=LogOutEverywhere,
    responses=[_ENDED],
    takes_idempotency_key=False,
    before_password_change=True,
    max_body=MAX_AUTH_BYTES,
)
def log_out_everywhere() -> Response:
    """Log out of all sessions."""
    unite().identity.log_out_everywhere(actor())
    return respond(ResponseContent(204))


def _tokens(pair: TokenPair) -> Response:
    return respond(ResponseContent(200, tokens_json(pair)))
