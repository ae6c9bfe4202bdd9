"""Send responses on the event loop with timeouts, so that no thread waits for a slow client."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Self

from entrypoints.http.server.asgi_types import ClientConnection, Message
from entrypoints.http.server.threads import ThreadPool
from entrypoints.http.server.timeouts import ClientTimeout, ServerTimeouts, TimeBudget

MAX_WHOLE_RESPONSE_BYTES = 256 * 1024
"""A response with a Content-Length of at most so many bytes is read whole by its thread, and sent afterwards."""

CHUNK_BYTES = 64 * 1024
"""Bytes that are passed to the server at a time; it buffers a few of these for a client that reads slowly."""

DISCONNECT_POLL_SECONDS = 0.1
"""Seconds before the next check for a disconnect, after another message was received."""

_log = logging.getLogger("unite.http")


class Pause(bytes):
    """An empty block of a response: nothing follows for so many seconds, in which no thread waits."""

    seconds: float

    def __new__(cls, seconds: float) -> Self:
        """Create a pause of so many seconds."""
        pause = super().__new__(cls)
        pause.seconds = seconds
        return pause


@dataclass(frozen=True, slots=True)
class WsgiResponse:
    """The response of an application: its start message, and its body as bytes or as an iterator of blocks."""

    start: Message
    body: bytes | Iterator[bytes]
    close: Callable[[], None] = lambda: None

    def closing(self) -> "WsgiResponse":
        """Return the response with a header that closes the connection after it."""
        headers = [(name, value) for name, value in self.start["headers"] if name != b"connection"]
        return replace(self, start={**self.start, "headers": [*headers, (b"connection", b"close")]})


def start_message(status: str, headers: Iterable[tuple[str, str]]) -> Message:
    """Convert the status line and the headers of WSGI to the start message of ASGI."""
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": int(status[:3]), "headers": encoded}


class ResponseSender:
    """The sender of the response to one client."""

    def __init__(self, client: ClientConnection, timeouts: ServerTimeouts) -> None:
        self.started = False
        self._client = client
        # A client may pause before it starts to read the response, but not before it sends the body.
        self._allowance = TimeBudget(timeouts, first=timeouts.pause)

    async def send(self, answer: WsgiResponse, threads: ThreadPool, *, watched: bool) -> None:
        """Send the response and close it; disconnect a client that does not read it in time.

        With `watched` a stream also ends when the client disconnects, which requires that the request body was read.
        """
        try:
            if isinstance(answer.body, bytes) and len(answer.body) <= CHUNK_BYTES:
                # The server buffers this without waiting for the client.
                self.started = True
                await self._client.send(answer.start)
                await self._client.send({"type": "http.response.body", "body": answer.body, "more_body": False})
            elif isinstance(answer.body, bytes):
                await self._start(answer.start)
                await self._send_pieces(answer.body, last=True)
            else:
                await self._send_stream(answer.start, answer.body, threads, watched=watched)
        except ClientTimeout:
            _log.info("A client did not read its response in time, and is disconnected.")
            self._client.disconnect()
        finally:
            if not isinstance(answer.body, bytes):
                await threads.run(answer.close)

    async def _send_stream(
        self, start: Message, blocks: Iterator[bytes], threads: ThreadPool, *, watched: bool
    ) -> None:
        disconnected = (
            asyncio.ensure_future(self._disconnected()) if watched else asyncio.get_running_loop().create_future()
        )
        try:
            await self._start(start)
            while not disconnected.done():
                block = await threads.run(lambda: next(blocks, None))
                if block is None:
                    await self._send_pieces(b"", last=True)
                    return
                if isinstance(block, Pause):
                    await asyncio.wait((disconnected,), timeout=block.seconds)
                elif block:
                    await self._send_pieces(block, last=False)
        finally:
            disconnected.cancel()

    async def _start(self, start: Message) -> None:
        self.started = True
        await self._allowance.wait_for(self._client.send, start)

    async def _send_pieces(self, content: bytes, *, last: bool) -> None:
        for begin in range(0, len(content) or 1, CHUNK_BYTES):
            piece = content[begin : begin + CHUNK_BYTES]
            more = not last or begin + CHUNK_BYTES < len(content)
            await self._allowance.wait_for(
                self._client.send, {"type": "http.response.body", "body": piece, "more_body": more}
            )
            self._allowance.moved(len(piece))

    async def _disconnected(self) -> None:
        while (await self._client.receive())["type"] != "http.disconnect":  # noqa: ASYNC110 - it is a client that is awaited
            # Other messages may arrive in a fast sequence; the pause leaves the loop to other connections.
            await asyncio.sleep(DISCONNECT_POLL_SECONDS)
