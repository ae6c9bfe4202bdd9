"""Fuzz target for signed links: only issued ones are valid. The first byte chooses what is changed."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from adapters.local.signed_links import SignedLinks
from tests.fuzz.target import Target
from unite_core.errors import Forbidden

_NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
_LINKS = SignedLinks("https://unite.example/files", {"a": b"a" * 32, "b": b"b" * 32})
_KEY = "imports/1"
_PARAMETERS = {"size": "40", "type": "text/csv"}
_MADE = _LINKS.make("PUT", _KEY, _PARAMETERS, _NOW + timedelta(minutes=5))
_QUERY = urlsplit(_MADE).query


def check(data: bytes) -> None:
    choice, text = (data[:1] or b"\0")[0], data[1:].decode("utf-8", "surrogateescape")
    method = text if choice & 1 else "PUT"
    key = text if choice & 2 else _KEY
    query = dict(parse_qsl(_QUERY if choice & 4 else text, keep_blank_values=True, errors="surrogateescape"))
    if choice & 8:
        name, _, value = text.partition("=")
        query[name] = value
    with suppress(Forbidden):
        given = _LINKS.check(method, key, query, now=_NOW)
        assert (method, key, given) == ("PUT", _KEY, _PARAMETERS)
        assert query == dict(parse_qsl(_QUERY))


def _seeds() -> Iterator[bytes]:
    yield from (b"\0" + _QUERY.encode(), b"\5PUT", b"\6imports/1", b"\x0csize=41", b"\4", b"\0", b"\x0cexpires=1e9")


target = Target(
    name="signed_link",
    check=check,
    seeds=_seeds,
    tokens=(
        *(b"&", b"=", b"%", b"expires=", b"kid=", b"signature=", b"size=", b"type=", b"a", b"b", b"40", b"text%2Fcsv"),
        *(b"imports/1", b"../", b"%2e%2e/", b"PUT", b"GET", b"\xff", b"\0", b"9" * 20, b"-1", b"1e9", b"0" * 64),
        *(_QUERY.encode(), b"\xed\xa0\x80", b"+", b" ", b"%00", b"\xc3\xa9"),
    ),
)
