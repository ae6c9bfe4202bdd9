"""Parse HTTP/1.1 requests on a connection with llhttp, and refuse ambiguous ones (RFC 9112).

llhttp (through httptools) does not report how many bytes it has consumed, so it gets only bytes that belong to one
request: the head in one piece, and then a body of the declared length. Only the end of a chunked body is found by
llhttp.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import httptools

from entrypoints.capacity import MAX_HEAD_BYTES
from entrypoints.http.server import heads
from unite_core.errors import Malformed


class RequestHead(NamedTuple):
    """The parsed head of a request. Names of headers are in lower case."""

    method: str
    path: bytes
    query: bytes
    version: str
    headers: list[tuple[bytes, bytes]]
    keep_alive: bool


class RequestParser:
    """The parser for the requests of one connection, in turn. Parts of bodies are passed to `take_body`."""

    def __init__(self, take_body: Callable[[bytes], None]) -> None:
        self.complete = False
        self.beyond = False
        self._take_body = take_body
        self._parser: Any = httptools.HttpRequestParser(self)
        self._begin()

    def begin(self, head: bytes) -> RequestHead:
        """Parse a complete head; raise the error if it is refused. Then `complete` is true if there is no body."""
        line = heads.request_line(head)
        self._parse_head(head)
        if self._version == "1.0" and self._chunked:
            raise Malformed("HTTP/1.0 has no Transfer-Encoding.")
        if not self._parsed or self.complete != (self._left == 0 and not self._chunked):
            raise Malformed("The end of the request is ambiguous.")
        path, query = heads.path_and_query(line)
        return RequestHead(line[1].decode(), path, query, self._version, self._headers, self._keep_alive)

    def feed(self, data: bytes) -> bytes:
        """Parse the part of the data that belongs to the body, and return the rest; raise `Malformed`.

        If a chunked body ends in `data` and more bytes follow, `beyond` is true and those bytes are lost: the
        connection cannot be used for another request.
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
            raise Malformed("The body has too many bytes of chunk extensions or trailers.")
        return rest

    def close(self) -> None:
        """Remove the parser, which has a circular reference to this object."""
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
            # llhttp parses no body after an upgrade request. Upgrades are ignored, so the head is parsed again.
            self._parser = httptools.HttpRequestParser(self)
            self._parse_head(heads.without_upgrade(head))
        except httptools.HttpParserError as error:
            raise _malformed(error) from None

    # Called by llhttp.

    def on_message_begin(self) -> None:
        """Record a message that begins in the same bytes in which a chunked body ended."""
        self.beyond = self.complete

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a header; trailers, which follow the body, are ignored (RFC 9110, 6.5.1)."""
        if self._parsed:
            return
        name, value = name.lower(), value.rstrip(b" \t")
        if name == b"content-length":
            self._left = int(value)
        elif name == b"transfer-encoding":
            self._chunked = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Store the version and whether the connection stays open."""
        if not self._parsed:
            self._parsed = True
            self._version = self._parser.get_http_version()
            self._keep_alive = self._version == "1.1" and self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        """Pass on a part of the body."""
        if not self.beyond:
            self._without_content = 0
            self._take_body(body)

    def on_message_complete(self) -> None:
        """Record the end of the request."""
        self.complete = True


def _malformed(error: Exception) -> Malformed:
    # The messages of llhttp are constants and quote nothing from the request.
    return Malformed(f"The request is not HTTP/1.1 (RFC 9112): {error}.")
