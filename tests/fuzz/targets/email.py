"""Fuzz target for e-mail addresses."""

from collections.abc import Iterator

from tests.fuzz.target import Target, cells
from unite_core.email import MAX_EMAIL_LENGTH, parse_email
from unite_core.text import clean


def check(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    _check(text)
    _check(clean(text))


def _check(text: str) -> None:
    read = parse_email(text)
    if isinstance(read, str):
        assert len(read) <= MAX_EMAIL_LENGTH
        assert read == read.lower()
        assert parse_email(read) == read
        return
    assert read.field == "email"
    assert read.code
    if read.suggestion is not None:
        assert parse_email(read.suggestion) == read.suggestion, read


def _seeds() -> Iterator[bytes]:
    yield from (cell for cell in cells() if b"@" in cell)
    yield from (b"\xc3\xbcser@b\xc3\xbccher.example", b"ann@xn--bcher-kva.example", b'"a b"@example.com')


target = Target(
    name="email",
    check=check,
    seeds=_seeds,
    tokens=(
        *(b"@", b".", b"..", b",", b" ", b'"', b"<", b">", b"(at)", b"[at]", b"(dot)", b"[dot]", b"+", b"-", b"_"),
        *(b"ann", b"example", b".com", b".org", b"gmail.con", b"gmial.com", b"yaho.com", b"xn--", b"xn--bcher-kva"),
        *(b"\xc3\xbc", b"\xc4\xb0", b"\xc3\x9f", b"\xcf\x82", b"\xe3\x80\x82", b"\xef\xbc\xa0", b"\xe2\x80\x8b"),
        *(
            b"\xcc\x81",
            b"\xcc\xa3",
            b"\xe2\x84\xaa",
            b"[127.0.0.1]",
            b"[IPv6:::1]",
            b"\xd7\x90",
            b"\xe2\x80\xae",
            b"\\",
        ),
        *(b"A", b"Z", b"0", b"mailto:", b";", b":", b"\xef\xac\x80", b"\n", b"\0", b"localhost", b".test"),
    ),
    max_length=1024,
)
