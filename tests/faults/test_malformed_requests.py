"""Requests that break HTTP itself, as they come over a socket."""

import json
import socket
import time
from collections.abc import Iterator

import pytest

from tests.service_process import TIMEOUT, Service, eventually

GET = b"GET /health/live HTTP/1.1\r\nHost: unite\r\n"
POST = b"POST /v1/auth/login HTTP/1.1\r\nHost: unite\r\nContent-Type: application/json\r\n"
CHUNKS = POST + b"Transfer-Encoding: chunked\r\n\r\n"
ME = b"GET /v1/me HTTP/1.1\r\nHost: unite\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    one = Service(tmp_path_factory.mktemp("served"))
    try:
        one.start()
        yield one
    finally:
        one.kill_all()


def answer_to(one: Service, sent: bytes, *, ends: bool) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the first answer; the client ends its side first where it `ends`."""
    with socket.create_connection(("127.0.0.1", one.port), timeout=TIMEOUT) as client:
        client.sendall(sent)
        if ends:
            client.shutdown(socket.SHUT_WR)
        with client.makefile("rb") as stream:
            status = int(stream.readline().split()[1])
            lines = iter(stream.readline, b"\r\n")
            headers = dict(line.decode().strip().lower().split(": ", 1) for line in lines)
            return status, headers, stream.read(int(headers.get("content-length", "0")))


def logged(one: Service, since: int) -> list[dict[str, object]]:
    return [json.loads(line) for line in one.log.read_bytes()[since:].splitlines()]


def known_as(correlation_id: str, one: Service, since: int) -> list[dict[str, object]]:
    return [line for line in logged(one, since) if line.get("correlation_id") == correlation_id]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (CHUNKS + b"zz\r\nabc\r\n0\r\n\r\n", (400, "malformed")),
        (CHUNKS + b"-1\r\nabc\r\n0\r\n\r\n", (400, "malformed")),
        (CHUNKS + b"fffffffffffffffff\r\nabc", (400, "malformed")),
        (CHUNKS + b"3\r\nabcdef\r\n0\r\n\r\n", (400, "malformed")),
        (CHUNKS + b"3\r\nabc\r\nzz\r\n", (400, "malformed")),
        (CHUNKS + b"3\nabc\n0\n\n", (400, "malformed")),
        (CHUNKS + b"5\r\nab", (400, "malformed")),
        (CHUNKS + b"4001\r\n" + b" " * 0x4001 + b"\r\n", (413, "too_large")),
        (POST + b"Content-Length: 500\r\n\r\n{", (400, "malformed")),
        (POST + b"Content-Length: 16385\r\n\r\n", (413, "too_large")),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", (400, "invalid_header")),
        (b"GET /health/live HTTP/1.1\r\n\r\n", (400, "invalid_header")),
        (b"GET /health/live HTTP/1.1\r\nHost:\r\n\r\n", (400, "invalid_header")),
        (b"GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", (400, "invalid_header")),
        (b"GET /health/live HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", (400, "invalid_header")),
        (b"GET /health/live HTTP/1.1\r\nHost: a b\r\n\r\n", (400, "invalid_header")),
        (b"GET /health/live HTTP/1.1\r\nHost: u@a\r\n\r\n", (400, "invalid_header")),
        (ME + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", (400, "invalid_header")),
        (ME + b"X-Correlation-ID: aaaaaaaa\r\nX-Correlation-ID: bbbbbbbb\r\n\r\n", (400, "invalid_header")),
        (ME + b"Authorization_: Bearer a\r\n\r\n", (401, "unauthenticated")),
        (b"PURGE /health/live HTTP/1.1\r\nHost: unite\r\n\r\n", (405, "method_not_allowed")),
        (b"OPTIONS * HTTP/1.1\r\nHost: unite\r\n\r\n", (404, "not_found")),
        (b"GET /health/%zz HTTP/1.1\r\nHost: unite\r\n\r\n", (404, "not_found")),
        (b"GET /health/%ff HTTP/1.1\r\nHost: unite\r\n\r\n", (404, "not_found")),
        (b"GET /health/%00 HTTP/1.0\r\n\r\n", (404, "not_found")),
    ],
    ids=lambda it: it[-60:].decode("latin-1") if isinstance(it, bytes) else "",
)
def test_what_cannot_be_read_is_answered_by_a_problem_and_logged(
    served: Service, sent: bytes, expected: tuple[int, str]
) -> None:
    since = served.log.stat().st_size

    status, headers, body = answer_to(served, sent, ends=b"ength: 500" in sent or sent.endswith(b"\r\nab"))

    document = json.loads(body)
    assert headers["content-type"] == "application/problem+json"
    assert (status, document["status"], document["code"]) == (expected[0], *expected)
    assert headers["x-correlation-id"] == document["correlation_id"]
    lines = eventually(lambda: known_as(document["correlation_id"], served, since), "the request is logged")
    assert [line["status"] for line in lines if line["message"] == "request"] == [status]
    assert not [line for line in logged(served, since) if line["level"] == "ERROR"]


@pytest.mark.parametrize(
    "sent",
    [
        GET + b"\r\n",
        GET + b"X_Forwarded_For: 192.0.2.7\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\n\r\n",
        GET.replace(b"unite", b"[::1]:8000") + b"\r\n",
        GET + b"Content-Length: 5\r\n\r\nhello",
        b"GET /health/live HTTP/1.0\r\n\r\n",
        b"GET http://unite/health/live HTTP/1.1\r\nHost: unite\r\n\r\n",
        (GET + b"\r\n") * 3,
    ],
)
def test_what_is_unusual_and_allowed_is_answered(served: Service, sent: bytes) -> None:
    assert answer_to(served, sent, ends=False)[0] == 200


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (POST + b"Content-Length: abc\r\n\r\n{}", (400, "malformed")),
        (POST + b"Content-Length: +5\r\n\r\nhello", (400, "malformed")),
        (POST + b"Content-Length: -1\r\n\r\n{}", (400, "malformed")),
        (POST + b"Content-Length: 99999999999999999999999\r\n\r\n{}", (400, "malformed")),
        (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", (400, "malformed")),
        (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400, "malformed")),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n{}", (400, "malformed")),
        (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400, "malformed")),
        (b"POST /v1/auth/login HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400, "malformed")),
        (b"BREW /health/live HTTP/1.1\r\nHost: unite\r\n\r\n", (400, "malformed")),
        (b"CONNECT unite:80 HTTP/1.1\r\nHost: unite\r\n\r\n", (400, "malformed")),
        (b"GET unite:80 HTTP/1.1\r\nHost: unite\r\n\r\n", (400, "malformed")),
        (b"GET /health/\xc3\xa9 HTTP/1.1\r\nHost: unite\r\n\r\n", (400, "malformed")),
        (b"GET /health/live HTTP/3.7\r\nHost: unite\r\n\r\n", (400, "malformed")),
        (b"GET /health/live\r\n\r\n", (400, "malformed")),
        (GET + b"X-A: a\0b\r\n\r\n", (400, "malformed")),
        (GET + b"X-A: a\r\n b\r\n\r\n", (400, "malformed")),
        (GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", (400, "malformed")),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, "malformed")),
        (bytes.fromhex("16030100d1010000cd0303"), (400, "malformed")),
        (GET + b"".join(b"X-%d: 1\r\n" % number for number in range(150)) + b"\r\n", (431, "headers_too_large")),
        (GET + b"X-A: " + b"a" * 1_000_000, (431, "headers_too_large")),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: unite\r\n\r\n", (414, "uri_too_long")),
    ],
    ids=lambda it: it[-60:].decode("latin-1") if isinstance(it, bytes) else "",
)
def test_what_the_server_refuses_is_answered_by_a_problem_and_has_one_line_in_the_log(
    served: Service, sent: bytes, expected: tuple[int, str]
) -> None:
    """tests/http/test_refused_heads.py has more of the kind."""
    since = served.log.stat().st_size

    status, headers, body = answer_to(served, sent, ends=False)

    document = json.loads(body)
    assert (status, document["status"], document["code"]) == (expected[0], *expected)
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    assert headers["x-correlation-id"] == document["correlation_id"]
    # The line of a request before may be late.
    (line,) = eventually(lambda: known_as(document["correlation_id"], served, since), "the request is logged")
    assert (line["message"], line["status"], line["code"]) == ("request", *expected)
    assert (line["client"], line["correlation_id"]) == ("127.0.0.1", document["correlation_id"])


def test_a_request_that_is_answered_without_its_body_is_not_followed_by_another(served: Service) -> None:
    smuggled = b"GET /v1/me HTTP/1.1\r\nHost: unite\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=TIMEOUT) as client:
        client.sendall(
            b"POST /nowhere HTTP/1.1\r\nHost: unite\r\nContent-Length: %d\r\n\r\n" % len(smuggled) + smuggled
        )
        whole = b""
        began = time.monotonic()
        while (block := client.recv(65536)) and time.monotonic() - began < TIMEOUT:
            whole += block

    assert whole.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in whole
