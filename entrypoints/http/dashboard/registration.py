"""Register the dashboard in the application: pages, cookie authentication, headers and error pages."""

from flask import Flask, Response, request

from entrypoints.http.dashboard import lists, overview, password, sign_in, static_routes
from entrypoints.http.dashboard.error_pages import to_page
from entrypoints.http.dashboard.overview import FIGURES
from entrypoints.http.dashboard.pages import operations
from entrypoints.http.dashboard.paths import HOME
from entrypoints.http.dashboard.session import actor_of_cookie, renew_session
from entrypoints.http.dashboard.views import Figures
from entrypoints.http.framework.context import set_authenticator
from entrypoints.http.framework.operations import operation_of

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    # With no-referrer a browser would send `Origin: null` with the forms of the dashboard.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

MODULES = (sign_in, password, overview, lists, static_routes)
"""The modules that declare pages; importing them declares the pages."""


def install(app: Flask) -> None:
    """Authenticate the users of pages by their cookie, and answer errors with pages.

    This is installed before the rate limit, which needs the user.
    """

    @app.before_request
    def authenticate_by_cookie() -> None:
        operation = operation_of(request.endpoint)
        if operation is not None and operation.cookie:
            set_authenticator(actor_of_cookie)

    @app.after_request
    def convert_to_page(response: Response) -> Response:
        if request.path != HOME and not request.path.startswith(f"{HOME}/"):
            return response
        page = to_page(response)
        for name, value in _HEADERS.items():
            page.headers[name] = value
        renew_session(page)
        return page


def register(app: Flask, figures: Figures) -> None:
    """Add the pages, which show these figures, to the application."""
    app.extensions[FIGURES] = figures
    app.register_blueprint(operations)
