"""Fuzz target for cursors of lists: only cursors issued for the same list are accepted."""

from collections.abc import Iterator
from functools import cache
from urllib.parse import quote

from tests.fuzz.service import fuzzed_service
from tests.fuzz.target import Target

_LISTS = ("/v1/leads", "/v1/call-tasks", "/v1/users", "/v1/lead-imports", "/v1/call-logs")


def check(data: bytes) -> None:
    service = fuzzed_service()
    path = _LISTS[(data[:1] or b"\0")[0] % len(_LISTS)]
    cursor = data[1:]
    answer = service.ask(service.people[1], "GET", f"{path}?limit=1&cursor={quote(cursor)}")
    if answer.status_code == 200:
        assert (path, cursor.decode()) in _given_out()
    else:
        assert answer.get_json()["code"] in ("invalid_cursor", "invalid_parameter")


@cache
def _given_out() -> frozenset[tuple[str, str]]:
    service = fuzzed_service()
    answers = {path: service.ask(service.people[1], "GET", f"{path}?limit=1") for path in _LISTS}
    cursors = {path: answer.get_json()["next_cursor"] for path, answer in answers.items()}
    assert cursors["/v1/users"]
    return frozenset((path, cursor) for path, cursor in cursors.items() if cursor)


def _seeds() -> Iterator[bytes]:
    for path, cursor in sorted(_given_out()):
        for number in range(len(_LISTS)):
            yield bytes((number,)) + cursor.encode()
        yield bytes((_LISTS.index(path),)) + cursor.encode() + b"="


target = Target(
    name="cursor",
    check=check,
    seeds=_seeds,
    tokens=(
        *(b"A", b"_", b"-", b"+", b"/", b"=", b"==", b"AAAAAAAAAAAAAAAAAAAAAAAA", b"____", b"%", b"\0", b"\xff", b"&"),
        *(b"\xc3\xa9", b" ", b"\n", b"A" * 54, b"A" * 32, b"eyJ", b".", b"0"),
    ),
    max_length=512,
)
