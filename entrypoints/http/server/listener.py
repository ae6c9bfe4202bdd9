"""Accept connections from a listening socket in one process, and serve them with an application."""

import asyncio
import logging
import socket
import time
from collections.abc import Collection
from threading import Event
from typing import cast

import uvicorn

from entrypoints.capacity import BACKLOG, MAX_CONNECTIONS, STOP_SECONDS
from entrypoints.http.server.asgi_types import Application
from entrypoints.http.server.connection import HttpConnection
from entrypoints.http.server.handshakes import drop_new_handshakes
from entrypoints.http.server.timeouts import ServerTimeouts

ACCEPT_AGAIN_SECONDS = 1.0
POLL_SECONDS = 0.05
LATE_CONNECTION_SECONDS = 0.5
"""Seconds for which a stopping server accepts new connections: a proxy may have just found it alive."""

FIRST_REQUEST_SECONDS = 2.0
"""Seconds after that in which an accepted connection may send its first request; a proxy can be slow."""

HANDSHAKE_SECONDS = 0.05
"""Seconds for handshakes to end that began before the listening socket accepts no new ones."""

MAX_ACCEPTED_AT_ONCE = 64

_log = logging.getLogger("unite.http")


class HttpServer(uvicorn.Server):
    """uvicorn's server with our own connections: at most `max_connections`; further ones wait in the kernel.

    SIGTERM and SIGINT stop it. It sets `draining` and serves for `drain_seconds` more, so that a load balancer has time
    to send requests elsewhere; a second SIGINT ends that time. For `late_connection_seconds` more it accepts new
    connections, and closes each connection after its response. A request for one of the paths `liveness_paths` gets no
    response, so that a proxy that checks them uses another server. Then it accepts no new connections, closes idle
    ones, and waits `first_request_seconds` for the first request of the others. Requests that have not ended after
    `grace_seconds` are aborted.
    """

    def __init__(
        self,
        application: Application,
        listening: socket.socket,
        *,
        timeouts: ServerTimeouts | None = None,
        max_connections: int = MAX_CONNECTIONS,
        draining: Event | None = None,
        drain_seconds: float = 0,
        grace_seconds: float = STOP_SECONDS,
        late_connection_seconds: float = LATE_CONNECTION_SECONDS,
        first_request_seconds: float = FIRST_REQUEST_SECONDS,
        liveness_paths: Collection[bytes] = (),
    ) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                interface="asgi3",
                lifespan="off",
                ws="none",
                loop="uvloop",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
            )
        )
        self.servers = []
        self._listening = listening
        self._timeouts = timeouts or ServerTimeouts()
        self._max_connections = max_connections
        self._draining = draining or Event()
        self._drain_seconds = drain_seconds
        self._grace_seconds = grace_seconds
        self._late_connection_seconds = late_connection_seconds
        self._first_request_seconds = first_request_seconds
        self._liveness_paths = frozenset(liveness_paths)
        self._open = 0
        self._accepts = False
        self._stopping = False
        self._closing = False
        self._connecting: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's own
        self._listening.setblocking(False)
        # Connections inherit this option. Head and body of a response are written separately.
        self._listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._give_up_unread()
        self.started = True
        self._accept_from_now_on()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's own
        self._draining.set()
        await self._serve_for(self._drain_seconds)
        self._stopping = True
        for each in self._own_connections():
            each.finish(self._liveness_paths)
        await self._serve_for(self._late_connection_seconds)
        await self._stop_listening()
        for each in self._own_connections():
            each.shutdown(self._first_request_seconds)
        await self._until_idle(self._grace_seconds)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        # The remaining requests notice that their clients are disconnected.
        await self._until_idle(STOP_SECONDS)

    async def _serve_for(self, seconds: float) -> None:
        """Continue to serve, unless a second SIGINT comes."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.force_exit:
            await self.on_tick(0)
            await asyncio.sleep(POLL_SECONDS)

    async def _stop_listening(self) -> None:
        """Close the listening socket without losing a request.

        Closing it resets the connections that are not accepted yet. So the kernel first drops the packets that begin a
        handshake; their clients repeat them after a second, and are refused then.
        """
        drop_new_handshakes(self._listening)
        await asyncio.sleep(HANDSHAKE_SECONDS)
        self._closing = True
        self._accept_no_more()
        self._accept()
        self._listening.close()

    def _give_up_unread(self) -> None:
        """Let the kernel end connections whose client acknowledges no sent data, including those closed here.

        The option is TCP_USER_TIMEOUT (RFC 5482) of Linux; connections inherit it from the listening socket.
        """
        option = getattr(socket, "TCP_USER_TIMEOUT", None)
        if option is None:
            _log.warning("Closed connections that nobody reads from are not given up: this system cannot do it.")
        else:
            self._listening.setsockopt(socket.IPPROTO_TCP, option, int(self._timeouts.pause * 1000))

    def _own_connections(self) -> list[HttpConnection]:
        return cast("list[HttpConnection]", list(self.server_state.connections))

    async def _until_idle(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        # uvicorn has no event for a change of its counts.
        while self._busy() and time.monotonic() < until:  # noqa: ASYNC110 - see the line above
            await asyncio.sleep(POLL_SECONDS)

    def _busy(self) -> bool:
        return bool(self.server_state.connections or self.server_state.tasks)

    def _accept_from_now_on(self) -> None:
        if not self._accepts and not self._closing:
            self._accepts = True
            asyncio.get_running_loop().add_reader(self._listening, self._accept)

    def _accept_no_more(self) -> None:
        if self._accepts:
            self._accepts = False
            asyncio.get_running_loop().remove_reader(self._listening)

    def _accept(self) -> None:
        """Accept waiting connections up to the limit; all of them if the socket is about to be closed."""
        for _ in range(BACKLOG if self._closing else MAX_ACCEPTED_AT_ONCE):
            if self._open >= self._max_connections and not self._closing:
                self._accept_no_more()
                return
            try:
                accepted, _ = self._listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                # The process or the machine has no file descriptors left: that may pass.
                _log.error("No connection can be taken: %s", error)
                self._accept_no_more()
                asyncio.get_running_loop().call_later(ACCEPT_AGAIN_SECONDS, self._accept_from_now_on)
                return
            self._open += 1
            accepted.setblocking(False)
            task = asyncio.get_running_loop().create_task(self._connect(accepted))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connect(self, accepted: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._connection, accepted)
        except OSError:
            # The client has disconnected already.
            accepted.close()
            self._lost()

    def _connection(self) -> HttpConnection:
        connection = HttpConnection(self.config.loaded_app, self.server_state, self._timeouts, self._lost)
        if self._stopping:
            connection.finish(self._liveness_paths)
        return connection

    def _lost(self) -> None:
        self._open -= 1
        self._accept_from_now_on()
