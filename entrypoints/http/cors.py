"""Pages of other origins that may use the API from a browser (Fetch standard, "CORS protocol").

Who is who is told by access tokens and not by cookies, so that credentials are never allowed. Without origins in the
settings nothing of this is sent. Webhooks are for servers, and the dashboard is for its own pages, whose users are
known by a cookie: both take no part.
"""

from flask import Flask, Response, request

from entrypoints.http.context import http_config

ALLOWED_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

ALLOWED_HEADERS = (
    "Accept",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
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
"""As long as the most patient of the large browsers remembers one at the most."""

_NOT_SHARED = ("/webhooks/", "/dashboard")
_FILES = "/files/"


def install(app: Flask) -> None:
    """Answer preflight requests of the allowed origins, and let their pages read every answer, errors included.

    Installed behind what counts requests: a preflight request that is one too many is refused there.
    """

    @app.before_request
    def answer_preflight() -> Response | None:
        if not is_preflight():
            return None
        # Whatever the path and the method: the request that follows has its 404 or 405 where the page can read it.
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
        # A picture in a page is asked for without an Origin; everybody with its signed link may see it.
        if origin is not None or request.path.startswith(_FILES):
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response


def is_preflight() -> bool:
    """Whether the request is a browser's question if it may send another one, from a page that may."""
    return (
        request.method == "OPTIONS"
        and "Access-Control-Request-Method" in request.headers
        and not request.path.startswith(_NOT_SHARED)
        and _allowed_origin() is not None
    )


def _allowed_origin() -> str | None:
    origin = request.headers.get("Origin")
    return origin if origin in http_config().cors_origins else None
