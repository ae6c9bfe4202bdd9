"""Where each request on a connection begins and ends, so that nothing ambiguous is passed on (RFC 9112).

llhttp parses, through httptools. It does not say how far it has come, so it never gets more than is known to belong to
one request: its head in one piece, and then a body of the announced length. Only a chunked body ends where llhttp says.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import httptools

from entrypoints.capacity import MAX_HEAD_BYTES
from entrypoints.http import heads
from unite_core.errors import Malformed


class RequestHead(NamedTuple):
    """A request whose body may be still to come. Names of headers are in lower case."""

    method: str
    path: bytes
    query: bytes
    version: str
    headers: list[tuple[bytes, bytes]]
    keep_alive: bool


class RequestParser:
    """Parses the requests of one connection, one after the other. Parts of bodies are given to `take_body`."""

    def __init__(self, take_body: Callable[[bytes], None]) -> None:
        self.complete = False
        self.beyond = False
        self._take_body = take_body
        self._parser: Any = httptools.HttpRequestParser(self)
        self._begin()

    def begin(self, head: bytes) -> RequestHead:
        """Parse a whole head; raises why the request is refused. `complete` says then whether it has no body."""
        line = heads.request_line(head)
        self._parse_head(head)
        if self._version == "1.0" and self._chunked:
            raise Malformed("HTTP/1.0 has no Transfer-Encoding.")
        if not self._parsed or self.complete != (self._left == 0 and not self._chunked):
            raise Malformed("It is not certain where the request ends.")
        path, query = heads.path_and_query(line)
        return RequestHead(line[1].decode(), path, query, self._version, self._headers, self._keep_alive)

    def feed(self, data: bytes) -> bytes:
        """Parse as much as belongs to the body, and return what follows it; raises `Malformed`.

        Where a chunked body ends in `data` and something follows it, `beyond` is true and that is lost: the connection
        cannot be used for another request.
        """
        rest = b""
        if not self._chunked:
            data, rest = data[: self._left], data[self._left :]
            self._left -= len(data)
        self._without_content += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise _malformed(error) from None
        if self._without_content > MAX_HEAD_BYTES:
            raise Malformed("The body has more than it may have beside its content: chunk extensions or trailers.")
        return rest

    def close(self) -> None:
        """Let go of the parser, which refers to this object as this object refers to it."""
        self._parser = None

    def _begin(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._version = ""
        self._left = self._without_content = 0
        self._keep_alive = self._chunked = self._parsed = self.complete = self.beyond = False

    def _parse_head(self, head: bytes) -> None:
        self._begin()
        try:
            self._parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            if head.startswith(b"CONNECT ") or heads.asks_for_websocket(self._headers):
                raise Malformed("The connection cannot be used for another protocol.") from None
            # llhttp takes no body where the protocol is to change. It does not change here.
            self._parser = httptools.HttpRequestParser(self)
            self._parse_head(heads.without_upgrade(head))
        except httptools.HttpParserError as error:
            raise _malformed(error) from None

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Note a message that begins in the same bytes in which a chunked body ended."""
        self.beyond = self.complete

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; trailers, which come after the body, are left out (RFC 9110, 6.5.1)."""
        if self._parsed:
            return
        name, value = name.lower(), value.rstrip(b" \t")
        if name == b"content-length":
            self._left = int(value)
        elif name == b"transfer-encoding":
            self._chunked = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Note what the parser knows of the request."""
        if not self._parsed:
            self._parsed = True
            self._version = self._parser.get_http_version()
            self._keep_alive = self._version == "1.1" and self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body on."""
        if not self.beyond:
            self._without_content = 0
            self._take_body(body)

    def on_message_complete(self) -> None:
        """Note the end of the request."""
        self.complete = True


def _malformed(error: Exception) -> Malformed:
    # What llhttp says of an error are words of its own, and none of the request.
    return Malformed(f"The request is not HTTP/1.1 (RFC 9112): {error}.")
