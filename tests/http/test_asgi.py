"""Tests of the ASGI layer that runs the WSGI application: bodies, limits, streams and timeouts."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from entrypoints.capacity import MAX_UPLOADS_PER_ADDRESS, MAX_UPLOADS_PER_USER
from entrypoints.http.server.asgi import WsgiOnThreads
from entrypoints.http.server.asgi_types import Message
from entrypoints.http.server.body import BLOCK_BYTES
from entrypoints.http.server.body_rules import BodyRule, BodyRules
from entrypoints.http.server.response_sender import CHUNK_BYTES, MAX_WHOLE_RESPONSE_BYTES, Pause
from entrypoints.http.server.timeouts import ServerTimeouts
from unite_core.errors import UniteError

Environ = dict[str, Any]
MAX_BODY = 1024 * 1024
SHORT = ServerTimeouts(first=0.2, bytes_a_second=1_000_000, pause=0.2)
TIMEOUT = 20.0
END = {"type": "http.request", "body": b"", "more_body": False}
GONE = {"type": "http.disconnect"}


def block(content: bytes) -> Message:
    return {"type": "http.request", "body": content, "more_body": True}


class ScriptedClient:
    """Sends `coming` one by one and then nothing more, takes what it is sent, `slowness` seconds for each."""

    def __init__(self, *coming: Message, slowness: float = 0.0) -> None:
        self.coming = list(coming)
        self.slowness = slowness
        self.got: list[Message] = []
        self.waiting = asyncio.Event()
        self.more = asyncio.Event()

    async def receive(self) -> Message:
        if not self.coming:
            self.waiting.set()
            await self.more.wait()
        return self.coming.pop(0)

    async def send(self, message: Message) -> None:
        await asyncio.sleep(self.slowness)
        self.got.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.got)


class OneRule(BodyRules):
    """The same rule for every request; `admitted` is the one value of Authorization that is good."""

    def __init__(self, rule: BodyRule | None, admitted: str = "Bearer good") -> None:
        self.rule = rule
        self.admitted = admitted

    def rule_for(self, method: str, path: str) -> BodyRule | None:
        assert (method, path[:1]) == ("POST", "/")
        return self.rule

    def user(self, authorization: str) -> str | None:
        return authorization if authorization == self.admitted else None

    def address(self, peer: str, forwarded_for: str) -> str:
        return forwarded_for or peer


PUBLIC = OneRule(BodyRule(max_body=MAX_BODY, transfer=False, public=True))
PRIVATE = OneRule(BodyRule(max_body=MAX_BODY, transfer=False, public=False))
TRANSFER = OneRule(BodyRule(max_body=10 * MAX_BODY, transfer=True, public=True))
IN_CHUNKS = (b"transfer-encoding", b"chunked")
GOOD_TOKEN = (b"authorization", b"Bearer good")


def scope_of(*headers: tuple[bytes, bytes], path: bytes = b"/") -> dict[str, Any]:
    return {
        "type": "http",
        "method": "POST",
        "raw_path": path,
        "query_string": b"a=%FF&b=\xff",
        "headers": [(b"host", b"unite"), *headers],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("192.0.2.1", 50000),
    }


def ask(
    application: Callable[[Environ, Callable[..., Any]], Iterable[bytes]],
    client: ScriptedClient,
    *headers: tuple[bytes, bytes],
    rules: BodyRules = PUBLIC,
    timeouts: ServerTimeouts = SHORT,
    path: bytes = b"/",
    **limits: int,
) -> None:
    scope = scope_of(*(headers or (IN_CHUNKS,)), path=path)

    async def served() -> None:
        served_by = WsgiOnThreads(application, rules, threads=2, timeouts=timeouts, **limits)
        await asyncio.wait_for(served_by(scope, client.receive, client.send), TIMEOUT)

    asyncio.run(served())


def echo(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
    """Answers with the body, or with the code of the error that the request is refused with."""
    try:
        body = environ["wsgi.input"].read()
    except UniteError as error:
        body = error.code.encode()
    start_response("200 OK", [("Content-Length", str(len(body))), ("X-Odd", "\xe9")])
    return [body]


def test_a_body_is_read_and_the_response_is_sent_in_one_piece() -> None:
    client = ScriptedClient(block(b"one "), block(b""), block(b"two"), END)

    ask(echo, client)

    assert client.got == [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"7"), (b"x-odd", b"\xe9")]},
        {"type": "http.response.body", "body": b"one two", "more_body": False},
    ]


def test_a_large_body_is_read_to_its_end() -> None:
    client = ScriptedClient(*(block(bytes([number]) * 50_000) for number in range(20)), END)

    ask(echo, client)

    assert client.body == b"".join(bytes([number]) * 50_000 for number in range(20))


def test_the_application_gets_a_wsgi_environment() -> None:
    seen: Environ = {}

    def look(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        seen.update(environ)
        start_response("204 No Content", [("Content-Length", "0")])
        return []

    headers = [(b"content-length", b"0"), (b"content-type", b"a/b"), (b"x-a", b"1"), (b"x-a", b"2"), (b"x-b", b"\xe9")]
    ask(look, ScriptedClient(), *headers, path=b"//v1/%C3%A9%2F")

    expected = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "//v1/\xc3\xa9/",
        "QUERY_STRING": "a=%FF&b=\xff",
        "REMOTE_ADDR": "192.0.2.1",
        "SERVER_PORT": "8000",
        "CONTENT_TYPE": "a/b",
        "CONTENT_LENGTH": "0",
        "HTTP_X_A": "1, 2",
        "HTTP_X_B": "\xe9",
        "wsgi.url_scheme": "http",
    }
    assert {name: seen[name] for name in expected} == expected
    assert seen["wsgi.input"].read() == b""


def test_a_request_without_a_body_is_not_waited_for() -> None:
    client = ScriptedClient()

    ask(echo, client, (b"x-a", b"1"))

    assert client.body == b""


@pytest.mark.parametrize("coming", [[], [block(b"x")], [block(b"x" * BLOCK_BYTES), block(b"x")]])
def test_a_body_that_does_not_arrive_times_out(coming: list[Message]) -> None:
    client = ScriptedClient(*coming)
    begun = time.monotonic()

    ask(echo, client)

    assert client.body == b"request_timeout"
    assert time.monotonic() - begun < 5


def test_the_time_limit_of_a_body_grows_with_the_received_bytes() -> None:
    class Steady(ScriptedClient):
        async def receive(self) -> Message:
            await asyncio.sleep(0.12)
            return await super().receive()

    # Both wait for 2.5 seconds at least. A block of the small body earns a millisecond, one of the large body ten
    # seconds, so that a machine which stands still for a moment changes nothing.
    small, large = Steady(*[block(b"x")] * 20, END), Steady(*[block(b"x" * 10_000)] * 20, END)
    timeouts = ServerTimeouts(first=2.0, bytes_a_second=1_000, pause=10.0)

    async def served() -> None:
        served_by = WsgiOnThreads(echo, PUBLIC, threads=2, timeouts=timeouts)
        await asyncio.gather(*(served_by(scope_of(IN_CHUNKS), it.receive, it.send) for it in (small, large)))

    asyncio.run(asyncio.wait_for(served(), TIMEOUT))

    assert small.body == b"request_timeout"
    assert len(large.body) == 200_000


@pytest.mark.parametrize("rules", [PUBLIC, TRANSFER])
@pytest.mark.parametrize("coming", [[block(b"x"), GONE], [block(b"x" * BLOCK_BYTES), GONE]])
def test_an_incomplete_body_is_malformed(rules: OneRule, coming: list[Message]) -> None:
    client = ScriptedClient(*coming)

    ask(echo, client, rules=rules)

    assert client.body == b"malformed"
    assert (b"connection", b"close") in client.got[0]["headers"]


def test_a_content_length_over_the_limit_is_refused_unread() -> None:
    client = ScriptedClient()

    ask(echo, client, (b"content-length", str(MAX_BODY + 1).encode()))

    assert client.body == b"too_large"
    assert (b"connection", b"close") in client.got[0]["headers"]


def test_a_body_of_the_maximum_size_is_read_and_a_larger_chunked_one_is_stopped_there() -> None:
    whole = ScriptedClient(*[block(b"x" * BLOCK_BYTES)] * (MAX_BODY // BLOCK_BYTES), END)
    endless = ScriptedClient(*[block(b"x" * BLOCK_BYTES)] * 1000)

    ask(echo, whole)
    ask(echo, endless)

    assert len(whole.body) == MAX_BODY
    assert endless.body == b"too_large"
    assert 1000 - len(endless.coming) <= MAX_BODY // BLOCK_BYTES + 1


@pytest.mark.parametrize("headers", [[], [(b"authorization", b"Bearer forged")]])
def test_only_the_beginning_of_a_large_body_of_an_unknown_client_is_read(headers: list[tuple[bytes, bytes]]) -> None:
    def refuse(_: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        start_response("401 Unauthorized", [("Content-Length", "0")])
        return []

    unknown = ScriptedClient(*[block(b"x" * BLOCK_BYTES)] * 10)
    known = ScriptedClient(*[block(b"x" * BLOCK_BYTES)] * 10, END)

    ask(refuse, unknown, IN_CHUNKS, *headers, rules=PRIVATE)
    ask(echo, known, IN_CHUNKS, GOOD_TOKEN, rules=PRIVATE)

    assert unknown.got[0]["status"] == 401
    assert len(unknown.coming) >= 9
    assert len(known.body) == 10 * BLOCK_BYTES


def test_an_unneeded_body_is_not_waited_for() -> None:
    client = ScriptedClient()

    def ignore(_: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        start_response("404 Not Found", [("Content-Length", "0")])
        return []

    ask(ignore, client, rules=OneRule(None))

    assert client.got[0]["status"] == 404


def test_large_bodies_share_a_memory_budget() -> None:
    large = [block(b"x" * BLOCK_BYTES)] * 3

    taken, refused, small = (
        ScriptedClient(*large, END),
        ScriptedClient(*large, END),
        ScriptedClient(block(b"x" * BLOCK_BYTES), END),
    )
    ask(echo, taken, max_buffered=2 * BLOCK_BYTES)
    ask(echo, refused, max_buffered=2 * BLOCK_BYTES - 1)
    ask(echo, small, max_buffered=0)

    assert len(taken.body) == 3 * BLOCK_BYTES
    assert refused.body == b"too_many_transfers"
    assert len(small.body) == BLOCK_BYTES


def test_a_large_upload_without_a_free_place_is_refused_at_once_and_a_small_one_is_accepted() -> None:
    large = [block(b"x" * BLOCK_BYTES)] * 2
    stalled, refused, small = ScriptedClient(*large), ScriptedClient(*large, END), ScriptedClient(block(b"x"), END)

    async def served() -> None:
        served_by = WsgiOnThreads(echo, TRANSFER, uploads=1)
        uploading = asyncio.ensure_future(served_by(scope_of(IN_CHUNKS), stalled.receive, stalled.send))
        await stalled.waiting.wait()
        for client in (refused, small):
            await served_by(scope_of(IN_CHUNKS), client.receive, client.send)
        assert not uploading.done()
        stalled.coming.append(END)
        stalled.more.set()
        await uploading

    asyncio.run(asyncio.wait_for(served(), TIMEOUT))

    assert refused.body == b"too_many_transfers"
    assert small.body == b"x"
    assert len(stalled.body) == 2 * BLOCK_BYTES


class Everybody(OneRule):
    """A rule by which each value of Authorization is another user."""

    def user(self, authorization: str) -> str | None:
        return authorization


BY_ADDRESS = Everybody(BodyRule(max_body=10 * MAX_BODY, transfer=True, public=True))
BY_USER = Everybody(BodyRule(max_body=10 * MAX_BODY, transfer=True, public=False))


@pytest.mark.parametrize(
    ("rules", "header", "share"),
    [(BY_USER, b"authorization", MAX_UPLOADS_PER_USER), (BY_ADDRESS, b"x-forwarded-for", MAX_UPLOADS_PER_ADDRESS)],
)
def test_a_client_has_only_a_share_of_the_places_for_uploads(rules: BodyRules, header: bytes, share: int) -> None:
    large = [block(b"x" * BLOCK_BYTES)] * 2
    stalled = [ScriptedClient(*large) for _ in range(share)]
    refused, other, later = (ScriptedClient(*large, END) for _ in range(3))

    async def served() -> None:
        served_by = WsgiOnThreads(echo, rules, uploads=share + 2)
        of_one, of_another = scope_of(IN_CHUNKS, (header, b"one")), scope_of(IN_CHUNKS, (header, b"another"))
        uploading = [asyncio.ensure_future(served_by(of_one, it.receive, it.send)) for it in stalled]
        for client in stalled:
            await client.waiting.wait()
        await served_by(of_one, refused.receive, refused.send)
        await served_by(of_another, other.receive, other.send)
        for client in stalled:
            client.coming.append(END)
            client.more.set()
        await asyncio.gather(*uploading)
        await served_by(of_one, later.receive, later.send)

    asyncio.run(asyncio.wait_for(served(), TIMEOUT))

    assert refused.body == b"too_many_transfers"
    assert len(other.body) == len(later.body) == 2 * BLOCK_BYTES


def test_a_client_that_expects_100_continue_gets_it_when_the_file_is_read() -> None:
    read: list[bool] = []

    class Asking(ScriptedClient):
        async def receive(self) -> Message:
            assert read
            return await super().receive()

    def read_late(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        read.append(True)
        return echo(environ, start_response)

    client = Asking(block(b"x"), END)
    ask(read_late, client, IN_CHUNKS, (b"expect", b"100-continue"), rules=TRANSFER)

    assert client.body == b"x"


def test_a_thread_is_used_only_after_the_body_has_arrived() -> None:
    seen: list[str] = []

    class Slow(ScriptedClient):
        async def receive(self) -> Message:
            await asyncio.sleep(0.02)
            seen.append("came")
            return await super().receive()

    def work(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        seen.append("begun")
        return echo(environ, start_response)

    ask(work, Slow(block(b"x"), block(b"y"), END), IN_CHUNKS, (b"expect", b"100-continue"))

    assert seen == ["came", "came", "came", "begun"]


def test_a_client_that_sends_too_slowly_after_a_large_beginning_times_out() -> None:
    class Trickling(ScriptedClient):
        async def receive(self) -> Message:
            if len(self.coming) < 1000:
                await asyncio.sleep(0.05)
            return await super().receive()

    client = Trickling(*[block(b"x" * BLOCK_BYTES)] * 2, *[block(b"x")] * 999)
    timeouts = ServerTimeouts(first=0.5, bytes_a_second=1_000, pause=0.5)

    ask(echo, client, rules=TRANSFER, timeouts=timeouts)

    assert client.body == b"request_timeout"
    assert len(client.coming) > 900


class Blocks(Iterator[bytes]):
    """A body of an answer that is longer than anybody waits for; `given` counts its blocks."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.given = 0
        self.closed = threading.Event()

    def __call__(self, _: Environ, start_response: Callable[..., Any]) -> "Blocks":
        start_response("200 OK", [])
        return self

    def __next__(self) -> bytes:
        self.given += 1
        if self.given > TIMEOUT / 0.001:
            raise StopIteration
        time.sleep(0.001)
        return self.content

    def close(self) -> None:
        self.closed.set()


