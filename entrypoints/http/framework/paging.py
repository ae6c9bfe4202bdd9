"""Paginate lists: the query parameters, the response, and cursors that are signed for one list.

    class LeadQuery(PageArguments): ...                       a list's query with its filters
    request = page_request(query)                             a core `PageRequest`
    return page_answer([lead_json(lead) for lead in page.items], page.next)

A list that is sorted by row number calls `row_after(query)`, and passes the next row to `page_response`.
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

from entrypoints.http.framework.context import http_config
from entrypoints.http.framework.fields import Query, Text, WholeNumber
from entrypoints.http.framework.json_responses import json_response
from unite_core.errors import Malformed
from unite_core.paging import DEFAULT_LIMIT, MAX_LIMIT, PageRequest, Position

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAC_BYTES = 16
_POSITION = struct.Struct(">q16s")
_ROW = struct.Struct(">Q")
_MAX_CURSOR_LENGTH = 100


class PageQuery(Query):
    """The query parameters of every list. The schema of each list adds its filters."""

    limit = WholeNumber(
        minimum=1,
        maximum=MAX_LIMIT,
        load_default=DEFAULT_LIMIT,
        metadata={"description": "The maximum number of items."},
    )
    cursor = Text(
        metadata={"maxLength": _MAX_CURSOR_LENGTH, "description": "`next_cursor` of the previous page, unchanged."}
    )


def page_request(arguments: Mapping[str, Any]) -> PageRequest:
    """Return the page that the query asks for; raise `Malformed` (`invalid_cursor`)."""
    after = _read(arguments)
    if isinstance(after, int):
        raise _invalid_cursor()
    return PageRequest(limit=arguments["limit"], after=after)


def row_after(arguments: Mapping[str, Any]) -> int:
    """Return the row after which the page starts, 0 for the first page; raise `Malformed` (`invalid_cursor`)."""
    after = _read(arguments)
    if isinstance(after, Position):
        raise _invalid_cursor()
    return after or 0


def page_response(items: Iterable[Any], next_: Position | int | None) -> Response:
    """Return a page as JSON, with a link to the next page (RFC 8288) if there is one."""
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
    # The last characters of base64 have spare bits, so only the spelling that `write_cursor` makes is accepted.
    if _text(signed) != cursor or not any(
        hmac.compare_digest(mac, _mac(secret, payload)) for secret in http_config().cursor_secrets
    ):
        raise _invalid_cursor()
    if len(payload) == _ROW.size:
        return int(_ROW.unpack(payload)[0])
    microseconds, raw_id = _POSITION.unpack(payload)
    return Position(_EPOCH + microseconds * _MICROSECOND, UUID(bytes=raw_id))


def write_cursor(next_: Position | int) -> str:
    """Return the cursor for the page after `next_`, valid only for the path and the filters of this request."""
    if isinstance(next_, int):
        payload = _ROW.pack(next_)
    else:
        payload = _POSITION.pack((next_.at - _EPOCH) // _MICROSECOND, next_.id.bytes)
    return _text(payload + _mac(http_config().cursor_secrets[0], payload))


def _text(signed: bytes) -> str:
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def _mac(secret: bytes, payload: bytes) -> bytes:
    """Return the MAC of the payload with the path and the filters; `limit` is left out, so it may change."""
    filters = sorted(pair for pair in request.args.items(multi=True) if pair[0] not in ("cursor", "limit"))
    bound = repr((request.path, filters)).encode("utf-8", "surrogatepass")
    return hmac.digest(secret, hashlib.sha256(bound).digest() + payload, "sha256")[:_MAC_BYTES]


def _invalid_cursor() -> Malformed:
    return Malformed("The cursor is not valid for this list; start again without one.", code="invalid_cursor")
