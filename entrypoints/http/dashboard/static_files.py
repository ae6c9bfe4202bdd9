"""Route for the dashboard's static files."""

from flask import Response

from entrypoints.http.dashboard.assets import BASE, asset_at
from entrypoints.http.dashboard.pages import room
from entrypoints.http.framework.openapi import ResponseDoc
from unite_core.errors import NotFound

_FOR_EVER = "public, max-age=31536000, immutable"


@room.operation(
    "GET",
    f"{BASE}/<name>",
    description="A style sheet or a script.",
    public=True,
    cookie=True,
    limited=False,
    answers=[ResponseDoc(status=200, content_type="text/css")],
)
def static_file(name: str) -> Response:
    """Get a static file; its name changes with its content."""
    asset = asset_at(name)
    if asset is None:
        raise NotFound("There is no such file.")
    response = Response(asset.content, content_type=asset.content_type)
    response.headers["Cache-Control"] = _FOR_EVER
    return response
