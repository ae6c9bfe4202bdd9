"""Answers on their way out: sent by the loop, so that no thread waits until a client reads."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Self

from entrypoints.http.client import Client, Message
from entrypoints.http.threads import ThreadPool
from entrypoints.http.timeouts import ClientTimeout, TimeBudget, Timeouts

MAX_WHOLE_RESPONSE_BYTES = 256 * 1024
"""An answer that says it has at most so many bytes is made whole by its thread, and sent after that."""

CHUNK_BYTES = 64 * 1024
"""Bytes that are handed to the server below at a time; it holds a few of these for a client that is slow to read."""

DISCONNECT_POLL_SECONDS = 0.1
"""Seconds between two looks whether a client is gone, where something else came in place of that."""

_log = logging.getLogger("unite.http")


class Pause(bytes):
    """An empty block of an answer: there will be nothing to send for so many seconds. No thread waits for them."""

    seconds: float

    def __new__(cls, seconds: float) -> Self:
        """A pause of so many seconds."""
        pause = super().__new__(cls)
        pause.seconds = seconds
        return pause


@dataclass(frozen=True, slots=True)
class WsgiResponse:
    """What an application answered: the message that starts it, and its body, whole or still to be made."""

    start: Message
    body: bytes | Iterator[bytes]
    close: Callable[[], None] = lambda: None

    def closing(self) -> "WsgiResponse":
        """The answer, after which the connection is closed."""
        headers = [(name, value) for name, value in self.start["headers"] if name != b"connection"]
        return replace(self, start={**self.start, "headers": [*headers, (b"connection", b"close")]})


def start_message(status: str, headers: Iterable[tuple[str, str]]) -> Message:
    """The beginning of an answer as ASGI has it, from the status line and the headers of WSGI."""
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": int(status[:3]), "headers": encoded}


class ResponseSender:
    """The way to one client."""

    def __init__(self, client: Client, timeouts: Timeouts) -> None:
        self.started = False
        self._client = client
        # Reading an answer may begin with a pause: unlike a body it is not what the client came for.
        self._allowance = TimeBudget(timeouts, first=timeouts.pause)

    async def send(self, answer: WsgiResponse, threads: ThreadPool, *, watched: bool) -> None:
        """Send the answer, and close it; a client that does not read it in time is disconnected.

        Where `watched` a stream also ends as soon as the client is gone: its body has been read to the end by then.
        """
        try:
            if isinstance(answer.body, bytes) and len(answer.body) <= CHUNK_BYTES:
                # The server below takes this without waiting for the client.
                self.started = True
                await self._client.send(answer.start)
                await self._client.send({"type": "http.response.body", "body": answer.body, "more_body": False})
            elif isinstance(answer.body, bytes):
                await self._start(answer.start)
                await self._send_pieces(answer.body, last=True)
            else:
                await self._send_stream(answer.start, answer.body, threads, watched=watched)
        except ClientTimeout:
            _log.info("A client did not read its answer in time, and is disconnected.")
            self._client.disconnect()
        finally:
            if not isinstance(answer.body, bytes):
                await threads.run(answer.close)

    async def _send_stream(
        self, start: Message, blocks: Iterator[bytes], threads: ThreadPool, *, watched: bool
    ) -> None:
        gone = asyncio.ensure_future(self._gone()) if watched else asyncio.get_running_loop().create_future()
        try:
            await self._start(start)
            while not gone.done():
                block = await threads.run(lambda: next(blocks, None))
                if block is None:
                    await self._send_pieces(b"", last=True)
                    return
                if isinstance(block, Pause):
                    await asyncio.wait((gone,), timeout=block.seconds)
                elif block:
                    await self._send_pieces(block, last=False)
        finally:
            gone.cancel()

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

    async def _gone(self) -> None:
        while (await self._client.receive())["type"] != "http.disconnect":  # noqa: ASYNC110 - it is a client that is awaited
            # Should anything else come at once and again and again, the loop has others to look after.
            await asyncio.sleep(DISCONNECT_POLL_SECONDS)
