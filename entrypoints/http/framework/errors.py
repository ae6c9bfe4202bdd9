"""Convert errors to HTTP responses: a status per error category, and problem documents (RFC 9457)."""

import logging
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from entrypoints import error_tracking
from entrypoints.correlation import correlation_id
from entrypoints.http.framework.field_errors import count_field_errors, field_errors, shortened
from entrypoints.http.framework.json_responses import to_json
from entrypoints.http.framework.problems import (
    PROBLEMS,
    HeadTooLarge,
    MalformedParameter,
    MethodNotAllowed,
    ProblemKind,
    RequestTimeout,
    Unexpected,
    UnsupportedEncoding,
    UnsupportedMediaType,
    UriTooLong,
)
from entrypoints.http.framework.request_body import max_body, too_large_detail
from unite_core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    PreconditionFailed,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UniteError,
)
from unite_core.leads.model import DuplicateLead

PROBLEM_TYPE = "application/problem+json"

STATUSES: dict[type[UniteError], int] = {
    Malformed: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    RequestTimeout: 408,
    Conflict: 409,
    PreconditionFailed: 412,
    TooLarge: 413,
    UriTooLong: 414,
    UnsupportedMediaType: 415,
    Invalid: 422,
    TooManyRequests: 429,
    HeadTooLarge: 431,
    Unexpected: 500,
    Unavailable: 503,
}

RETRY_UNAVAILABLE_AFTER = 5
"""Seconds in `Retry-After` if a dependency did not respond."""

MAX_INSTANCE_LENGTH = 2000
"""Characters of the path in a problem document's `instance`."""

SAFE_PATH_CHARACTERS = "/:@!$&'()*+,;=~"
"""Characters that need no percent-encoding in a path, beside letters, digits and `-._` (RFC 3986, 3.3)."""

_log = logging.getLogger("unite.http")


def category_of(error: UniteError) -> type[UniteError]:
    """Return the category of the error."""
    return next((kind for kind in type(error).__mro__ if kind in STATUSES), Unexpected)


def problem_kind_of(error: UniteError) -> tuple[str, ProblemKind]:
    """Return the code under which the error is shown, and the kind of problem for that code."""
    known = PROBLEMS.get(error.code)
    category = category_of(error)
    if known is not None and issubclass(category, known.category):
        return error.code, known
    return category.code, PROBLEMS[category.code]


def problem_document(error: UniteError) -> dict[str, Any]:
    """Return the error as a problem document; as JSON it is always smaller than 64 KiB."""
    code, kind = problem_kind_of(error)
    document: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": kind.title,
        "status": STATUSES[kind.category],
        "detail": shortened(error.detail),
        "instance": _instance(),
        "code": code,
        "correlation_id": correlation_id(),
    }
    if error.problems:
        # In a request without a body only the parameters can be wrong.
        in_query = isinstance(error, MalformedParameter) or request.method in ("GET", "HEAD")
        document["errors"] = shown = field_errors(error.problems, in_query=in_query)
        if len(shown) < (total := count_field_errors(error.problems)):
            document["detail"] += f" {len(shown)} of {total:,} errors are shown."
    if isinstance(error, DuplicateLead):
        document["duplicates"] = [{"field": duplicate.field, "id": duplicate.id} for duplicate in error.duplicates]
    return document


def problem_response(error: UniteError) -> Response:
    """Return the response to a request that failed with `error`."""
    document = problem_document(error)
    response = Response(to_json(document), status=document["status"], content_type=PROBLEM_TYPE)
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, Unavailable):
        response.headers["Retry-After"] = str(RETRY_UNAVAILABLE_AFTER)
    elif isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = _challenge(document["code"])
    elif isinstance(error, RequestTimeout):
        # The server does not wait for the rest of the body (RFC 9110, 15.5.9).
        response.headers["Connection"] = "close"
    elif isinstance(error, UnsupportedEncoding):
        # RFC 9110, 15.5.16.
        response.headers["Accept-Encoding"] = "identity"
    elif isinstance(error, UnsupportedMediaType):
        response.headers["Accept"] = ", ".join(error.accepted)
    return response


def install(app: Flask) -> None:
    """Answer every error with a problem document, including the errors of the framework."""

    @app.errorhandler(UniteError)
    def handle_unite_error(error: UniteError) -> Response:
        if isinstance(error, Unavailable):
            _log.warning("unavailable", extra={"code": error.code, "detail": error.detail}, exc_info=error.__cause__)
            error_tracking.capture_outage(error)
        return problem_response(error)

    @app.errorhandler(HTTPException)
    def handle_http_exception(error: HTTPException) -> Response:
        if error.response is not None:
            return Response(status=error.response.status_code, headers=dict(error.response.headers))
        response = problem_response(_translated(error))
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def handle_unexpected(error: Exception) -> Response:
        route = None if request.url_rule is None else str(request.url_rule)
        where = {"method": request.method, "route": route, "path": shortened(request.path)}
        _log.error("unexpected error", exc_info=error, extra=where)
        return problem_response(Unexpected())


def _instance() -> str:
    """Return the path of the request as a URI reference, cut off if it is very long."""
    path = quote(shortened(request.path, MAX_INSTANCE_LENGTH), safe=SAFE_PATH_CHARACTERS)
    return path[:MAX_INSTANCE_LENGTH].rpartition("%")[0] if len(path) > MAX_INSTANCE_LENGTH else path


def _challenge(code: str) -> str:
    """Return the value of WWW-Authenticate (RFC 6750, 3); `error` is added if the request had an invalid token."""
    if code in ("invalid_token", "token_expired", "token_revoked"):
        return 'Bearer realm="unite", error="invalid_token"'
    return 'Bearer realm="unite"'


def _translated(error: HTTPException) -> UniteError:
    """Convert an error of the framework; its own texts may quote the request or name internals."""
    status = error.code or 500
    if isinstance(error, RequestEntityTooLarge):
        return TooLarge(too_large_detail(max_body()))
    if status == 404:
        return NotFound("There is nothing at this path.")
    if status == 405:
        return MethodNotAllowed("This path does not accept this method; the header Allow lists the methods it accepts.")
    if status == 415:
        return UnsupportedMediaType("The body is of a type that is not accepted here.")
    if 400 <= status < 500:
        return Malformed("The request cannot be read.")
    _log.error("unexpected error", exc_info=error)
    return Unexpected()
