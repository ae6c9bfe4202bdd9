"""Run requests in spans, which are named by the template of their route."""

from typing import Any

from flask import Flask, Response, request

from entrypoints.tracing import RequestTracing

ROUTE = "unite.route"
"""The key of the WSGI environment for the template of the route."""


def install(app: Flask, tracing: RequestTracing | None) -> None:
    """Have the requests of the application traced; without `tracing` nothing is installed."""
    if tracing is None:
        return
    app.wsgi_app = tracing.traced(app.wsgi_app, _route_of)  # type: ignore[method-assign]  # Flask's own way

    @app.after_request
    def leave_route(response: Response) -> Response:
        if request.url_rule is not None:
            request.environ[ROUTE] = str(request.url_rule)
        return response


def _route_of(environ: dict[str, Any]) -> str | None:
    return environ.get(ROUTE)
