"""How long the server waits for clients."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long a client may keep the server waiting, in seconds.

    A client starts with `first` seconds. Waiting uses them up, and every `bytes_a_second` bytes that move earn one
    second, up to `pause` seconds in store. So a client that stops is given up after `pause` seconds at most, and one
    that is slower than `bytes_a_second` for long is given up too, however much it moved before. One body or one answer
    takes at most `total` seconds altogether.

    A head has to be there `head` seconds after its first byte, and a connection may be idle for as long.
    """

    first: float = 10.0
    bytes_a_second: int = 16 * 1024
    pause: float = 30.0
    total: float = 3600.0
    head: float = 15.0


class ClientTimeout(Exception):
    """A client has kept the server waiting for longer than the patience with it lasts."""


class TimeBudget:
    """What is left of the patience with one body or one answer."""

    def __init__(self, timeouts: Timeouts, *, first: float | None = None) -> None:
        self._patience = timeouts
        self._seconds = timeouts.first if first is None else first
        self._end = time.monotonic() + timeouts.total

    async def wait_for(self, call: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """Await what `call` does; raises `ClientTimeout` where the client has used up its allowance."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, min(self._seconds, self._end - began))):
                return await call(*arguments)
        except TimeoutError:
            raise ClientTimeout from None
        finally:
            self._seconds -= time.monotonic() - began

    def moved(self, size: int) -> None:
        """Earn time for `size` bytes that came or went."""
        self._seconds = min(self._patience.pause, self._seconds + size / self._patience.bytes_a_second)
