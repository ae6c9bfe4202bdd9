"""Timeouts for slow clients, and the time that a transfer has left."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class ServerTimeouts:
    """The times in seconds for which the server waits for a client.

    A client starts with `first` seconds. Waiting uses them up, and every `bytes_a_second` transferred bytes add one
    second, up to `pause` seconds. So a client that stops is disconnected after at most `pause` seconds, and so is one
    that stays slower than `bytes_a_second`, no matter how much it transferred before. One body or one response takes at
    most `total` seconds.

    A head has to be complete `head` seconds after its first byte, and a connection may be idle for the same time.
    """

    first: float = 10.0
    bytes_a_second: int = 16 * 1024
    pause: float = 30.0
    total: float = 3600.0
    head: float = 15.0


class ClientTimeout(Exception):
    """A client has used up the time for which the server waits for it."""


class TimeBudget:
    """The waiting time that is left for one body or one response."""

    def __init__(self, timeouts: ServerTimeouts, *, first: float | None = None) -> None:
        self._timeouts = timeouts
        self._seconds = timeouts.first if first is None else first
        self._end = time.monotonic() + timeouts.total

    async def wait_for(self, call: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """Await `call(*arguments)`; raise `ClientTimeout` if the client has used up its time."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, min(self._seconds, self._end - began))):
                return await call(*arguments)
        except TimeoutError:
            raise ClientTimeout from None
        finally:
            self._seconds -= time.monotonic() - began

    def moved(self, size: int) -> None:
        """Add time for `size` transferred bytes."""
        self._seconds = min(self._timeouts.pause, self._seconds + size / self._timeouts.bytes_a_second)
