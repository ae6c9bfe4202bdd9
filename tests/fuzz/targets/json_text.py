"""Fuzz target for the JSON parser of requests, compared with another parser."""

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import orjson

from entrypoints.http.framework.json_responses import to_json
from entrypoints.http.framework.request_body import MAX_JSON_DEPTH, parse_json
from tests.fuzz.target import Target
from unite_core.errors import Malformed


def check(data: bytes) -> None:
    with suppress(Malformed):
        content = parse_json(data)
        # It accepts integers of any size, which the other parser reads as floats.
        if _is_plain(content, MAX_JSON_DEPTH + 1):
            assert _same(content, orjson.loads(data))
            assert _same(parse_json(to_json(content)), content)


def _is_plain(content: Any, levels: int) -> bool:
    assert levels > 0
    if isinstance(content, dict | list):
        items = content.values() if isinstance(content, dict) else content
        return all(_is_plain(item, levels - isinstance(item, dict | list)) for item in items)
    assert not isinstance(content, float) or math.isfinite(content)
    if isinstance(content, str):
        content.encode()
    return not isinstance(content, int) or -(2**63) <= content < 2**63


def _same(one: Any, other: Any) -> bool:
    """Compare two values, with 1, true and 1.0 different from each other."""
    return bool(repr(one) == repr(other))


def _seeds() -> Iterator[bytes]:
    yield from (
        b'{"a": [1, 2.5, -0, 1e3, true, false, null, "\\ud83d\\ude00"]}',
        b"[" * 20 + b"]" * 20,
        b'{"a":1,"a":2}',
    )
    yield from (
        b"[NaN]",
        b"[1e999]",
        b'["\\ud800"]',
        b"\xef\xbb\xbf{}",
        b'{"":{"":{"":""}}}',
        b"[18446744073709551616]",
    )


target = Target(
    name="json_text",
    check=check,
    seeds=_seeds,
    tokens=(
        *(b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b"\\u", b"\\ud83d", b"\\ude00", b"\\n", b"\\/", b"true"),
        *(b"false", b"null", b"NaN", b"Infinity", b"-Infinity", b"-", b"0", b"1", b"1e999", b"1E-400", b".5", b"-0"),
        *(b'"a"', b'"a":', b'{"a":1}', b"[" * 20, b"]" * 20, b'{"a":' * 10, b"}" * 10, b" ", b"\n", b"\t", b"\0"),
        *(b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xff", b"9" * 40, b"1" * 310, b"\x7f", b"\xc0\x80"),
    ),
)
