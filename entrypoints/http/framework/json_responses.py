"""Serialize JSON responses: UTF-8, times as RFC 3339 in UTC with a Z, ids as hyphenated text."""

from typing import Any

import orjson
from flask import Response
from flask.json.provider import JSONProvider

JSON_TYPE = "application/json"


def to_json(content: Any) -> bytes:
    """Serialize `content` (dicts, lists, plain values, datetimes, UUIDs, enums) as JSON."""
    return orjson.dumps(content, option=orjson.OPT_UTC_Z)


def json_response(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a response with `content` as its JSON body; without a body if `content` is None."""
    body = b"" if content is None else to_json(content)
    response = Response(body, status=status, headers=headers, content_type=JSON_TYPE)
    if content is None:
        del response.headers["Content-Type"]
    return response


class OrjsonProvider(JSONProvider):
    """The JSON provider of Flask, implemented with orjson."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return to_json(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)
