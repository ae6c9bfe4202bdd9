"""Headers that tell browsers and caches how little they may do with an answer."""

from flask import Flask, Response, request

from entrypoints.http.clients import FORWARDED_SCHEME
from entrypoints.http.context import http_config

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Answers are for the one who asked. A route that knows better says so itself.
    "Cache-Control": "no-store",
}
_STRICT_TRANSPORT = "max-age=31536000"


def install(app: Flask) -> None:
    """Send these headers with every answer that does not bring its own."""

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if is_secure():
            response.headers.setdefault("Strict-Transport-Security", _STRICT_TRANSPORT)
        return response


def is_secure() -> bool:
    """Whether the client speaks TLS: as its proxy says, or else as the public URL does (RFC 6797, 7.2)."""
    scheme: str | None = request.environ.get(FORWARDED_SCHEME)
    return (scheme or http_config().public_url.partition(":")[0]) == "https"
