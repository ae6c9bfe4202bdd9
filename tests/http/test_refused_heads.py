"""Tests of malformed HTTP/1.1 requests: each gets a problem document, is logged once, and not passed on."""

import json
import logging
from collections.abc import Iterator

import pytest

from entrypoints.capacity import MAX_HEAD_BYTES, MAX_HEADERS
from entrypoints.http.server.timeouts import ServerTimeouts
from tests.http.served import Served, everything, running, split

GET = b"GET /x HTTP/1.1\r\nHost: unite\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: unite\r\n"
HELLO = b"hello"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
NONE_LEFT = b"\r\n0\r\n\r\n"

LENGTHS = [b"+5", b"-1", b"0x5", b"5, 5", b"5 5", b"5;", b"", b"five", b"\xb2", b"18446744073709551616", b"9" * 30]
CODINGS = [
    b"identity",
    b"xchunked",
    b"gzip",
    b"chunked, gzip",
    b"chunked, identity",
    b"chunked;a=b",
    b"",
    b"\x0bchunked",
]
TARGETS = [
    b"",
    b"x",
    b"unite:80",
    b"?a",
    b"/a b",
    b"/a\tb",
    b"/\xff",
    b"/\xc3\xa9",
    b"/\0",
    b"/a#b",
    b"http:x",
    b"http:///x",
    b"*",
]
VERSIONS = [
    b"HTTP/0.9",
    b"HTTP/1.2",
    b"HTTP/2.0",
    b"HTTP/3.7",
    b"HTTP/11",
    b"HTTP/1.1.1",
    b"http/1.1",
    b"RTSP/1.0",
    b"ICE/1.0",
    b"HTTP/1.1 ",
]
LINES = [
    b"X-A\r\n",
    b": b\r\n",
    b"X A: b\r\n",
    b"X-A : b\r\n",
    b"X-A\t: b\r\n",
    b"X@A: b\r\n",
    b"X\x80: b\r\n",
    b"X-A: a\0b\r\n",
    b"X-A: a\x01b\r\n",
    b"X-A: a\x7fb\r\n",
    b"X-A: a\rb\r\n",
    b"X-A: a\nX-B: b\r\n",
    b"X-A: a\r\n b\r\n",
    b"X-A: a\r\n\tb\r\n",
    b" X-A: b\r\n",
    b"X-A: a\r\r\n",
]
MALFORMED = [
    *(POST + b"Content-Length: " + length + b"\r\n\r\n" + HELLO for length in LENGTHS),
    *(POST + b"Transfer-Encoding: " + coding + b"\r\n" + NONE_LEFT for coding in CODINGS),
    POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n" + HELLO,
    POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + HELLO,
    POST + b"Content-Length: 5\r\n" + CHUNKED + NONE_LEFT,
    POST + CHUNKED + b"Content-Length: 5\r\n" + NONE_LEFT,
    POST + CHUNKED + CHUNKED + NONE_LEFT,
    POST + b"Transfer-Encoding : chunked\r\n" + NONE_LEFT,
    b"POST /x HTTP/1.0\r\n" + CHUNKED + NONE_LEFT,
    *(b"GET " + target + b" HTTP/1.1\r\nHost: unite\r\n\r\n" for target in TARGETS),
    *(b"GET /x " + version + b"\r\nHost: unite\r\n\r\n" for version in VERSIONS),
    *(GET + line + b"\r\n" for line in LINES),
    b"GET /x\r\n\r\n",
    b"GET  /x HTTP/1.1\r\nHost: unite\r\n\r\n",
    b"GET /x  HTTP/1.1\r\nHost: unite\r\n\r\n",
    b"GET\t/x HTTP/1.1\r\nHost: unite\r\n\r\n",
    b" GET /x HTTP/1.1\r\nHost: unite\r\n\r\n",
    b"\nGET /x HTTP/1.1\r\nHost: unite\r\n\r\n",
    b"\r\n\r\nGET /x HTTP/1.1\r\nHost: unite\r\n\r\n",
    b"G@T /x HTTP/1.1\r\nHost: unite\r\n\r\n",
    b"BREW /x HTTP/1.1\r\nHost: unite\r\n\r\n",
    b"get /x HTTP/1.1\r\nHost: unite\r\n\r\n",
    b"GET /x HTTP/1.1\nHost: unite\n\n",
    b"GET /x HTTP/1.1\rHost: unite\r\r",
    GET + b"\n",
    b"CONNECT unite:80 HTTP/1.1\r\nHost: unite\r\n\r\n",
    b"CONNECT /x HTTP/1.1\r\nHost: unite\r\n\r\n",
    GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    GET + b"Upgrade: h2c, WebSocket\r\nConnection: keep-alive, Upgrade\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    bytes.fromhex("16030100d1010000cd0303") + b"\x80" * 32,
    b"\x80\x81\x00",
    b"hello there\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    GET[:-2],
]
TOO_LARGE = [
    (b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\nHost: unite\r\n\r\n", 414, "uri_too_long"),
    (b"GET /" + b"a" * 1_000_000, 414, "uri_too_long"),
    (GET + b"X-A: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n", 431, "headers_too_large"),
    (GET + b"X-A: " + b"a" * 1_000_000, 431, "headers_too_large"),
    (GET + b"".join(b"X-%d: 1\r\n" % number for number in range(MAX_HEADERS)) + b"\r\n", 431, "headers_too_large"),
]


def shown(it: object) -> str:
    return it[-60:].decode("latin-1") if isinstance(it, bytes) else ""


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with running() as it:
        yield it


def assert_refused(served: Served, answered: bytes, caplog: pytest.LogCaptureFixture, status: int, code: str) -> None:
    ((given, headers, body),) = split(answered)
    problem = json.loads(body)
    assert (given, problem["status"], problem["code"], problem["type"]) == (status, status, code, f"/problems/{code}")
    assert {"title", "detail", "instance"} < problem.keys()
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    assert "date" in headers
    assert "server" not in headers
    assert headers["x-correlation-id"] == problem["correlation_id"]
    (line,) = [record for record in caplog.records if record.name == "unite.requests"]
    assert line.message == "request"
    assert vars(line)["status"] == status
    assert vars(line)["code"] == code
    assert vars(line)["client"] == "127.0.0.1"
    assert vars(line)["correlation_id"] == problem["correlation_id"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert served.application.requests == []


@pytest.fixture(autouse=True)
def _logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    served.application.requests.clear()


@pytest.mark.parametrize("sent", MALFORMED, ids=shown)
def test_a_malformed_request_gets_a_problem_document_is_logged_once_and_not_passed_on(
    served: Served, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    answered = served.exchange(sent)

    assert_refused(served, answered, caplog, 400, "malformed")


@pytest.mark.parametrize("sent", MALFORMED, ids=shown)
def test_a_malformed_request_is_refused_for_any_segments(
    served: Served, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    with served.connect() as client:
        for begin in range(len(sent)):
            try:
                client.sendall(sent[begin : begin + 1])
            except ConnectionError:
                break
        client.shutdown(1)
        answered = everything(client)

    assert_refused(served, answered, caplog, 400, "malformed")


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_one_empty_line_before_a_request_is_ignored(served: Served, size: int) -> None:
    sent = (b"\r\n" + GET + b"\r\n") * 2
    with served.connect() as client:
        for begin in range(0, len(sent), size):
            client.sendall(sent[begin : begin + size])
        client.shutdown(1)
        answered = everything(client)

    assert [status for status, *_ in split(answered)] == [200, 200]


@pytest.mark.parametrize(("sent", "status", "code"), TOO_LARGE, ids=shown)
def test_a_head_that_is_too_large_gets_a_problem_document_and_is_logged_once(
    served: Served, caplog: pytest.LogCaptureFixture, sent: bytes, status: int, code: str
) -> None:
    answered = served.exchange(sent)

    assert_refused(served, answered, caplog, status, code)


def test_a_head_of_the_maximum_size_is_accepted(served: Served) -> None:
    headers = b"".join(b"X-%d: 1\r\n" % number for number in range(MAX_HEADERS - 2))
    rest = MAX_HEAD_BYTES - len(GET + headers + b"X-A: \r\n\r\n")

    answered = served.exchange(GET + headers + b"X-A: " + b"a" * rest + b"\r\n\r\n")

    assert split(answered)[0][0] == 200


@pytest.mark.parametrize(
    "sent", [b"hello there\r\n", b"\x16\x03\x01", b"GET /x HTTP/1.1\n", b"GET /x HTTP/2\r\n", GET + b"X\0"]
)
def test_bytes_that_cannot_begin_a_request_are_refused_at_once(
    served: Served, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    answered = served.exchange(sent, ends=False)

    assert_refused(served, answered, caplog, 400, "malformed")


def test_a_problem_document_names_the_path_if_there_is_one(served: Served) -> None:
    answered = served.exchange(b"GET /a%20b%zz?secret=1 HTTP/1.1\r\nHost: unite\r\nX A: b\r\n\r\n")

    assert json.loads(split(answered)[0][2])["instance"] == "/a%20b%25zz"


def test_nothing_of_a_refused_request_is_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    served.exchange(b"GET /topsecret HTTP/1.1\r\nHost: unite\r\nX-Key: top\0secret\r\nTopsecret: 1\r\n\r\n")

    assert "topsecret" not in "".join(str(vars(record)) for record in caplog.records).lower()


def test_bytes_after_a_refused_request_are_discarded(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    answered = served.exchange(GET + b"X A: b\r\n\r\n" + GET + b"\r\n" + b"x" * 3_000_000)

    assert_refused(served, answered, caplog, 400, "malformed")


def test_an_incomplete_head_times_out_with_a_problem_document(caplog: pytest.LogCaptureFixture) -> None:
    with running(ServerTimeouts(head=0.3)) as short_timeout_server:
        answered = short_timeout_server.exchange(GET, ends=False)

        assert_refused(short_timeout_server, answered, caplog, 408, "request_timeout")


def test_an_unused_connection_is_closed_without_a_response(caplog: pytest.LogCaptureFixture) -> None:
    with running(ServerTimeouts(head=0.3)) as short_timeout_server:
        never = short_timeout_server.exchange(ends=False)
        once = short_timeout_server.exchange(GET + b"\r\n", ends=False)

    assert never == b""
    assert [status for status, _, _ in split(once)] == [200]
    assert [record for record in caplog.records if record.name == "unite.requests"] == []
