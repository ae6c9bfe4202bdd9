"""Route for the dashboard's static files."""

from flask import Response

from entrypoints.http.dashboard.assets import ASSETS, BASE
from entrypoints.http.dashboard.pages import operations
from entrypoints.http.framework.operation_docs import ResponseDoc


@operations.operation(
    "GET",
    f"{BASE}/<name>",
    description="A style sheet or a script.",
    public=True,
    cookie=True,
    limited=False,
    responses=[ResponseDoc(status=200, content_type="text/css")],
)
def static_file(name: str) -> Response:
    """Get a static file; its name changes with its content."""
    return ASSETS.response(name)
