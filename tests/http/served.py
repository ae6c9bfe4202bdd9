"""HTTP server with an echo application, for tests that talk to it over sockets."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from entrypoints.http.server.asgi_types import Receive, Send
from entrypoints.http.server.listener import HttpServer
from entrypoints.http.server.timeouts import ServerTimeouts

TIMEOUT = 20.0


class Recorder:
    """The application; its behaviour depends on the path.

    `/stream` sends three blocks without a length. `/unread` answers without reading and ends the connection,
    `/careless` does not end it. `/gate` answers when `gate` is set, and `/follow` sends until the client is gone, which
    sets `gone`. Others are answered with a JSON document that says what came.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.gate = threading.Event()
        self.gone = threading.Event()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        path = scope["raw_path"].decode()
        self.requests.append(f"{scope['method']} {path}")
        if path == "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for block in (b"one", b"two", b""):
                await send({"type": "http.response.body", "body": block, "more_body": block != b""})
        elif path == "/careless":
            await answer(send, {"path": path})
        elif path == "/unread":
            await answer(send, {}, (b"connection", b"close"))
        elif path == "/gate":
            while not self.gate.is_set():  # noqa: ASYNC110 - the test sets it in another thread
                await asyncio.sleep(0.01)
            await answer(send, {"path": path})
        elif path == "/follow":
            await self.follow(receive, send)
        else:
            body, whole = await body_of(receive)
            headers = [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]]
            query = scope["query_string"].decode()
            await answer(
                send, {"path": path, "query": query, "body": body.decode(), "whole": whole, "headers": headers}
            )

    async def follow(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone.set()


async def body_of(receive: Receive) -> tuple[bytes, bool]:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return body, False
        body += message["body"]
        more = message["more_body"]
    return body, True


async def answer(send: Send, content: Any, *headers: tuple[bytes, bytes]) -> None:
    body = json.dumps(content).encode()
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


class Served:
    """A running server, its application and its address."""

    def __init__(
        self, server: HttpServer, application: Recorder, address: tuple[str, int], draining: threading.Event
    ) -> None:
        self.server = server
        self.application = application
        self.address = address
        self.draining = draining

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=TIMEOUT)

    def exchange(self, *sent: bytes, ends: bool = True) -> bytes:
        """Send a request, and read until the connection is closed; with `ends` the client closes its side first."""
        with self.connect() as client:
            for part in sent:
                client.sendall(part)
            if ends:
                client.shutdown(socket.SHUT_WR)
            return everything(client)

    def stop(self) -> None:
        self.server.should_exit = True

    def force_exit(self) -> None:
        """Have it wait for nothing more, as a second SIGINT does."""
        self.server.force_exit = True


def everything(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def until(client: socket.socket, end: bytes) -> bytes:
    """Read up to and including `end`."""
    whole = b""
    while not whole.endswith(end):
        block = client.recv(1)
        assert block, whole
        whole += block
    return whole


@contextmanager
def running(
    timeouts: ServerTimeouts | None = None,
    *,
    listening: socket.socket | None = None,
    draining: threading.Event | None = None,
    **options: Any,
) -> Iterator[Served]:
    """Run a server during the block, by default on a free port."""
    listening = listening or socket.create_server(("127.0.0.1", 0))
    address = listening.getsockname()
    application = Recorder()
    draining = draining or threading.Event()
    server = HttpServer(application, listening, timeouts=timeouts, draining=draining, **options)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield Served(server, application, address, draining)
    finally:
        application.gate.set()
        server.should_exit = True
        thread.join(TIMEOUT)
        assert not thread.is_alive()


def split(whole: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """Parse status, headers and body of each answer in `whole`; all of them need a Content-Length."""
    answers = []
    while whole:
        head, _, whole = whole.partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        headers = dict(one.lower().split(": ", 1) for one in lines)
        size = int(headers.get("content-length", "0"))
        answers.append((int(line.split()[1]), headers, whole[:size]))
        whole = whole[size:]
    return answers
