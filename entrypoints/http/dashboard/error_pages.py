"""Errors as pages: whatever goes wrong at a path of the dashboard is a problem document first, and then drawn."""

from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, request

from entrypoints.http.dashboard.links import HOME, PASSWORD, SIGN_IN, safe_next
from entrypoints.http.dashboard.pages import see_other
from entrypoints.http.dashboard.session import PART_HEADER
from entrypoints.http.dashboard.templating import HTML, environment
from entrypoints.http.errors import PROBLEM_TYPE
from entrypoints.http.limits import PASSWORD_CHANGE_REQUIRED

_SAFE_METHODS = ("GET", "HEAD")


def to_page(response: Response) -> Response:
    """The response, or in place of a problem document a page.

    In place of a 401 comes the way to the sign-in, and where a one-time password is in the way, the page to change it.
    """
    if response.mimetype != PROBLEM_TYPE:
        return response
    if response.status_code == 401:
        return _to(SIGN_IN, response)
    problem: dict[str, Any] = response.get_json()
    if problem["code"] == PASSWORD_CHANGE_REQUIRED:
        return _to(PASSWORD, response)
    response.set_data(environment().get_template("error.html").render(problem=problem))
    response.content_type = HTML
    return response


def _to(path: str, response: Response) -> Response:
    """The way to that page, which leads back here."""
    if PART_HEADER in request.headers:
        # A part of a page cannot show a form in place of the page: the whole page is loaded anew, and leads there.
        part = Response(status=response.status_code, headers={"HX-Refresh": "true"}, content_type=HTML)
        if "WWW-Authenticate" in response.headers:
            part.headers["WWW-Authenticate"] = response.headers["WWW-Authenticate"]
        return part
    return see_other(f"{path}?{urlencode({'next': safe_next(_asked_for())})}")


def _asked_for() -> str:
    """The path and the query of the request; of a form the dashboard, which can be opened again."""
    if request.method not in _SAFE_METHODS:
        return HOME
    query = request.query_string.decode("latin-1")
    return quote(request.path) + (f"?{query}" if query else "")
