"""Routes for signed upload and download links, where the service itself is the storage."""

import io
from typing import Any, cast
from urllib.parse import quote

from flask import Response, current_app, request
from flask.blueprints import BlueprintSetupState

from entrypoints.http.framework.context import current_client_key, http_config
from entrypoints.http.framework.downloads import BLOCK, Downloads
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from entrypoints.http.framework.problems import MalformedParameter
from entrypoints.http.framework.query_string import query_arguments
from unite_core.errors import Forbidden
from unite_core.files import ServedFile, SignedFiles
from unite_core.imports.model import MAX_FILE_BYTES
from unite_core.text import normalize

PATH = "/files/<path:key>"
DOWNLOADS = "downloads"

_ANY_FILE = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
_LINK_PARAMETERS = [
    {
        "in": "query",
        "name": "link",
        "description": "The query of the signed link, unchanged.",
        "required": True,
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        "style": "form",
        "explode": True,
    }
]

operations = OperationGroup("files", "Uploads and downloads by signed links, where the service itself is the storage.")


def _register_downloads(state: BlueprintSetupState) -> None:
    state.app.extensions[DOWNLOADS] = Downloads()


operations.record(_register_downloads)


@operations.operation(
    "PUT",
    PATH,
    description="Send the bytes of a file to the upload link, with the headers that came with the link. The link is "
    "valid for one key, one size and one type, until it expires. No access token is needed.",
    responses=[ResponseDoc(status=204, description="The file is stored.")],
    problems=[
        "malformed",
        "invalid_signature",
        "link_expired",
        "too_large",
        "wrong_size",
        "wrong_type",
    ],
    request_body={"required": True, "content": {"*/*": {"schema": _ANY_FILE}}},
    parameters=_LINK_PARAMETERS,
    public=True,
    limited=False,
    any_query=True,
    max_body=MAX_FILE_BYTES,
)
def receive_file(key: str) -> Response:
    """Upload a file by a signed link."""
    _signed_files().receive(
        key,
        _link_query(),
        content_type=request.content_type,
        size=request.content_length,
        body=io.BufferedReader(cast("io.RawIOBase", request.stream), BLOCK),
    )
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


@operations.operation(
    "GET",
    PATH,
    description="Fetch a file from a download link of the API. The link is valid for one file until it expires. No "
    "access token is needed.",
    responses=[
        ResponseDoc(
            status=200,
            schema=_ANY_FILE,
            content_type="*/*",
            headers=("Content-Disposition",),
            description="The file, with the name from the link.",
        )
    ],
    problems=["invalid_signature", "link_expired", "too_many_transfers"],
    parameters=_LINK_PARAMETERS,
    public=True,
    limited=False,
    any_query=True,
)
def serve_file(key: str) -> Response:
    """Download a file by a signed link."""
    served = _signed_files().serve(key, _link_query())
    if request.method == "HEAD":
        # The body of a response to HEAD is neither read nor closed by the server.
        served.body.close()
        body: Any = b""
    else:
        downloads: Downloads = current_app.extensions[DOWNLOADS]
        body = downloads.open(served.body, current_client_key())
    response = Response(body, content_type=served.content_type, direct_passthrough=True)
    response.headers["Content-Length"] = str(served.size)
    _name(response, served)
    return response


def _signed_files() -> SignedFiles:
    # These routes are only registered with signed files.
    return cast("SignedFiles", http_config().signed_files)


def _link_query() -> dict[str, str]:
    try:
        return query_arguments(request)
    except MalformedParameter:
        # No signed link has such a query.
        raise Forbidden("This link was not made by this service, or was changed.", code="invalid_signature") from None


def _name(response: Response, served: ServedFile) -> None:
    """Set Content-Disposition: save the file under its name, in ASCII and also in full if it differs (RFC 6266, 5)."""
    plain = normalize("NFKD", served.filename).encode("ascii", "ignore").decode() or "file"
    names = {"filename": plain}
    if plain != served.filename:
        names["filename*"] = f"UTF-8''{quote(served.filename, safe='')}"
    response.headers.set("Content-Disposition", "attachment", **names)
