"""Fuzz target for query strings of all lists. The first bytes choose the route and the user."""

from collections.abc import Iterator

from tests.fuzz.service import fuzzed_service
from tests.fuzz.target import Target

_ALLOWED = (200, 303, 304, 400, 401, 403, 404)


def check(data: bytes) -> None:
    service = fuzzed_service()
    choice, query = data[:2].ljust(2, b"\0"), data[2:].decode("latin-1")
    routes = [rule for method, rule in service.routes if method == "GET" and not rule.endswith("/events")]
    path = service.path(routes[choice[0] % len(routes)])
    person = service.people[choice[1] % len(service.people)]
    # A server passes on the query unchanged, byte by byte.
    answer = service.ask(person, "GET", path, environ_overrides={"QUERY_STRING": query})
    assert answer.status_code in _ALLOWED, answer.status_code
    assert sum(len(name) + len(value) for name, value in answer.headers.items()) < 64 * 1024


def _seeds() -> Iterator[bytes]:
    queries = (b"limit=2&status=new,lost", b'source="a, ""b""",c', b"q=ada%20+x", b"created_from=2026-01-01T00:00:00Z")
    for number in range(0, 128, 2):
        yield from (bytes((number, 0)) + query for query in queries)


target = Target(
    name="query",
    check=check,
    seeds=_seeds,
    tokens=(
        *(b"&", b"=", b",", b'"', b'""', b"%", b"%22", b"%2C", b"%00", b"%ff", b"%C3%A9", b"+", b";", b"#", b"?", b"/"),
        *(b"limit=", b"cursor=", b"status=", b"source=", b"assigned_to=", b"q=", b"created_from=", b"created_to="),
        *(
            b"lead_id=",
            b"task_id=",
            b"agent=",
            b"from=",
            b"to=",
            b"due_from=",
            b"due_to=",
            b"kind=",
            b"role=",
            b"active=",
        ),
        *(
            b"active=",
            b"destination=",
            b"event_id=",
            b"none",
            b"true",
            b"new",
            b"pending",
            b"1",
            b"200",
            b"-1",
            b"0x10",
        ),
        *(b"2026-01-31T09:30:00Z", b"0001-01-01T00:00:00%2B23:59", b"9999-12-31T23:59:60Z", b"9" * 20, b"\xd9\xa1"),
        *(b"01890a5d-ac96-774b-bcce-b302099a8057", b"%CC%81", b"%E2%80%8B", b"\xff", b"\0", b"\n", b"%25", b"_", b"*"),
    ),
)
