"""The client of one request, as the server below hands it over (ASGI 3.0)."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Mapping[str, Any], Receive, Send], Awaitable[None]]

DISCONNECT = "unite.disconnect"
"""The extension of ASGI by which the server below ends a connection at once: a function without arguments."""


@dataclass(frozen=True, slots=True)
class Client:
    """How to receive from the client, to send to it, and to end its connection at once."""

    receive: Receive
    send: Send
    disconnect: Callable[[], None] = lambda: None
