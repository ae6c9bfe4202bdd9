"""Tests of HTTP/1.1 connections: request boundaries, responses, limits, and shutdown of the server."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from entrypoints.http.server.timeouts import ServerTimeouts
from tests.http.served import TIMEOUT, Served, everything, running, split, until
from tests.service_process import eventually

GET = b"GET /x HTTP/1.1\r\nHost: unite\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: unite\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
HELLO_IN_CHUNKS = b"3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
SECOND = b"GET /second HTTP/1.1\r\nHost: unite\r\n\r\n"
END_OF_ANSWER = b"}"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with running() as it:
        yield it


@pytest.fixture(autouse=True)
def _nothing_yet(served: Served) -> None:
    served.application.requests.clear()
    served.application.gate.clear()
    served.application.gone.clear()


def echoed(answered: bytes) -> list[dict[str, object]]:
    return [json.loads(body) for _, _, body in split(answered)]


BODIES = [
    POST + b"Content-Length: 5\r\n\r\nhello",
    POST + b"Content-Length:\t05 \r\n\r\nhello",
    CHUNKED + HELLO_IN_CHUNKS,
]


@pytest.mark.parametrize("sent", BODIES)
def test_a_body_arrives_completely_for_any_segments(served: Served, sent: bytes) -> None:
    whole = served.exchange(sent)
    in_bytes = served.exchange(*(sent[begin : begin + 1] for begin in range(len(sent))))

    assert [one["body"] for one in echoed(whole) + echoed(in_bytes)] == ["hello", "hello"]
    assert [one["whole"] for one in echoed(whole) + echoed(in_bytes)] == [True, True]


def test_pipelined_requests_are_answered_in_order(served: Served) -> None:
    answered = served.exchange(GET + b"\r\n" + BODIES[0] + SECOND)

    assert [(one["path"], one["body"]) for one in echoed(answered)] == [
        ("/x", ""),
        ("/x", "hello"),
        ("/second", ""),
    ]


def test_a_request_after_a_chunked_one_is_answered(served: Served) -> None:
    with served.connect() as client:
        client.sendall(CHUNKED + HELLO_IN_CHUNKS)
        first = until(client, END_OF_ANSWER)
        client.sendall(SECOND)
        client.shutdown(socket.SHUT_WR)
        second = everything(client)

    assert [one["path"] for one in echoed(first + second)] == ["/x", "/second"]


def test_bytes_after_the_end_of_a_chunked_body_are_not_a_request(served: Served) -> None:
    answered = served.exchange(CHUNKED + HELLO_IN_CHUNKS + SECOND, ends=False)

    ((status, headers, body),) = split(answered)
    assert (status, headers["connection"], json.loads(body)["body"]) == (200, "close", "hello")
    assert served.application.requests == ["POST /x"]


def test_an_unread_body_is_not_taken_for_a_request(served: Served) -> None:
    head = b"POST /unread HTTP/1.1\r\nHost: unite\r\nContent-Length: %d\r\n\r\n" % len(SECOND)

    answered = served.exchange(head + SECOND, ends=False)

    assert len(split(answered)) == 1
    assert served.application.requests == ["POST /unread"]


def test_a_connection_is_closed_if_a_response_does_not_wait_for_the_body(served: Served) -> None:
    with served.connect() as client:
        client.sendall(b"POST /careless HTTP/1.1\r\nHost: unite\r\nContent-Length: %d\r\n\r\n" % len(SECOND))
        until(client, END_OF_ANSWER)
        client.sendall(SECOND)

        assert everything(client) == b""
    assert served.application.requests == ["POST /careless"]


def test_a_response_arrives_although_a_large_body_is_not_read(served: Served) -> None:
    head = b"POST /unread HTTP/1.1\r\nHost: unite\r\nContent-Length: 5000000\r\n\r\n"

    answered = served.exchange(head + b"x" * 5_000_000)

    assert split(answered)[0][0] == 200


def test_trailers_are_not_headers(served: Served) -> None:
    trailers = b"Authorization: Bearer stolen\r\nX-Trailer: 1\r\n"

    (one,) = echoed(served.exchange(CHUNKED + b"5\r\nhello\r\n0\r\n" + trailers + b"\r\n"))

    assert one["headers"] == [["host", "unite"], ["transfer-encoding", "chunked"]]
    assert one["body"] == "hello"


@pytest.mark.parametrize("beside", [b"5;" + b"a" * 400_000, b"0\r\n" + b"X-A: 1\r\n" * 50_000])
def test_a_body_with_endless_extensions_or_trailers_is_aborted(served: Served, beside: bytes) -> None:
    (one,) = echoed(served.exchange(CHUNKED + beside, ends=False))

    assert one["whole"] is False


@pytest.mark.parametrize(
    "sent",
    [
        CHUNKED + b"5\r\nhel",
        CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"3\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"5\nhello\n0\n\n",
        CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n" + SECOND,
        POST + b"Content-Length: 6\r\n\r\nhello",
    ],
)
def test_an_incomplete_or_malformed_body_is_reported_to_the_application_and_closes_the_connection(
    served: Served, sent: bytes
) -> None:
    answered = served.exchange(sent)

    (one,) = echoed(answered)
    assert one["whole"] is False
    assert served.application.requests == ["POST /x"]


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nupgrade:  h2c\r\nHTTP2-Settings: AAMA\r\n"


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (GET + UPGRADE + b"\r\n", ""),
        (POST + UPGRADE + b"Content-Length: 5\r\n\r\nhello", "hello"),
        (POST + b"Upgrade: foo\r\nContent-Length: 5\r\n\r\nhello", "hello"),
        (POST + UPGRADE + b"Content-Length: %d\r\n\r\n" % len(SECOND) + SECOND, SECOND.decode()),
    ],
)
def test_an_upgrade_to_another_protocol_is_ignored(served: Served, sent: bytes, body: str) -> None:
    answered = echoed(served.exchange(sent + SECOND))

    assert [(one["path"], one["body"]) for one in answered] == [("/x", body), ("/second", "")]


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/x?a=1&b=%20?", "/x", "a=1&b=%20?"),
        (b"//x/%2F", "//x/%2F", ""),
        (b"http://unite:80/x?a", "/x", "a"),
        (b"HTTP://unite", "/", ""),
        (b"http://unite?a", "/", "a"),
        (b"/x?", "/x", ""),
    ],
)
def test_the_target_of_a_request_is_a_path_and_a_query(served: Served, target: bytes, path: str, query: str) -> None:
    (one,) = echoed(served.exchange(b"GET " + target + b" HTTP/1.1\r\nHost: unite\r\n\r\n"))

    assert (one["path"], one["query"]) == (path, query)


def test_the_target_asterisk_is_only_for_options(served: Served) -> None:
    (one,) = echoed(served.exchange(b"OPTIONS * HTTP/1.1\r\nHost: unite\r\n\r\n"))

    assert one["path"] == "*"


def test_a_stream_is_chunked_and_the_connection_stays_open(served: Served) -> None:
    answered = served.exchange(b"GET /stream HTTP/1.1\r\nHost: unite\r\n\r\n" + SECOND)

    assert b"transfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\nHTTP/1.1 200" in answered


def test_a_stream_to_http_1_0_ends_with_the_connection(served: Served) -> None:
    answered = served.exchange(b"GET /stream HTTP/1.0\r\n\r\n", ends=False)

    head, _, body = answered.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head
    assert body == b"onetwo"


def test_a_response_to_http_1_0_closes_the_connection(served: Served) -> None:
    answered = served.exchange(b"GET /x HTTP/1.0\r\n\r\n" + SECOND, ends=False)

    ((status, headers, _),) = split(answered)
    assert (status, headers["connection"]) == (200, "close")


def test_a_response_to_head_has_a_length_and_no_body(served: Served) -> None:
    answered = served.exchange(b"HEAD /x HTTP/1.1\r\nHost: unite\r\n\r\n")

    assert b"content-length: " in answered
    assert answered.endswith(b"\r\n\r\n")


def test_a_client_that_expects_100_continue_gets_it_when_its_body_is_read(served: Served) -> None:
    with served.connect() as client:
        client.sendall(POST + b"Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n")
        assert until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hello")

        assert b'"hello"' in until(client, END_OF_ANSWER)


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /unread HTTP/1.1\r\nHost: unite\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        b"POST /x HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        b"GET /x HTTP/1.1\r\nHost: unite\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
    ],
)
def test_a_client_gets_no_100_continue_for_an_unread_or_missing_body(served: Served, sent: bytes) -> None:
    assert served.exchange(sent, ends=False).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_has_closed_its_side_gets_its_response(served: Served) -> None:
    with served.connect() as client:
        client.sendall(b"GET /gate HTTP/1.1\r\nHost: unite\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        eventually(lambda: served.application.requests, "the request is worked on")
        served.application.gate.set()

        assert echoed(everything(client)) == [{"path": "/gate"}]


def test_a_streaming_application_notices_that_its_client_is_gone(served: Served) -> None:
    with served.connect() as client:
        client.sendall(b"GET /follow HTTP/1.1\r\nHost: unite\r\n\r\n")
        until(client, b"begun\r\n")

    assert served.application.gone.wait(TIMEOUT)


def test_connections_beyond_the_maximum_wait() -> None:
    with running(max_connections=2) as crowded:
        first, second, third = crowded.connect(), crowded.connect(), crowded.connect()
        for client in (first, second, third):
            client.sendall(GET + b"\r\n")
        until(first, END_OF_ANSWER)
        until(second, END_OF_ANSWER)
        third.settimeout(0.5)
        with pytest.raises(TimeoutError):
            third.recv(1)
        third.settimeout(TIMEOUT)

        first.close()

        assert until(third, END_OF_ANSWER)
        second.close()
        third.close()


def test_a_stopping_server_completes_requests_and_closes_idle_connections() -> None:
    with running() as stopping, stopping.connect() as busy, stopping.connect() as idle:
        idle.sendall(GET + b"\r\n")
        until(idle, END_OF_ANSWER)
        busy.sendall(b"GET /gate HTTP/1.1\r\nHost: unite\r\n\r\n")
        eventually(lambda: len(stopping.application.requests) == 2, "both are worked on")

        stopping.stop()

        assert everything(idle) == b""
        stopping.application.gate.set()
        ((status, headers, _),) = split(everything(busy))
        assert (status, headers["connection"]) == (200, "close")


def test_a_stopping_server_answers_connections_in_the_backlog() -> None:
    with running(max_connections=1, late_connection_seconds=0) as stopping, stopping.connect() as first:
        first.sendall(GET + b"\r\n")
        until(first, END_OF_ANSWER)
        with stopping.connect() as waiting:
            waiting.sendall(GET + b"\r\n")

            stopping.stop()

            ((status, headers, _),) = split(everything(waiting))
        assert (status, headers["connection"]) == (200, "close")


def test_a_stopping_server_answers_a_request_in_transit_with_connection_close() -> None:
    with running(late_connection_seconds=TIMEOUT) as stopping, stopping.connect() as client:
        client.sendall(GET + b"\r\n")
        until(client, END_OF_ANSWER)
        stopping.stop()
        eventually(stopping.draining.is_set, "it stops")

        client.sendall(GET + b"\r\n")

        ((status, headers, _),) = split(everything(client))
        assert (status, headers["connection"]) == (200, "close")
        stopping.force_exit()


def test_a_stopping_server_accepts_connections_for_a_short_time() -> None:
    with running(late_connection_seconds=TIMEOUT) as stopping:
        stopping.stop()
        eventually(stopping.draining.is_set, "it stops")

        ((status, headers, _),) = split(stopping.exchange(GET + b"\r\n", ends=False))

        assert (status, headers["connection"]) == (200, "close")
        stopping.force_exit()


def test_a_stopping_server_does_not_answer_liveness_checks() -> None:
    sign = b"GET /alive HTTP/1.1\r\nHost: unite\r\n\r\n"
    with running(late_connection_seconds=TIMEOUT, liveness_paths=[b"/alive"]) as stopping, stopping.connect() as client:
        client.sendall(sign)
        until(client, END_OF_ANSWER)
        stopping.stop()
        eventually(stopping.draining.is_set, "it stops")

        client.sendall(sign)

        with suppress(ConnectionResetError):
            assert everything(client) == b""
        assert len(stopping.application.requests) == 1
        stopping.force_exit()


@pytest.mark.parametrize("sent", [b"", GET])
def test_a_stopping_server_waits_for_the_first_request_of_an_accepted_connection(sent: bytes) -> None:
    with (
        running(late_connection_seconds=0, grace_seconds=TIMEOUT, first_request_seconds=TIMEOUT) as stopping,
        stopping.connect() as client,
    ):
        client.sendall(sent)
        stopping.stop()
        eventually(lambda: _refuses(stopping), "it takes no connection any more")

        client.sendall((GET + b"\r\n")[len(sent) :])

        ((status, headers, _),) = split(everything(client))
        assert (status, headers["connection"]) == (200, "close")


def test_a_stopping_server_limits_the_wait_for_a_first_request() -> None:
    with (
        running(late_connection_seconds=0, grace_seconds=TIMEOUT, first_request_seconds=0.1) as stopping,
        stopping.connect() as client,
    ):
        stopping.stop()

        assert everything(client) == b""


class SlowToClose(socket.socket):
    """A socket that waits before it is closed, so that clients connect after the last connection was accepted."""

    def close(self) -> None:
        time.sleep(0.2)
        super().close()


def test_a_stopping_server_resets_no_connection() -> None:
    failed: list[str] = []
    listening = SlowToClose(socket.AF_INET, socket.SOCK_STREAM)
    listening.bind(("127.0.0.1", 0))
    listening.listen()

    def ask_until_refused() -> None:
        while True:
            try:
                client = stopping.connect()
            except (ConnectionRefusedError, TimeoutError):
                return
            try:
                with client:
                    client.sendall(GET + b"\r\n")
                    until(client, END_OF_ANSWER)
            except (OSError, AssertionError) as error:
                failed.append(repr(error))

    with running(listening=listening, late_connection_seconds=0.1, grace_seconds=TIMEOUT) as stopping:
        clients = [threading.Thread(target=ask_until_refused) for _ in range(12)]
        for client in clients:
            client.start()
        eventually(lambda: len(stopping.application.requests) > 100, "it is busy")
        stopping.stop()
        for client in clients:
            client.join(TIMEOUT)

    assert failed == []


def _refuses(stopping: Served) -> bool:
    try:
        stopping.connect().close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_stopping_server_ends_streams() -> None:
    with running() as stopping, stopping.connect() as client:
        client.sendall(b"GET /follow HTTP/1.1\r\nHost: unite\r\n\r\n")
        until(client, b"begun\r\n")

        stopping.stop()

        assert everything(client) == b""
        assert stopping.application.gone.wait(TIMEOUT)


def test_pipelined_requests_are_read_up_to_a_limit(served: Served) -> None:
    with served.connect() as client:
        client.sendall(b"GET /gate HTTP/1.1\r\nHost: unite\r\n\r\n")
        eventually(lambda: served.application.requests, "the first is worked on")
        client.settimeout(1.0)

        # What is not taken fills the buffers of the system, and then the client waits.
        with pytest.raises(TimeoutError):
            client.sendall(SECOND * 1_000_000)


def test_a_client_that_does_not_read_is_disconnected_after_a_timeout() -> None:
    with running(ServerTimeouts(head=1.0, pause=1.0)) as short_timeout_server, short_timeout_server.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(POST + b"Content-Length: 4000000\r\n\r\n" + b"x" * 4_000_000)

        eventually(lambda: not short_timeout_server.server.server_state.connections, "it is disconnected")
