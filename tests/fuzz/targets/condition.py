"""Fuzz target for If-Match and If-None-Match: a lead is deleted only if they name its version, or any."""

from collections.abc import Iterator

from tests.fuzz.service import fuzzed_service
from tests.fuzz.target import Target


def check(data: bytes) -> None:
    service = fuzzed_service()
    # A server passes on the characters allowed in a header (RFC 9110, 5.5), as latin-1.
    header = data.translate(None, b"\0\r\n").decode("latin-1")
    path = service.path("/v1/leads/<uuid:lead_id>")
    manager = service.people[0]
    read = service.ask(manager, "GET", path, headers={"If-None-Match": header})
    assert read.status_code in (200, 304), read.status_code
    if read.status_code == 304:
        assert header.strip() == "*" or '"1"' in header
    deleted = service.ask(manager, "DELETE", path, headers={"If-Match": header})
    assert deleted.status_code in (204, 400, 412), deleted.status_code
    if deleted.status_code == 204:
        assert header.strip() == "*" or '"1"' in header


def _seeds() -> Iterator[bytes]:
    yield from (b'"1"', b"*", b'W/"1"', b'"2", "1"', b'"7"', b",, \t,", b'"a" "b"', b'"\xe9"')


target = Target(
    name="condition",
    check=check,
    seeds=_seeds,
    tokens=(
        *(b'"', b'"1"', b'"2"', b'W/"1"', b"W/", b"w/", b"*", b",", b", ", b" ", b"\t", b"1", b'""', b"\\", b"9" * 18),
        *(b'"999999999999999999"', b"-1", b"\xe9", b"\x7f", b'"1', b'1"', b'"01"', b"'1'", b'"1","1"', b"\x0b"),
    ),
)
