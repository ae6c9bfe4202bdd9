"""What all pages have in common: who is signed in, headers, errors as pages."""

from flask import Flask, Response, request

from entrypoints.http.context import set_authenticator
from entrypoints.http.dashboard import lists, overview, password, sign_in, static_files
from entrypoints.http.dashboard.error_pages import to_page
from entrypoints.http.dashboard.links import HOME
from entrypoints.http.dashboard.overview import FIGURES
from entrypoints.http.dashboard.pages import room
from entrypoints.http.dashboard.session import actor_of_cookie, renew_session
from entrypoints.http.dashboard.views import Figures
from entrypoints.http.operations import operation_of

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    # With no-referrer a browser would send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

MODULES = (sign_in, password, overview, lists, static_files)
"""The modules that declare pages. To import them is to declare them."""


def install(app: Flask) -> None:
    """Know the users of pages by their cookie, and answer them with pages.

    Installed before what counts requests, which asks who the user is.
    """

    @app.before_request
    def know_by_cookie() -> None:
        operation = operation_of(request.endpoint)
        if operation is not None and operation.cookie:
            set_authenticator(actor_of_cookie)

    @app.after_request
    def be_a_page(response: Response) -> Response:
        if request.path != HOME and not request.path.startswith(f"{HOME}/"):
            return response
        shown = to_page(response)
        for name, value in _HEADERS.items():
            shown.headers[name] = value
        renew_session(shown)
        return shown


def register(app: Flask, figures: Figures) -> None:
    """Add the pages to the application, which show these figures."""
    app.extensions[FIGURES] = figures
    app.register_blueprint(room)
