"""Add security headers for browsers and caches to every response."""

from flask import Flask, Response, request

from entrypoints.http.framework.context import http_config
from entrypoints.http.framework.proxy_headers import FORWARDED_SCHEME

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Responses are for one user. A route whose response may be cached sets its own header.
    "Cache-Control": "no-store",
}
_STRICT_TRANSPORT = "max-age=31536000"


def install(app: Flask) -> None:
    """Add the security headers to every response that does not set its own."""

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if is_secure():
            response.headers.setdefault("Strict-Transport-Security", _STRICT_TRANSPORT)
        return response


def is_secure() -> bool:
    """Return whether the client uses TLS, according to its proxy or else to the public URL (RFC 6797, 7.2)."""
    scheme: str | None = request.environ.get(FORWARDED_SCHEME)
    return (scheme or http_config().public_url.partition(":")[0]) == "https"
