"""Errors as pages: whatever goes wrong at a path of the dashboard is a problem document first, and then drawn."""

from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, request

from entrypoints.http.dashboard.links import HOME, SIGN_IN, safe_next
from entrypoints.http.dashboard.pages import see_other
from entrypoints.http.dashboard.session import PART_HEADER
from entrypoints.http.dashboard.templating import HTML, environment
from entrypoints.http.errors import PROBLEM_TYPE

_SAFE_METHODS = ("GET", "HEAD")


def as_page(response: Response) -> Response:
    """The response, or in place of a problem document a page; in place of a 401 the way to the sign-in."""
    if response.mimetype != PROBLEM_TYPE:
        return response
    if response.status_code == 401:
        return _to_sign_in(response)
    problem: dict[str, Any] = response.get_json()
    response.set_data(environment().get_template("error.html").render(problem=problem))
    response.content_type = HTML
    return response


def _to_sign_in(response: Response) -> Response:
    if PART_HEADER in request.headers:
        # A part of a page cannot show the sign-in: the whole page is loaded anew, and leads there.
        part = Response(status=401, headers={"HX-Refresh": "true"}, content_type=HTML)
        part.headers["WWW-Authenticate"] = response.headers["WWW-Authenticate"]
        return part
    return see_other(f"{SIGN_IN}?{urlencode({'next': safe_next(_asked_for())})}")


def _asked_for() -> str:
    """The path and the query of the request; of a form the dashboard, which can be opened again."""
    if request.method not in _SAFE_METHODS:
        return HOME
    query = request.query_string.decode("latin-1")
    return quote(request.path) + (f"?{query}" if query else "")
