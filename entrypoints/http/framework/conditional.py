"""Conditional requests with ETag, If-Match and If-None-Match (RFC 9110, 13)."""

import re
from collections.abc import Callable
from typing import Any

from flask import Response, request

from entrypoints.http.framework.json_responses import json_response
from unite_core.errors import Malformed

# An entity-tag (RFC 9110, 8.8.3), and a list of them with its optional blanks and empty elements.
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_TAGS = re.compile(rf"[ \t,]*{_TAG.pattern}(?:[ \t]*,[ \t,]*{_TAG.pattern})*[ \t,]*")
_VERSION = re.compile(r"[1-9][0-9]{0,17}")

NO_VERSION = 0
"""The expected version if no tag can match; versions start at 1."""


def etag(version: int) -> str:
    """Return the entity-tag of a version: `"7"`."""
    return f'"{version}"'


def versioned_response(version: int, content: Callable[[], Any]) -> Response:
    """Return the response to a GET: 304 without a body if the client has this version, otherwise the content."""
    return tagged_response(str(version), lambda: json_response(content()))


def tagged_response(version: str, answer: Callable[[], Response]) -> Response:
    """Return the same as `versioned_response`, for a version that is any text without double quotes."""
    tag = f'"{version}"'
    if _client_has(tag):
        response = Response(status=304)
        del response.headers["Content-Type"]
    else:
        response = answer()
    response.headers["ETag"] = tag
    return response


def expected_version(current: Callable[[], int]) -> int | None:
    """Return the version that the client names in If-Match; None without the header, or if it is `*`.

    `current` is called only if the client names several versions: one of them must be the current one.
    Raises `Malformed` (`invalid_header`) if the header is not a list of entity-tags.
    """
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    if _TAGS.fullmatch(header) is None:
        raise Malformed('If-Match is * or a list of ETags, each in double quotes: "7".', code="invalid_header")
    # If-Match compares strongly: a weak tag never matches (RFC 9110, 13.1.1).
    versions = [int(tag) for weak, tag in _TAG.findall(header) if not weak and _VERSION.fullmatch(tag)]
    if len(versions) > 1:
        now = current()
        return now if now in versions else NO_VERSION
    return versions[0] if versions else NO_VERSION


def _client_has(tag: str) -> bool:
    header = request.headers.get("If-None-Match")
    if header is None:
        return False
    if header.strip() == "*":
        return True
    # If-None-Match compares weakly (RFC 9110, 13.1.2). A header that cannot be read is ignored.
    return _TAGS.fullmatch(header) is not None and tag in {f'"{opaque}"' for _, opaque in _TAG.findall(header)}
