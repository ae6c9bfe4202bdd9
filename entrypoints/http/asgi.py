"""A WSGI application behind an ASGI server: the server's loop waits for clients, and threads work on requests.

A server of WSGI hands out a body that can be waited for and not be given up: a client that announces a body and never
sends it keeps a thread and a connection for as long as it likes. Here every wait for a client has an end, and the
connection has it too.
"""

import asyncio
import io
import math
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from entrypoints.capacity import THREADS
from entrypoints.http.problems import RequestTimeout

T = TypeVar("T")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
WsgiHeaders = list[tuple[str, str]]
WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

BLOCK = 64 * 1024
"""Bytes of a body that are waited for before a thread is taken; most bodies have fewer."""

IN_ONE_PIECE = 256 * 1024
"""An answer of at most so many bytes is handed over whole: its thread is free before the client has read it."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a client is waited for.

    A body may take `first` seconds, and one more for each `bytes_a_second` that came. Between two blocks of it, and
    until a block of an answer is taken, at most `pause` seconds may pass.
    """

    first: float = 10.0
    bytes_a_second: int = 16 * 1024
    pause: float = 30.0


class OnThreads:
    """The ASGI application (version 3) that has `application` work on each request, on one of `threads` threads."""

    def __init__(
        self, application: WsgiApplication, *, threads: int = THREADS, patience: Patience | None = None
    ) -> None:
        self._application = application
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._patience = patience or Patience()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        client = _Client(loop, receive, send, self._patience)
        await client.expect(dict(scope["headers"]))
        if client.gone:
            return
        done: asyncio.Future[list[Message]] = loop.create_future()
        self._threads.submit(self._work, scope, client, done)
        for message in await done:
            await send(message)

    def _work(self, scope: Mapping[str, Any], client: "_Client", done: "asyncio.Future[list[Message]]") -> None:
        """What `loop.run_in_executor` does, at half its cost, which is a tenth of a small request."""
        try:
            tell = partial(done.set_result, _carry_out(self._application, scope, client))
        except BaseException as error:  # noqa: BLE001 - it is raised again where the answer is waited for
            tell = partial(done.set_exception, error)
        # Where the loop has ended, the server has.
        with suppress(RuntimeError):
            client.loop.call_soon_threadsafe(tell)


class _Client:
    """The client as a thread sees it: it is waited for, and given up where that takes too long."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Receive, send: Send, patience: Patience) -> None:
        self.loop = loop
        self.gone = False
        self._receive = receive
        self._send = send
        self._patience = patience
        self._pending = bytearray()
        self._came = 0
        self._waited = 0.0
        self._more = False
        self._late = False

    async def expect(self, headers: Mapping[bytes, bytes]) -> None:
        """Wait for the beginning of the body, on the loop, where waiting costs next to nothing."""
        self._more = b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
        # Who waits to be told to go on (RFC 9110, 10.1.1) is told so by the first attempt to read.
        if b"expect" not in headers:
            while len(self._pending) < BLOCK and self._more and not self._late:
                await self._receive_block()

    def next_block(self) -> bytes:
        """The next bytes of the body, none at its end; raises `RequestTimeout` and `ConnectionError`."""
        while not self._pending and self._more and not self._late:
            asyncio.run_coroutine_threadsafe(self._receive_block(), self.loop).result()
        if not self._pending and self._late:
            raise RequestTimeout("The body did not come in time; send the request again.")
        if not self._pending and self.gone:
            raise ConnectionError("The client is gone.")
        block, self._pending = bytes(self._pending), bytearray()
        return block

    def take(self, message: Message) -> None:
        """Have the client take a part of the answer; it counts as gone where it does not."""
        try:
            asyncio.run_coroutine_threadsafe(
                self._within(self._patience.pause, self._send, message), self.loop
            ).result()
        except (TimeoutError, OSError):
            self.gone = True

    def begin_to_watch(self) -> Callable[[], object]:
        """Notice from now on when the client goes; what comes back ends that."""
        return asyncio.run_coroutine_threadsafe(self._watch(), self.loop).cancel

    async def _receive_block(self) -> None:
        left = self._patience.first + self._came / self._patience.bytes_a_second - self._waited
        began = time.monotonic()
        try:
            message = await self._within(min(left, self._patience.pause), self._receive)
        except TimeoutError:
            self._late = True
            return
        self._waited += time.monotonic() - began
        self.gone = message["type"] == "http.disconnect"
        block = message.get("body", b"")
        self._pending += block
        self._came += len(block)
        self._more = message.get("more_body", False)

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True

    async def _within(self, seconds: float, call: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        async with asyncio.timeout(seconds):
            return await call(*arguments)


class _Body(io.RawIOBase):
    """The body of a request, pulled from the client as it is read."""

    def __init__(self, client: _Client) -> None:
        super().__init__()
        self._client = client
        self._pending = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed names a private protocol
        if not self._pending:
            self._pending = memoryview(self._client.next_block())
        taken = self._pending[: len(target)]
        target[: len(taken)] = taken
        self._pending = self._pending[len(taken) :]
        return len(taken)


def _carry_out(application: WsgiApplication, scope: Mapping[str, Any], client: _Client) -> list[Message]:
    """Have the request worked on; what comes back is the whole of a small answer, nothing where it was sent already."""
    begun: list[Message] = []

    def start_response(status: str, headers: WsgiHeaders, _: object = None) -> None:
        begun[:] = [_start(status, headers)]

    blocks = application(_environ(scope, client), start_response)
    try:
        (start,) = begun
        if _length(start) <= IN_ONE_PIECE:
            return [start, _part(b"".join(blocks), last=True)]
        _stream(client, start, blocks)
        return []
    finally:
        close = getattr(blocks, "close", None)
        if close is not None:
            close()


def _stream(client: _Client, start: Message, blocks: Iterable[bytes]) -> None:
    end_watch = client.begin_to_watch()
    try:
        client.take(start)
        for block in blocks:
            if client.gone:
                return
            # An empty block is nothing but a chance to notice that the client is gone.
            if block:
                client.take(_part(block))
        client.take(_part(b"", last=True))
    finally:
        end_watch()


def _start(status: str, headers: WsgiHeaders) -> Message:
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": int(status[:3]), "headers": encoded}


def _part(content: bytes, *, last: bool = False) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": not last}


def _length(start: Message) -> float:
    return next((int(value) for name, value in start["headers"] if name == b"content-length"), math.inf)


@lru_cache(maxsize=256)
def _variable(header: bytes) -> str:
    """The name that a header has in the environment."""
    name = header.decode("latin-1").upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"


def _environ(scope: Mapping[str, Any], client: _Client) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333, environ Variables): text is bytes read as Latin-1."""
    # Both are missing where the connection has no address, as over a Unix socket.
    server, port = scope.get("server") or ("", "")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BufferedReader(_Body(client)),
        # Also where no length was announced, the input ends where the body does.
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name = _variable(raw_name)
        value = raw_value.decode("latin-1")
        environ[name] = f"{environ[name]},{value}" if name in environ else value
    return environ
