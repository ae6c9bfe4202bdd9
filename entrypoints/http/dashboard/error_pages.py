"""Convert problem documents to error pages or redirects for paths of the dashboard."""

from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, request

from entrypoints.http.dashboard.pages import see_other
from entrypoints.http.dashboard.paths import HOME, PASSWORD, SIGN_IN, safe_next
from entrypoints.http.dashboard.session import PART_HEADER
from entrypoints.http.dashboard.templating import HTML, environment
from entrypoints.http.framework.authentication_and_limits import PASSWORD_CHANGE_REQUIRED
from entrypoints.http.framework.errors import PROBLEM_TYPE

_SAFE_METHODS = ("GET", "HEAD")


def to_page(response: Response) -> Response:
    """Return the response, with a problem document replaced by an error page.

    A 401 is replaced by a redirect to the sign-in, and `password_change_required` by one to the password page.
    """
    if response.mimetype != PROBLEM_TYPE:
        return response
    if response.status_code == 401:
        return _redirect(SIGN_IN, response)
    problem: dict[str, Any] = response.get_json()
    if problem["code"] == PASSWORD_CHANGE_REQUIRED:
        return _redirect(PASSWORD, response)
    response.set_data(environment().get_template("error.html").render(problem=problem))
    response.content_type = HTML
    return response


def _redirect(path: str, response: Response) -> Response:
    """Return a redirect to the page, with a link back to the current one."""
    if PART_HEADER in request.headers:
        # A part of a page cannot show a form in place of the page, so the whole page is reloaded and redirects.
        part = Response(status=response.status_code, headers={"HX-Refresh": "true"}, content_type=HTML)
        if "WWW-Authenticate" in response.headers:
            part.headers["WWW-Authenticate"] = response.headers["WWW-Authenticate"]
        return part
    return see_other(f"{path}?{urlencode({'next': safe_next(_current_page())})}")


def _current_page() -> str:
    """Return the path and the query of the request; for a form the dashboard, which can be opened again."""
    if request.method not in _SAFE_METHODS:
        return HOME
    query = request.query_string.decode("latin-1")
    return quote(request.path) + (f"?{query}" if query else "")
