"""HTTP/1.1 on one connection: one request after the other is parsed, given to the application and answered.

llhttp parses (through httptools), uvicorn writes the answers. What is here decides where each request begins and ends,
so that nothing ambiguous is passed on, and answers what is refused with a problem document and a line in the log.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from entrypoints.capacity import HEAD_SECONDS, LINGER_SECONDS, MAX_HEAD_BYTES
from entrypoints.http import heads
from entrypoints.http.client import DISCONNECT
from entrypoints.http.cycle import Cycle
from entrypoints.http.patience import Patience
from entrypoints.http.problems import RequestTimeout
from entrypoints.http.unrouted import UnroutedProblem
from unite_core.errors import Malformed, UniteError

_log = logging.getLogger("unite.requests")


class HttpConnection(asyncio.Protocol):
    """One connection. `on_lost` is called once it is gone."""

    transport: asyncio.Transport
    flow: FlowControl

    def __init__(
        self, application: ASGI3Application, state: ServerState, patience: Patience, on_lost: Callable[[], None]
    ) -> None:
        self._application = application
        self._state = state
        self._patience = patience
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._parser: Any = httptools.HttpRequestParser(self)
        self._timer: asyncio.TimerHandle | None = None
        self._cycle: Cycle | None = None
        # The head of the next request as far as it is there, and what came before the last one was answered.
        self._head = bytearray()
        self._ahead = bytearray()
        self._eof = False
        self._ending = False

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are no subclass of asyncio's.
        self.transport = cast("asyncio.Transport", transport)
        self.flow = FlowControl(self.transport)
        self._server, self._client = get_local_addr(self.transport), get_remote_addr(self.transport)
        self._state.connections.add(self)  # type: ignore[arg-type]  # uvicorn knows its own protocols alone
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own
        self._state.connections.discard(self)
        self._ending = True
        self._set_timer(None)
        if self._cycle is not None:
            self._cycle.lose()
        self.flow.resume_writing()
        # The parser refers to this object, and this object to the parser.
        self._parser = None
        self._on_lost()

    def pause_writing(self) -> None:
        self.flow.pause_writing()

    def resume_writing(self) -> None:
        self.flow.resume_writing()

    def data_received(self, data: bytes) -> None:
        while data and not self._ending:
            if self._cycle is None:
                data = self._read_head(data)
            elif self._cycle.more_body and not self._cycle.ended_early:
                data = self._read_body(data)
            else:
                self._read_ahead(data)
                return

    def eof_received(self) -> bool:
        """Go on answering a client that says it sends no more, until everything that it sent is answered."""
        self._eof = True
        if self._cycle is not None:
            self._cycle.end_early()
        elif self._head and not self._ending:
            self._refuse(Malformed("The request ends in its head."))
        return self._cycle is not None

    # What the server calls.

    def shutdown(self) -> None:
        """Close the connection once the request is answered that is being worked on."""
        self._ahead.clear()
        if self._cycle is not None:
            self._cycle.keep_alive = False
        elif not self._ending:
            self._ending = True
            self.transport.close()

    # What the cycle and the application call.

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self.transport.write(data)

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._ending or self.transport.is_closing()

    def close(self) -> None:
        """End the connection after what was written is sent; what the client still sends is thrown away."""
        if self._ending:
            return
        self._ending = True
        self._head.clear()
        self._ahead.clear()
        if self._eof:
            self.transport.close()
        elif not self.transport.is_closing():
            self.flow.resume_reading()
            self.transport.write_eof()
        # The client may be as slow with what is left of the answer as with any part of it.
        waits = LINGER_SECONDS if not self.transport.get_write_buffer_size() else self._patience.pause
        self._set_timer(waits, self.abort)

    def abort(self) -> None:
        """End the connection at once."""
        self._ending = True
        self.transport.abort()

    # Heads.

    def _wait_for_head(self) -> None:
        self._set_timer(HEAD_SECONDS, self._give_up_head)

    def _give_up_head(self) -> None:
        if self._head:
            self._refuse(RequestTimeout("The head of the request did not come in time."))
        elif self.transport.get_write_buffer_size():
            self.abort()
        else:
            self.transport.close()

    def _read_head(self, data: bytes) -> bytes:
        """Read as much as belongs to the head; what follows it."""
        if not self._head:
            # A server should ignore an empty line in front of a request (RFC 9112, 2.2).
            data = data.removeprefix(b"\r\n")
        begin = len(self._head)
        whole: bytes | bytearray = data
        if begin:
            self._head += data
            whole = self._head
        end = whole.find(heads.END, max(0, begin - len(heads.END) + 1))
        try:
            if end >= 0:
                head, rest = bytes(whole[: end + len(heads.END)]), bytes(whole[end + len(heads.END) :])
                self._begin(head)
                return rest
            if data:
                if not begin:
                    self._head += data
                    self._wait_for_head()
                heads.check_beginning(self._head, begin)
        except UniteError as error:
            self._refuse(error, heads.readable_path(whole))
        return b""

    def _begin(self, head: bytes) -> None:
        """Have the application work on the request that begins with this head; raises why it is refused."""
        line = heads.request_line(head)
        self._parse_head(head)
        self._head = bytearray()
        if self._version == "1.0" and self._chunked:
            raise Malformed("HTTP/1.0 has no Transfer-Encoding.")
        if self._complete != (self._left == 0 and not self._chunked):
            raise Malformed("It is not certain where the request ends.")
        self._set_timer(None)
        path, query = heads.path_and_query(line)
        cycle = self._cycle = Cycle(
            self._scope(line[1].decode(), path, query),
            self,
            self._state.default_headers,
            keep_alive=self._keep_alive and self._version == "1.1",
            more_body=not self._complete,
        )
        task = self._loop.create_task(cycle.run_asgi(self._application))
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)
        if self._eof:
            cycle.end_early()

    def _parse_head(self, head: bytes) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._left = 0
        self._chunked = self._parsed = self._complete = self._beyond = False
        self._barren = 0
        try:
            self._parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            if head.startswith(b"CONNECT ") or heads.asks_for_websocket(self._headers):
                raise Malformed("The connection cannot be used for another protocol.") from None
            self._parser = httptools.HttpRequestParser(self)
            self._parse_head(heads.without_upgrade(head))
        except httptools.HttpParserError as error:
            raise Malformed(f"The request is not HTTP/1.1 (RFC 9112): {error}.") from None
        if not self._parsed:
            raise Malformed("It is not certain where the head of the request ends.")

    def _scope(self, method: str, path: bytes, query: bytes) -> dict[str, Any]:
        text = path.decode("ascii")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": self._version,
            "server": self._server,
            "client": self._client,
            "scheme": "http",
            "method": method,
            "root_path": "",
            "path": unquote(text) if "%" in text else text,
            "raw_path": path,
            "query_string": query,
            "headers": self._headers,
            "extensions": {DISCONNECT: self.abort},
        }

    def _refuse(self, error: UniteError, path: bytes = b"/") -> None:
        """Answer with a problem document, log it, and end the connection."""
        problem = UnroutedProblem(error, path)
        _log.info(
            "request",
            extra={
                "status": problem.status,
                "code": problem.code,
                "detail": error.detail,
                "client": self._client[0] if self._client else None,
                "correlation_id": problem.correlation_id,
            },
        )
        lines = [b"HTTP/1.1 %d %s\r\n" % (problem.status, problem.reason.encode())]
        lines += [b"%s: %s\r\n" % header for header in self._state.default_headers]
        lines += [b"%s: %s\r\n" % (name.lower().encode(), value.encode()) for name, value in problem.headers]
        self.transport.write(b"".join([*lines, b"\r\n", problem.content]))
        self.close()

    # Bodies.

    def _read_body(self, data: bytes) -> bytes:
        """Read as much as belongs to the body; what follows it."""
        rest = b""
        if not self._chunked:
            data, rest = data[: self._left], data[self._left :]
            self._left -= len(data)
        self._barren += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._break_off()
            return b""
        if self._beyond:
            # Where a chunked body ended within `data` is not known here. What followed it is not answered.
            self._require_cycle().keep_alive = False
        if self._barren > MAX_HEAD_BYTES:
            self._break_off()
        return rest

    def _break_off(self) -> None:
        """Tell the application that the rest of the body cannot be read."""
        cycle = self._require_cycle()
        cycle.keep_alive = False
        cycle.end_early()

    def _read_ahead(self, data: bytes) -> None:
        """Hold what came before the last request was answered (RFC 9112, 9.3.2)."""
        cycle = self._require_cycle()
        if not cycle.keep_alive:
            return
        self._ahead += data
        if len(self._ahead) > MAX_HEAD_BYTES:
            self.flow.pause_reading()

    def on_answered(self) -> None:
        """Go on to the next request."""
        self._state.total_requests += 1
        cycle, self._cycle = self._cycle, None
        if self._ending:
            return
        if cycle is None or cycle.more_body or (self._eof and not self._ahead):
            # What was not read of a body stands in the way of the next request (RFC 9112, 9.3).
            self.close()
            return
        self._wait_for_head()
        ahead = bytes(self._ahead)
        self._ahead.clear()
        self.flow.resume_reading()
        self.data_received(ahead)
        if self._eof and self._cycle is None:
            self.close()

    def _require_cycle(self) -> Cycle:
        if self._cycle is None:
            raise RuntimeError("There is no request on this connection.")
        return self._cycle

    def _set_timer(self, seconds: float | None, call: Callable[[], None] = lambda: None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self._loop.call_later(seconds, call)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Note a message that begins in the same bytes in which a chunked body ended."""
        self._beyond = self._complete

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
        if self._parsed:
            return
        self._parsed = True
        self._version = self._parser.get_http_version()
        self._keep_alive = self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body on."""
        if self._beyond:
            return
        self._barren = 0
        cycle = self._require_cycle()
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        """Note the end of the request."""
        self._complete = True
        if self._cycle is not None:
            self._cycle.more_body = False
            self._cycle.message_event.set()
