"""Log one line per request: method, route, status, duration and user.

The lines never contain query values, tokens, bodies or addresses of people.
"""

import logging
import time
from http import HTTPStatus

from flask import Flask, Response, g, request

from entrypoints.correlation import correlation_id
from entrypoints.http.framework.context import authenticated_actor

HEALTH_ROUTES = ("/health/live", "/health/ready")

_log = logging.getLogger("unite.requests")


def install(app: Flask) -> None:
    """Log every request when its response is ready; the body of a stream may be sent later."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def log(response: Response) -> Response:
        actor = authenticated_actor()
        began = g.get("began")
        # Load balancers check the health every few seconds; a success is logged only at DEBUG.
        quiet = str(request.url_rule) in HEALTH_ROUTES and response.status_code < HTTPStatus.BAD_REQUEST
        _log.log(
            logging.DEBUG if quiet else logging.INFO,
            "request",
            extra={
                "method": request.method,
                # The route and not the path: unknown paths may contain anything, and the correlation id finds the ids.
                "route": str(request.url_rule) if request.url_rule is not None else None,
                "status": response.status_code,
                "ms": None if began is None else round((time.perf_counter() - began) * 1000, 2),
                "user_id": None if actor is None else str(actor.user_id),
                "correlation_id": correlation_id(),
            },
        )
        return response
