"""Pages of a list: how one is asked for, and cursors that nobody can forge or carry to another list.

    class LeadQuery(PageArguments): ...                       a list's query, filters added
    request = page_request(query)                             a core `PageRequest`
    return page_answer([lead_json(lead) for lead in page.items], page.next)

A list that is keyed by a row number says `row = row_after(query)`, and hands the next row to `page_response`.
"""

import base64
import hashlib
import hmac
import struct
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request

from entrypoints.http.context import http_config
from entrypoints.http.fields import Query, Text, WholeNumber
from entrypoints.http.rendering import json_response
from unite_core.errors import Malformed
from unite_core.paging import DEFAULT_LIMIT, MAX_LIMIT, PageRequest, Position

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAC_BYTES = 16
_POSITION = struct.Struct(">q16s")
_ROW = struct.Struct(">Q")
_MAX_CURSOR_LENGTH = 100


class PageQuery(Query):
    """The query of every list. What a list filters by is added by its own schema."""

    limit = WholeNumber(
        minimum=1,
        maximum=MAX_LIMIT,
        load_default=DEFAULT_LIMIT,
        metadata={"description": "How many items at the most."},
    )
    cursor = Text(
        metadata={"maxLength": _MAX_CURSOR_LENGTH, "description": "`next_cursor` of the page before, as it came."}
    )


def page_request(arguments: Mapping[str, Any]) -> PageRequest:
    """The page that the query asks for; raises `Malformed` (`invalid_cursor`)."""
    after = _read(arguments)
    if isinstance(after, int):
        raise _invalid_cursor()
    return PageRequest(limit=arguments["limit"], after=after)


def row_after(arguments: Mapping[str, Any]) -> int:
    """The row that the page starts after, 0 for the first page; raises `Malformed` (`invalid_cursor`)."""
    after = _read(arguments)
    if isinstance(after, Position):
        raise _invalid_cursor()
    return after or 0


def page_response(items: Iterable[Any], next_: Position | int | None) -> Response:
    """A page as JSON, and a link to the page after it (RFC 8288) where there is one."""
    cursor = None if next_ is None else write_cursor(next_)
    headers = {}
    if cursor is not None:
        query = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
        target = f"{http_config().public_url}{request.path}?{urlencode([*query, ('cursor', cursor)])}"
        headers["Link"] = f'<{target}>; rel="next"'
    return json_response({"items": list(items), "next_cursor": cursor}, headers=headers)


def _read(arguments: Mapping[str, Any]) -> Position | int | None:
    cursor = arguments.get("cursor")
    if cursor is None:
        return None
    if len(cursor) > _MAX_CURSOR_LENGTH or not cursor.isascii():
        raise _invalid_cursor()
    try:
        signed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise _invalid_cursor() from None
    payload, mac = signed[:-_MAC_BYTES], signed[-_MAC_BYTES:]
    # The last characters of base64 have spare bits: only the one spelling that we gave out is taken.
    if _text(signed) != cursor or not any(
        hmac.compare_digest(mac, _mac(secret, payload)) for secret in http_config().cursor_secrets
    ):
        raise _invalid_cursor()
    if len(payload) == _ROW.size:
        return int(_ROW.unpack(payload)[0])
    microseconds, raw_id = _POSITION.unpack(payload)
    return Position(_EPOCH + microseconds * _MICROSECOND, UUID(bytes=raw_id))


def write_cursor(next_: Position | int) -> str:
    """The cursor of the page after `next_`, good for the path and the filters of the current request alone."""
    if isinstance(next_, int):
        payload = _ROW.pack(next_)
    else:
        payload = _POSITION.pack((next_.at - _EPOCH) // _MICROSECOND, next_.id.bytes)
    return _text(payload + _mac(http_config().cursor_secrets[0], payload))


def _text(signed: bytes) -> str:
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def _mac(secret: bytes, payload: bytes) -> bytes:
    """Binds the payload to this path and these filters; how many items a page has may change on the way."""
    filters = sorted(pair for pair in request.args.items(multi=True) if pair[0] not in ("cursor", "limit"))
    bound = repr((request.path, filters)).encode("utf-8", "surrogatepass")
    return hmac.digest(secret, hashlib.sha256(bound).digest() + payload, "sha256")[:_MAC_BYTES]


def _invalid_cursor() -> Malformed:
    return Malformed("The cursor is not one of this list; begin again without one.", code="invalid_cursor")
