"""CORS headers and preflight responses for the allowed origins (Fetch standard, "CORS protocol").

The API authenticates by access tokens and not by cookies, so credentials are never allowed. Without origins in the
settings no CORS header is sent. Webhooks are for servers, and the dashboard is for its own pages, which authenticate by
a cookie: both are excluded.
"""

from flask import Flask, Response, request

from entrypoints.http.framework.context import http_config

ALLOWED_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

ALLOWED_HEADERS = (
    "Accept",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Traceparent",
    "Tracestate",
    "X-Correlation-ID",
)

EXPOSED_HEADERS = (
    "Accept",
    "Allow",
    "Content-Disposition",
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Correlation-ID",
)

PREFLIGHT_MAX_AGE_SECONDS = 7200
"""The highest value that one of the large browsers respects."""

_NOT_SHARED = ("/webhooks/", "/dashboard")
_FILES = "/files/"


def install(app: Flask) -> None:
    """Answer preflight requests of the allowed origins, and let their pages read every response, errors included.

    This is installed after the rate limit, which counts and refuses preflight requests too.
    """

    @app.before_request
    def answer_preflight() -> Response | None:
        if not is_preflight():
            return None
        # Path and method are not checked: the page can read the 404 or 405 of the request that follows.
        response = Response(status=204)
        del response.headers["Content-Type"]
        response.headers["Access-Control-Allow-Methods"] = ", ".join(ALLOWED_METHODS)
        response.headers["Access-Control-Allow-Headers"] = ", ".join(ALLOWED_HEADERS)
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_MAX_AGE_SECONDS)
        return response

    @app.after_request
    def allow_reading(response: Response) -> Response:
        if not http_config().cors_origins or request.path.startswith(_NOT_SHARED):
            return response
        response.vary.add("Origin")
        origin = _allowed_origin()
        if origin is not None:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = ", ".join(EXPOSED_HEADERS)
        # Browsers request an <img> without an Origin; everybody with the signed link may see the picture.
        if origin is not None or request.path.startswith(_FILES):
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response


def is_preflight() -> bool:
    """Return whether the request is a CORS preflight request from an allowed origin."""
    return (
        request.method == "OPTIONS"
        and "Access-Control-Request-Method" in request.headers
        and not request.path.startswith(_NOT_SHARED)
        and _allowed_origin() is not None
    )


def _allowed_origin() -> str | None:
    origin = request.headers.get("Origin")
    return origin if origin in http_config().cors_origins else None
