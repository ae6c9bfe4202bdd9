"""Fuzz target for phone numbers. The first byte chooses the country and the rule."""

import re
from collections.abc import Iterator

from tests.fuzz.target import Target, cells
from unite_core.phone import Phone, PhoneRule, parse_phone
from unite_core.text import clean

_COUNTRIES = (None, "US", "DE", "FR", "IN", "JP", "BR", "IT", "GB", "AR", "MX")
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")


def check(data: bytes) -> None:
    choice, text = data[:1] or b"\0", data[1:].decode("utf-8", "surrogateescape")
    country = _COUNTRIES[choice[0] % len(_COUNTRIES)]
    rule = PhoneRule.VALID if choice[0] >= 128 else PhoneRule.POSSIBLE
    number, _, extension = text.partition("\0")
    _check(number, country, rule, extension or None)
    _check(clean(number), country, rule, clean(extension) or None)


def _check(text: str, country: str | None, rule: PhoneRule, extension: str | None) -> None:
    read = parse_phone(text, country=country, rule=rule, extension=extension)
    if isinstance(read, Phone):
        assert _E164.fullmatch(read.number), read
        assert parse_phone(read.number, country=None, rule=rule, extension=read.extension) == read
        return
    assert read.field in ("phone", "phone_extension")
    assert read.code
    if read.suggestion is not None:
        assert isinstance(parse_phone(read.suggestion, country=country, rule=rule), Phone), read


def _seeds() -> Iterator[bytes]:
    yield from (b"\1" + cell for cell in cells() if any(byte in b"0123456789" for byte in cell))
    yield from (b"\2004915123456789", b"\1(212) 555-0123 ext. 45", b"\000011 1 212 555 0123", b"\1555-0123\00012")


target = Target(
    name="phone",
    check=check,
    seeds=_seeds,
    tokens=(
        *(b"+", b"00", b"011", b"+1", b"+49", b"(", b")", b"-", b".", b"/", b" ", b"\0", b"ext", b"ext.", b" x", b"#"),
        *(b"tel:", b";ext=", b";phone-context=", b"+12125550123", b"212", b"555", b"0", b"9", b"12345", b"A", b"~"),
        *(b"\xc2\xa0", b"\xe2\x80\x8b", b"\xef\xbc\x8b", b"\xd9\xa1", b"\xef\xbc\x91", b"\xcc\x81", b"\xcc\xa3", b","),
        *(b"\xe2\x80\x90", b";isub=", b"@", b"\xc5\xbe", b"\xe0\xa5\xa7", b"w", b"p", b"*", b"\n"),
    ),
    max_length=512,
)
