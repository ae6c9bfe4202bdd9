"""A request body as the ASGI layer receives it: time limits, a shared memory budget, a stream for uploads."""

import asyncio
import io
from collections.abc import Mapping

from entrypoints.http.framework.problems import RequestTimeout, too_many_transfers
from entrypoints.http.server.asgi_types import ClientConnection
from entrypoints.http.server.timeouts import ClientTimeout, ServerTimeouts, TimeBudget
from unite_core.errors import Malformed, UniteError

BLOCK_BYTES = 64 * 1024
"""Bytes of each body that are read before authentication; most bodies are smaller."""


class ByteBudget:
    """A number of bytes that all connections share. It is used only on the event loop."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, size: int) -> bool:
        """Take `size` bytes and return True; take none and return False if fewer are left."""
        if size > self.left:
            return False
        self.left -= size
        return True

    def give_back(self, size: int) -> None:
        """Return `size` bytes to the budget."""
        self.left += size


class RequestBody:
    """The body of one request, which is read on the event loop.

    Reading raises `RequestTimeout` if the client has used up its time, and `Malformed` if the body ends too early or
    its chunks cannot be read.
    """

    def __init__(
        self, headers: Mapping[bytes, bytes], client: ClientConnection, timeouts: ServerTimeouts, budget: ByteBudget
    ) -> None:
        self.announced = b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
        self.more = self.announced
        self._client = client
        self._allowance = TimeBudget(timeouts)
        self._budget = budget
        self._budgeted = 0
        self._pending = bytearray()

    def __len__(self) -> int:
        return len(self._pending)

    async def read(self, size: int) -> None:
        """Read until `size` bytes are pending, or the body has ended."""
        while len(self._pending) < size and self.more:
            await self._read_block()

    async def read_whole(self, max_size: int) -> None:
        """Read the body, and stop if it is larger than `max_size` bytes.

        Raises `Unavailable` (`too_many_transfers`) if the shared budget is used up.
        """
        while len(self._pending) <= max_size and self.more:
            before = len(self._pending)
            await self._read_block()
            grown = len(self._pending) - max(before, BLOCK_BYTES)
            if grown > 0:
                if not self._budget.take(grown):
                    raise too_many_transfers("Too many large bodies are being sent; send this one later.")
                self._budgeted += grown

    async def _read_block(self) -> None:
        # The first attempt to read sends 100 Continue to a client that waits for it (RFC 9110, 10.1.1).
        try:
            message = await self._allowance.wait_for(self._client.receive)
        except ClientTimeout:
            raise RequestTimeout("The body did not come in time; send the request again.") from None
        if message["type"] == "http.disconnect":
            # The server reports a disconnected client and unreadable chunks with the same message.
            raise Malformed("The body ends too early, or its chunks are malformed (RFC 9112, 7.1).")
        block = message.get("body", b"")
        self._pending += block
        self._allowance.moved(len(block))
        self.more = message.get("more_body", False)

    def take(self) -> bytes:
        """Return the pending bytes and remove them."""
        block, self._pending = bytes(self._pending), bytearray()
        return block

    def release(self) -> None:
        """Return the body's share of the budget."""
        self._budget.give_back(self._budgeted)
        self._budgeted = 0


class UploadStream(io.RawIOBase):
    """A body that a thread reads while it arrives; reading waits for the client, within its time limits.

    Reading raises the errors of `RequestBody`.
    """

    def __init__(self, body: RequestBody, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._body = body
        self._loop = loop
        self._block = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed names a private protocol
        if not self._block:
            asyncio.run_coroutine_threadsafe(self._body.read(1), self._loop).result()
            self._block = memoryview(self._body.take())
        part = self._block[: len(target)]
        target[: len(part)] = part
        self._block = self._block[len(part) :]
        return len(part)


class UnreadBody(io.RawIOBase):
    """The body of a request that is answered without reading it; `error` is set if the request is refused."""

    def __init__(self, error: UniteError | None = None) -> None:
        super().__init__()
        self.error = error

    def readable(self) -> bool:
        return True

    def readinto(self, _: object) -> int:
        raise self.error or RuntimeError("The body was not read, because the operation declares none.")
