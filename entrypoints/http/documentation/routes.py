"""Routes for the OpenAPI document, the documentation page and a page per problem code."""

import html
import re
from pathlib import Path

from flask import Response, current_app

from entrypoints.http.framework.assets import AssetFolder
from entrypoints.http.framework.errors import STATUSES
from entrypoints.http.framework.json_responses import JSON_TYPE
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from entrypoints.http.framework.problems import PROBLEMS
from unite_core.errors import NotFound

operations = OperationGroup("documentation", "The documentation of the API.")

_HTML = "text/html"
_PAGES = Path(__file__).with_name("pages")
_CODE = re.compile("`([^`]+)`")
_TEXT_SCHEMA = {"type": "string"}
_SWAGGER_UI_BASE = "/docs/swagger-ui"
SWAGGER_UI = AssetFolder(Path(__file__).with_name("swagger_ui"), _SWAGGER_UI_BASE)
_OWN_FILES = AssetFolder(_PAGES, "/docs")
_LINKED_FILES = ("swagger-ui.css", "swagger-ui-bundle.js")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src {images}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_OWN_PAGES_ONLY = _POLICY.format(images="'self' data:")
# Swagger UI shows an image that an operation responded with by a blob: URL.
_SWAGGER_UI_PAGE = _POLICY.format(images="'self' data: blob:")


@operations.operation(
    "GET",
    "/openapi.json",
    description="Every operation with all its responses, and every problem code.",
    public=True,
    limited=False,
    responses=[ResponseDoc(status=200, schema={"type": "object"})],
)
def openapi_document() -> Response:
    """Get the OpenAPI document."""
    return Response(current_app.extensions["openapi"](), content_type=JSON_TYPE)


@operations.operation(
    "GET",
    "/docs",
    description="The OpenAPI document as a page on which operations can be tried. It loads nothing from other servers.",
    public=True,
    limited=False,
    responses=[ResponseDoc(status=200, schema=_TEXT_SCHEMA, content_type=_HTML)],
)
def docs() -> Response:
    """Get the documentation page."""
    paths = {name: SWAGGER_UI.path_of(name) for name in _LINKED_FILES}
    return _own(Response(_filled("docs.html", paths), content_type=f"{_HTML}; charset=utf-8"), _SWAGGER_UI_PAGE)


@operations.operation(
    "GET",
    "/docs/docs.js",
    description="The script of /docs.",
    public=True,
    limited=False,
    responses=[ResponseDoc(status=200, schema=_TEXT_SCHEMA, content_type="text/javascript")],
)
def docs_script() -> Response:
    """Get the documentation page's script."""
    return _own(_OWN_FILES.uncached_response("docs.js"))


@operations.operation(
    "GET",
    "/docs/docs.css",
    description="The style sheet of /docs and of the problems' pages.",
    public=True,
    limited=False,
    responses=[ResponseDoc(status=200, schema=_TEXT_SCHEMA, content_type="text/css")],
)
def docs_style() -> Response:
    """Get the documentation page's style sheet."""
    return _own(_OWN_FILES.uncached_response("docs.css"))


@operations.operation(
    "GET",
    f"{_SWAGGER_UI_BASE}/<name>",
    description="A script or a style sheet of Swagger UI, which draws /docs; its name changes with its content.",
    public=True,
    limited=False,
    responses=[
        ResponseDoc(status=200, schema=_TEXT_SCHEMA, content_type="text/css"),
        ResponseDoc(status=200, schema=_TEXT_SCHEMA, content_type="text/javascript"),
    ],
)
def docs_swagger_ui(name: str) -> Response:
    """Get a file of the documentation page's library."""
    return SWAGGER_UI.response(name)


@operations.operation(
    "GET",
    "/problems/<code>",
    description="The page to which the `type` of a problem document links.",
    public=True,
    limited=False,
    responses=[ResponseDoc(status=200, schema=_TEXT_SCHEMA, content_type=_HTML)],
)
def problem(code: str) -> Response:
    """Get the documentation of a problem code."""
    kind = PROBLEMS.get(code)
    if kind is None:
        raise NotFound("There is no such problem code.")
    values = {"code": code, "title": kind.title, "status": str(STATUSES[kind.category]), "advice": kind.advice}
    text = _filled("problem.html", {name: _CODE.sub(r"<code>\1</code>", html.escape(values[name])) for name in values})
    return _own(Response(text, content_type=f"{_HTML}; charset=utf-8"))


def _filled(page: str, values: dict[str, str]) -> str:
    """Return a page with `{{ name }}` replaced by the value of that name, which is HTML."""
    text = (_PAGES / page).read_text("utf-8")
    for name, value in values.items():
        text = text.replace(f"{{{{ {name} }}}}", value)
    return text


def _own(response: Response, policy: str = _OWN_PAGES_ONLY) -> Response:
    response.headers["Content-Security-Policy"] = policy
    return response
