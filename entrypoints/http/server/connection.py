"""The asyncio protocol for one HTTP/1.1 connection: parse requests in turn and run the application for each.

uvicorn writes the responses. A request that cannot be parsed never reaches the application: this module answers it
with a problem document and logs it.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Any, cast
from urllib.parse import unquote

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from entrypoints.capacity import LINGER_SECONDS, MAX_HEAD_BYTES
from entrypoints.http.framework.problems import RequestTimeout
from entrypoints.http.server import heads
from entrypoints.http.server.asgi_types import DISCONNECT, Application
from entrypoints.http.server.cycle import Cycle
from entrypoints.http.server.parsing import RequestHead, RequestParser
from entrypoints.http.server.problems import ServerProblemResponse
from entrypoints.http.server.timeouts import ServerTimeouts
from unite_core.errors import Malformed, UniteError

_log = logging.getLogger("unite.requests")


class HttpConnection(asyncio.Protocol):
    """One HTTP/1.1 connection. `on_lost` is called after it is closed."""

    transport: asyncio.Transport
    flow: FlowControl

    def __init__(
        self, application: Application, state: ServerState, timeouts: ServerTimeouts, on_lost: Callable[[], None]
    ) -> None:
        self._application = application
        self._state = state
        self._timeouts = timeouts
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._parser = RequestParser(self._take_body)
        self._timer: asyncio.TimerHandle | None = None
        self._cycle: Cycle | None = None
        # `_head` is the received part of the next head; `_ahead` is what arrived before the last response was sent.
        self._head = bytearray()
        self._empty_line = b""
        self._ahead = bytearray()
        self._eof = False
        self._finishing = False
        self._liveness_paths: Collection[bytes] = ()
        self._has_served = False
        self._ending = False

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The transports of uvloop are not subclasses of those of asyncio.
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
        self._parser.close()
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
        """Go on answering a client that has closed its sending side, until all its requests are answered."""
        self._eof = True
        if self._cycle is not None:
            self._cycle.end_early()
        elif self._head and not self._ending:
            self._refuse(Malformed("The request ends in its head."))
        return self._cycle is not None and not self._ending

    # Called by the server.

    def finish(self, liveness_paths: Collection[bytes] = ()) -> None:
        """Close the connection after the next response, which announces it; at once if these paths are requested."""
        self._finishing = True
        self._liveness_paths = liveness_paths
        self._ahead.clear()
        if self._cycle is not None:
            self._cycle.keep_alive = False

    def shutdown(self, first_request_seconds: float = 0) -> None:
        """Close the connection after the response to the current request, or to one that may still be on its way.

        The latter is expected for `first_request_seconds` if the connection has had no request yet, or a part of one.
        """
        self._ahead.clear()
        if self._cycle is not None:
            self._cycle.keep_alive = False
        elif first_request_seconds and not self._ending and (self._head or not self._has_served):
            self._set_timer(first_request_seconds, self._on_head_timeout)
        elif not self._ending:
            self._ending = True
            self.transport.close()

    # Called by the cycle and the application.

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self.transport.write(data)

    def is_closing(self) -> bool:
        """Return whether nothing more can be sent."""
        return self._ending or self.transport.is_closing()

    def close(self) -> None:
        """Close the connection after the written data is sent; discard what the client still sends."""
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
        # The unsent rest of a response has the same seconds as any other part of it.
        seconds = LINGER_SECONDS if not self.transport.get_write_buffer_size() else self._timeouts.pause
        self._set_timer(seconds, self.abort)

    def abort(self) -> None:
        """Close the connection at once."""
        self._ending = True
        self.transport.abort()

    # Heads.

    def _wait_for_head(self) -> None:
        self._empty_line = b"" if not self._head else self._empty_line
        self._set_timer(self._timeouts.head, self._on_head_timeout)

    def _on_head_timeout(self) -> None:
        if self._head:
            self._refuse(RequestTimeout("The head of the request did not come in time."))
        elif self.transport.get_write_buffer_size():
            self.abort()
        else:
            self.transport.close()

    def _read_head(self, data: bytes) -> bytes:
        """Read the part of the data that belongs to the head, and return the rest."""
        if not self._head:
            data = self._without_empty_line(data)
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

    def _without_empty_line(self, data: bytes) -> bytes:
        """Skip one empty line before a request, as a server should (RFC 9112, 2.2); it may come in parts."""
        while data and self._empty_line != heads.EMPTY_LINE:
            if not data.startswith(heads.EMPTY_LINE[len(self._empty_line) :][:1]):
                # An incomplete empty line belongs to the head, which is then refused.
                data, self._empty_line = self._empty_line + data, heads.EMPTY_LINE
                break
            self._empty_line += data[:1]
            data = data[1:]
        return data

    def _begin(self, head: bytes) -> None:
        """Run the application for the request with this head; raise the error if the head is refused."""
        request = self._parser.begin(head)
        self._head = bytearray()
        self._set_timer(None)
        if request.path in self._liveness_paths:
            self.abort()
            return
        self._has_served = True
        cycle = self._cycle = Cycle(
            self._scope(request),
            self,
            self._state.default_headers,
            keep_alive=request.keep_alive and not self._finishing,
            more_body=not self._parser.complete,
        )
        work = cycle.run_asgi(self._application)  # type: ignore[arg-type]  # uvicorn has a type for each message
        task = self._loop.create_task(work)
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)
        if self._eof:
            cycle.end_early()

    def _scope(self, request: RequestHead) -> dict[str, Any]:
        path = request.path.decode("ascii")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.version,
            "server": self._server,
            "client": self._client,
            "scheme": "http",
            "method": request.method,
            "root_path": "",
            "path": unquote(path) if "%" in path else path,
            "raw_path": request.path,
            "query_string": request.query,
            "headers": request.headers,
            "extensions": {DISCONNECT: self.abort},
        }

    def _refuse(self, error: UniteError, path: bytes = b"/") -> None:
        """Answer with a problem document, log the request, and close the connection."""
        problem = ServerProblemResponse(error, path)
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
        """Read the part of the data that belongs to the body, and return the rest."""
        cycle = self._require_cycle()
        try:
            rest = self._parser.feed(data)
        except Malformed:
            # The application sees that the body is incomplete, and sends the error.
            cycle.keep_alive = False
            cycle.end_early()
            return b""
        if self._parser.beyond:
            cycle.keep_alive = False
        if self._parser.complete:
            cycle.more_body = False
            cycle.message_event.set()
        return rest

    def _take_body(self, body: bytes) -> None:
        cycle = self._require_cycle()
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def _read_ahead(self, data: bytes) -> None:
        """Buffer data that arrives before the current request is answered (pipelining: RFC 9112, 9.3.2)."""
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
            # The unread rest of a body would be taken for the next request (RFC 9112, 9.3).
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