@pytest.mark.parametrize("content", [b"x", b"", Pause(0.01)])
def test_a_stream_is_closed_when_the_client_disconnects(content: bytes) -> None:
    class Leaving(ScriptedClient):
        async def receive(self) -> Message:
            await asyncio.sleep(0.1)
            return GONE

    blocks = Blocks(content)

    ask(blocks, Leaving(), (b"x-a", b"1"))

    assert blocks.closed.is_set()


def test_a_stream_is_closed_when_the_client_does_not_read() -> None:
    blocks, client = Blocks(b"x"), ScriptedClient(slowness=60)

    ask(blocks, client, (b"x-a", b"1"))

    assert blocks.closed.is_set()
    assert blocks.given <= 1
    assert client.got == []


def test_a_stream_is_not_read_ahead_of_the_client() -> None:
    class Leaving(ScriptedClient):
        async def receive(self) -> Message:
            await asyncio.sleep(0.3)
            return GONE

    blocks, client = Blocks(b"x"), Leaving(slowness=0.05)

    ask(blocks, client, (b"x-a", b"1"))

    assert blocks.given <= len(client.got) + 1


def test_a_finite_stream_is_sent_completely() -> None:
    def three(_: Environ, start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", str(MAX_WHOLE_RESPONSE_BYTES + 1))])
        return iter([b"one", b"", b"two"])

    client = ScriptedClient()

    ask(three, client, (b"x-a", b"1"))

    assert [(message.get("body"), message.get("more_body")) for message in client.got] == [
        (None, None),
        (b"one", True),
        (b"two", True),
        (b"", False),
    ]


def test_no_thread_waits_during_a_pause_of_a_stream_or_for_a_slow_client() -> None:
    begun = threading.Event()

    def stream(_: Environ, start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [])
        begun.set()
        return iter([b"x", Pause(60)])

    async def served() -> None:
        served_by = WsgiOnThreads(stream, PUBLIC, threads=1)
        follower, other = ScriptedClient(), ScriptedClient()
        follows = asyncio.ensure_future(served_by(scope_of(), follower.receive, follower.send))
        await asyncio.to_thread(begun.wait)
        answered = asyncio.ensure_future(served_by(scope_of(), other.receive, other.send))
        while not other.body:
            await asyncio.wait_for(asyncio.sleep(0.01), TIMEOUT)
        for task in (follows, answered):
            task.cancel()

    asyncio.run(asyncio.wait_for(served(), TIMEOUT))


def test_a_large_response_is_sent_in_pieces_and_aborted_if_the_client_does_not_read() -> None:
    def large(_: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Content-Length", str(3 * CHUNK_BYTES))])
        return [b"x" * 3 * CHUNK_BYTES]

    reads, does_not = ScriptedClient(), ScriptedClient(slowness=60)

    ask(large, reads, (b"x-a", b"1"))
    ask(large, does_not, (b"x-a", b"1"))

    assert [len(message.get("body", b"")) for message in reads.got] == [0, CHUNK_BYTES, CHUNK_BYTES, CHUNK_BYTES]
    assert does_not.got == []


@pytest.mark.parametrize(
    "headers",
    [
        [(b"host", b"unite")],
        [(b"content-type", b"a/b"), (b"content-type", b"a/b")],
        [(b"content-length", b"0"), (b"content-length", b"0")],
        [(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")],
        [(b"idempotency-key", b"a"), (b"idempotency-key", b"b")],
        [(b"x-correlation-id", b"aaaaaaaa"), (b"x-correlation-id", b"bbbbbbbb")],
        [(b"x-twilio-signature", b"a"), (b"x-twilio-signature", b"b")],
        [(b"transfer-encoding", b"gzip, chunked")],
        [(b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"chunked"), (b"content-length", b"2")],
    ],
)
def test_a_contradictory_head_is_refused(headers: list[tuple[bytes, bytes]]) -> None:
    client = ScriptedClient()

    ask(echo, client, *headers)

    assert client.body == b"invalid_header"


@pytest.mark.parametrize("host", [b"", b"a b", b"a/b", b"u@a", b"a:b", b"[::1", b"a\xff", b"%zz", b"a" * 300, b"a,b"])
def test_an_invalid_host_is_refused(host: bytes) -> None:
    client = ScriptedClient()

    refused = scope_of()
    refused["headers"] = [(b"host", host)]
    asyncio.run(WsgiOnThreads(echo, PUBLIC)(refused, client.receive, client.send))

    assert client.body == (b"" if host == b"a,b" else b"invalid_header")


@pytest.mark.parametrize("host", [b"unite", b"unite.example:8000", b"127.0.0.1", b"[::1]:80", b"a_b", b"a:"])
def test_a_valid_host_is_accepted(host: bytes) -> None:
    client = ScriptedClient()

    taken = scope_of()
    taken["headers"] = [(b"host", host)]
    asyncio.run(WsgiOnThreads(echo, PUBLIC)(taken, client.receive, client.send))

    assert client.body == b""


def test_http_1_0_needs_no_host() -> None:
    client = ScriptedClient()

    taken = scope_of() | {"http_version": "1", "headers": [(b"host", b"")]}
    asyncio.run(WsgiOnThreads(echo, PUBLIC)(taken, client.receive, client.send))

    assert client.body == b""


def test_headers_with_underscores_are_ignored() -> None:
    seen: Environ = {}

    def look(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        seen.update(environ)
        start_response("204 No Content", [("Content-Length", "0")])
        return []

    names = [b"x_forwarded_for", b"content_length", b"content_type", b"idempotency_key", b"x-forwarded_for"]
    ask(look, ScriptedClient(), (b"x-forwarded-for", b"192.0.2.7"), *[(name, b"forged") for name in names])

    assert seen["HTTP_X_FORWARDED_FOR"] == "192.0.2.7"
    assert "forged" not in [value for value in seen.values() if isinstance(value, str)]


def test_an_internal_error_outside_the_application_is_a_problem_document_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def mistaken(*_: Any) -> list[bytes]:
        raise RuntimeError("a mistake")

    client = ScriptedClient()
    ask(mistaken, client, (b"x-a", b"1"))

    body = json.loads(client.body)
    headers = dict(client.got[0]["headers"])
    assert (client.got[0]["status"], body["code"]) == (500, "internal_error")
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"x-correlation-id"].decode() == body["correlation_id"]
    assert "a mistake" not in client.body.decode()
    assert [record.levelname for record in caplog.records if record.exc_info] == ["ERROR"]


def test_an_internal_error_during_a_stream_ends_it_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def blocks() -> Iterator[bytes]:
        yield b"x"
        raise RuntimeError("a mistake")

    def breaking(_: Environ, start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [])
        return blocks()

    client = ScriptedClient()
    ask(breaking, client, (b"x-a", b"1"))

    assert client.body == b"x"
    assert [record.levelname for record in caplog.records if record.exc_info] == ["ERROR"]
