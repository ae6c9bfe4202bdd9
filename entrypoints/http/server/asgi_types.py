"""Types of ASGI 3.0: messages, `receive`, `send`, and `ClientConnection`, the functions of one request."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Mapping[str, Any], Receive, Send], Awaitable[None]]

DISCONNECT = "unite.disconnect"
"""The ASGI extension through which our server closes a connection at once: a function without arguments."""


@dataclass(frozen=True, slots=True)
class ClientConnection:
    """The functions that receive from the client, send to it, and close its connection at once."""

    receive: Receive
    send: Send
    disconnect: Callable[[], None] = lambda: None
