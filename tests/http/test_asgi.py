"""What a server of ASGI and the application behind it get to see of each other."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from entrypoints.http.asgi import BLOCK, IN_ONE_PIECE, Message, OnThreads, Patience
from entrypoints.http.problems import RequestTimeout

Environ = dict[str, Any]
SHORT = Patience(first=0.2, bytes_a_second=1_000_000, pause=0.2)
LONGEST_WAIT = 20.0
END = {"type": "http.request", "body": b"", "more_body": False}
GONE = {"type": "http.disconnect"}


def block(content: bytes) -> Message:
    return {"type": "http.request", "body": content, "more_body": True}


class Client:
    """Sends `coming` one by one and then nothing more, takes what it is sent, `slowness` seconds for each."""

    def __init__(self, *coming: Message, slowness: float = 0.0) -> None:
        self.coming = list(coming)
        self.slowness = slowness
        self.got: list[Message] = []

    async def receive(self) -> Message:
        if not self.coming:
            await asyncio.Event().wait()
        return self.coming.pop(0)

    async def send(self, message: Message) -> None:
        await asyncio.sleep(self.slowness)
        self.got.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.got)


def ask(
    application: Callable[[Environ, Callable[..., Any]], Iterable[bytes]],
    client: Client,
    *headers: tuple[bytes, bytes],
    patience: Patience = SHORT,
    path: bytes = b"/",
) -> None:
    scope = {
        "type": "http",
        "method": "POST",
        "raw_path": path,
        "query_string": b"a=%FF&b=\xff",
        "headers": headers or [(b"transfer-encoding", b"chunked")],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("192.0.2.1", 50000),
    }

    async def served() -> None:
        served_by = OnThreads(application, threads=2, patience=patience)
        await asyncio.wait_for(served_by(scope, client.receive, client.send), LONGEST_WAIT)

    asyncio.run(served())


def echo(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
    try:
        body = environ["wsgi.input"].read()
    except RequestTimeout:
        body = b"late"
    start_response("200 OK", [("Content-Length", str(len(body))), ("X-Odd", "\xe9")])
    return [body]


def test_an_application_reads_the_body_and_is_answered_in_one_piece() -> None:
    client = Client(block(b"one "), block(b""), block(b"two"), END)

    ask(echo, client)

    assert client.got == [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"7"), (b"x-odd", b"\xe9")]},
        {"type": "http.response.body", "body": b"one two", "more_body": False},
    ]


def test_a_large_body_is_read_to_its_end() -> None:
    client = Client(*(block(bytes([number]) * 50_000) for number in range(20)), END)

    ask(echo, client)

    assert client.body == b"".join(bytes([number]) * 50_000 for number in range(20))


def test_an_application_sees_the_request_as_wsgi_has_it() -> None:
    seen: Environ = {}

    def look(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        seen.update(environ)
        start_response("204 No Content", [("Content-Length", "0")])
        return []

    headers = [(b"content-length", b"0"), (b"content-type", b"a/b"), (b"x-a", b"1"), (b"x-a", b"2"), (b"x-b", b"\xe9")]
    ask(look, Client(), *headers, path=b"//v1/%C3%A9%2F")

    expected = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "//v1/\xc3\xa9/",
        "QUERY_STRING": "a=%FF&b=\xff",
        "REMOTE_ADDR": "192.0.2.1",
        "SERVER_PORT": "8000",
        "CONTENT_TYPE": "a/b",
        "CONTENT_LENGTH": "0",
        "HTTP_X_A": "1,2",
        "HTTP_X_B": "\xe9",
        "wsgi.url_scheme": "http",
    }
    assert {name: seen[name] for name in expected} == expected
    assert seen["wsgi.input"].read() == b""


def test_a_request_without_a_body_waits_for_none() -> None:
    client = Client()

    ask(echo, client, (b"host", b"unite"))

    assert client.body == b""


@pytest.mark.parametrize("coming", [[], [block(b"x")], [block(b"x" * BLOCK), block(b"x")]])
def test_a_body_that_does_not_come_is_not_waited_for(coming: list[Message]) -> None:
    client = Client(*coming)
    begun = time.monotonic()

    ask(echo, client)

    assert client.body == b"late"
    assert time.monotonic() - begun < 5


def test_a_body_may_take_longer_the_more_of_it_came() -> None:
    class Steady(Client):
        async def receive(self) -> Message:
            await asyncio.sleep(0.05)
            return await super().receive()

    slow, fast = Steady(*[block(b"x")] * 20, END), Steady(*[block(b"x" * 100)] * 20, END)
    patience = Patience(first=0.3, bytes_a_second=1_000, pause=5.0)

    ask(echo, slow, patience=patience)
    ask(echo, fast, patience=patience)

    assert slow.body == b"late"
    assert len(fast.body) == 2000


def test_a_client_that_leaves_before_its_body_is_there_is_not_worked_for() -> None:
    client = Client(block(b"x"), GONE)

    ask(echo, client)

    assert client.got == []


def test_a_client_that_leaves_in_the_middle_of_a_large_body_makes_reading_fail() -> None:
    failed: list[Exception] = []

    def read(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        try:
            environ["wsgi.input"].read()
        except ConnectionError as error:
            failed.append(error)
        start_response("400 Bad Request", [("Content-Length", "0")])
        return []

    ask(read, Client(block(b"x" * BLOCK), GONE))

    assert len(failed) == 1


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
        if self.given > LONGEST_WAIT / 0.001:
            raise StopIteration
        time.sleep(0.001)
        return self.content

    def close(self) -> None:
        self.closed.set()


@pytest.mark.parametrize("content", [b"x", b""])
def test_a_stream_is_closed_when_the_client_is_gone(content: bytes) -> None:
    class Leaving(Client):
        async def receive(self) -> Message:
            await asyncio.sleep(0.1)
            return GONE

    blocks = Blocks(content)

    ask(blocks, Leaving(), (b"host", b"unite"))

    assert blocks.closed.is_set()


def test_a_stream_is_closed_when_the_client_does_not_take_it() -> None:
    blocks, client = Blocks(b"x"), Client(slowness=60)

    ask(blocks, client, (b"host", b"unite"))

    assert blocks.closed.is_set()
    assert blocks.given == 1
    assert client.got == []


def test_a_stream_is_not_read_ahead_of_the_client() -> None:
    class Leaving(Client):
        async def receive(self) -> Message:
            await asyncio.sleep(0.3)
            return GONE

    blocks, client = Blocks(b"x"), Leaving(slowness=0.05)

    ask(blocks, client, (b"host", b"unite"))

    assert blocks.given <= len(client.got) + 1


def test_a_stream_that_ends_is_sent_as_it_comes_and_ended() -> None:
    def three(_: Environ, start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", str(IN_ONE_PIECE + 1))])
        return iter([b"one", b"", b"two"])

    client = Client()

    ask(three, client, (b"host", b"unite"))

    assert [(message.get("body"), message.get("more_body")) for message in client.got] == [
        (None, None),
        (b"one", True),
        (b"two", True),
        (b"", False),
    ]


def test_a_mistake_of_the_application_is_the_servers_to_tell() -> None:
    def mistaken(*_: Any) -> list[bytes]:
        raise RuntimeError("a mistake")

    with pytest.raises(RuntimeError, match="a mistake"):
        ask(mistaken, Client(), (b"host", b"unite"))
