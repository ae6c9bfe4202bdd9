"""The client of one request, as the server below hands it over (ASGI 3.0)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Client:
    """Receives from the client and sends to it, until it is let go of.

    The server below keeps a connection open for as long as anything refers to what it handed over, and a traceback may
    do so for long. So nothing else refers to that.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive: Receive | None = receive
        self._send: Send | None = send

    async def receive(self) -> Message:
        """The next message from the client; that it is gone, once it was let go of."""
        if self._receive is None:
            return {"type": "http.disconnect"}
        return await self._receive()

    async def send(self, message: Message) -> None:
        """Send a message to the client; it goes nowhere once the client was let go of."""
        if self._send is not None:
            await self._send(message)

    def let_go(self) -> None:
        """Have the server below close the connection, or go on to the next request."""
        self._receive = self._send = None
