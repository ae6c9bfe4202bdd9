"""The WSGI application of the API and the dashboard: `create_app(unite, http_config)`."""

import functools

from flask import Flask, request
from flask.globals import request_ctx
from werkzeug.exceptions import NotFound

from entrypoints.http.activity import routes as activity
from entrypoints.http.auth import routes as auth
from entrypoints.http.call_logs import routes as call_logs
from entrypoints.http.call_tasks import routes as calls
from entrypoints.http.config import HttpConfig
from entrypoints.http.dashboard import registration as dashboard
from entrypoints.http.dashboard.report_figures import ReportFigures
from entrypoints.http.dashboard.views import Figures
from entrypoints.http.deliveries import routes as deliveries
from entrypoints.http.documentation import routes as documentation
from entrypoints.http.files import routes as files
from entrypoints.http.framework import authentication_and_limits as limits
from entrypoints.http.framework import correlation, cors, errors, request_log, traces
from entrypoints.http.framework import security_headers as security
from entrypoints.http.framework.json_responses import OrjsonProvider
from entrypoints.http.framework.openapi_document import openapi_json
from entrypoints.http.framework.proxy_headers import ProxyHeaders
from entrypoints.http.framework.request_body import MAX_BODY_BYTES
from entrypoints.http.health import routes as health
from entrypoints.http.imports import results as imports_results
from entrypoints.http.imports import routes as imports
from entrypoints.http.leads import images
from entrypoints.http.leads import routes as leads
from entrypoints.http.reports import routes as reports
from entrypoints.http.server import refused_requests as server_errors
from entrypoints.http.users import routes as users
from entrypoints.http.webhooks import routes as webhooks
from unite_core.application import Unite

OPERATION_GROUPS = (
    auth.operations,
    users.operations,
    leads.operations,
    images.operations,
    calls.operations,
    call_logs.operations,
    reports.operations,
    imports.operations,
    imports_results.operations,
    activity.operations,
    deliveries.operations,
    webhooks.operations,
    health.operations,
    documentation.operations,
)
"""All parts of the API, in the order of the documentation."""


def create_app(unite: Unite, http_config: HttpConfig, figures: Figures | None = None) -> Flask:
    """Create the WSGI application for `unite`. This opens and starts nothing.

    `figures` replaces the reports as the source of the dashboard's figures.
    """
    app = Flask("unite", static_folder=None)
    app.json = OrjsonProvider(app)
    app.extensions.update(unite=unite, http_config=http_config)
    traces.install(app, http_config.tracing)
    app.wsgi_app = ProxyHeaders(app.wsgi_app, http_config.trusted_proxies)  # type: ignore[method-assign]  # Flask's own way
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES)
    # `/v1//leads` is not found. The framework would redirect it, which is a response that no operation documents.
    app.url_map.merge_slashes = False
    app.before_request(_refuse_slashes)
    # The first of these runs first before a route, and last after it.
    for convention in (request_log, correlation, server_errors, security, dashboard, limits, cors, errors):
        convention.install(app)
    groups = (*OPERATION_GROUPS, *((files.operations,) if http_config.signed_files is not None else ()))
    for operations in groups:
        app.register_blueprint(operations)
    dashboard.register(app, figures or ReportFigures(unite.reports))
    # The document is generated at its first request, and then cached.
    app.extensions["openapi"] = functools.cache(functools.partial(openapi_json, app, groups, http_config.public_url))
    return app


def _refuse_slashes() -> None:
    """Answer `//v1/leads` with 404; the framework would ignore the surplus slashes at the start of a path."""
    adapter = request_ctx.url_adapter
    if adapter is not None and adapter.path_info.startswith("//"):
        request.url_rule = None
        request.routing_exception = NotFound()
