"""uvicorn's request-response cycle, extended for requests that end early and for HTTP/1.0 responses."""

import asyncio
import logging
from typing import Any, Protocol

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_log = logging.getLogger("unite.http")


class Connection(Protocol):
    """The methods of a connection that a cycle calls."""

    flow: FlowControl

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def is_closing(self) -> bool:
        """Return whether nothing more can be sent."""

    def close(self) -> None:
        """Close the connection after the written data is sent."""

    def on_answered(self) -> None:
        """Go on to the next request."""


class Cycle(RequestResponseCycle):
    """uvicorn's cycle, extended for requests that end early and for HTTP/1.0 responses without a transfer coding."""

    def __init__(
        self,
        scope: dict[str, Any],
        connection: Connection,
        default_headers: list[tuple[bytes, bytes]],
        *,
        keep_alive: bool,
        more_body: bool,
    ) -> None:
        expects = more_body and any(
            name == b"expect" and value.lower() == b"100-continue" for name, value in scope["headers"]
        )
        super().__init__(
            scope=scope,  # type: ignore[arg-type]  # a dictionary with just these keys
            transport=connection,  # type: ignore[arg-type]  # these three methods are all that is used of it
            flow=connection.flow,
            logger=_log,
            access_logger=_log,
            access_log=False,
            default_headers=default_headers,
            message_event=asyncio.Event(),
            # HTTP/1.0 has no interim responses (RFC 9110, 10.1.1).
            expect_100_continue=expects and scope["http_version"] == "1.1",
            keep_alive=keep_alive,
            on_response=connection.on_answered,
        )
        self.ended_early = False
        self.more_body = more_body
        self._until_close = False
        self._body_received = False
        if not more_body:
            self.message_event.set()

    def end_early(self) -> None:
        """Make `receive` report a disconnect after the received data is read. Responses are still sent."""
        self.ended_early = True
        self.message_event.set()

    def lose(self) -> None:
        """Discard everything that is sent from now on: the connection is closed."""
        self.disconnected = self.disconnected or not self.response_complete
        self.message_event.set()

    async def receive(self) -> Any:
        if self.ended_early and not self.body and (self.more_body or self._body_received):
            return {"type": "http.disconnect"}
        message = await super().receive()
        self._body_received = message["type"] == "http.request" and not message["more_body"]
        return message

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start" and self.scope["http_version"] == "1.0":
            # Without a length the end of the connection is the end of the response (RFC 9112, 6.3).
            self._until_close = all(name != b"content-length" for name, _ in message["headers"])
            self.chunked_encoding = False if self._until_close else None
        elif self._until_close:
            self.expected_content_length = len(message.get("body", b""))
        await super().send(message)
