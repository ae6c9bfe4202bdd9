"""Run a WSGI application as an ASGI application: the event loop waits for clients, and threads handle requests.

No thread of `THREADS` ever waits for a client. The whole body is read before a thread is taken, and the response is
sent after the thread is free again. Bodies that are too large to be held in memory are read by separate threads.
"""

import asyncio
import io
import logging
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from entrypoints.capacity import MAX_BUFFERED_BYTES, MAX_UPLOADS, MAX_UPLOADS_PER_ADDRESS, MAX_UPLOADS_PER_USER, THREADS
from entrypoints.http.framework.problems import Unexpected
from entrypoints.http.framework.request_body import too_large_detail
from entrypoints.http.framework.transfer_limits import TransferLimiter
from entrypoints.http.server.asgi_types import DISCONNECT, ClientConnection, Message, Receive, Send
from entrypoints.http.server.body import BLOCK_BYTES, ByteBudget, RequestBody, UnreadBody, UploadStream
from entrypoints.http.server.body_rules import BodyRule, BodyRules
from entrypoints.http.server.environ import decoded_path, environ_of, header, header_values, refuse_head
from entrypoints.http.server.problems import ServerProblemResponse
from entrypoints.http.server.response_sender import (
    MAX_WHOLE_RESPONSE_BYTES,
    ResponseSender,
    WsgiResponse,
    start_message,
)
from entrypoints.http.server.threads import ThreadPool
from entrypoints.http.server.timeouts import ServerTimeouts
from unite_core.errors import TooLarge, UniteError

WsgiHeaders = list[tuple[str, str]]
WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Environ = dict[str, Any]

_log = logging.getLogger("unite.http")


class WsgiOnThreads:
    """An ASGI application (version 3) that runs `application` for each request, on one of `threads` threads.

    `rules` say how bodies are read. At most `uploads` large bodies are received at once.
    """

    def __init__(
        self,
        application: WsgiApplication,
        rules: BodyRules,
        *,
        threads: int = THREADS,
        uploads: int = MAX_UPLOADS,
        max_buffered: int = MAX_BUFFERED_BYTES,
        timeouts: ServerTimeouts | None = None,
    ) -> None:
        self._application = application
        self._rules = rules
        self._threads = ThreadPool(threads, "request")
        self._uploads = ThreadPool(uploads, "upload")
        self._places = TransferLimiter(uploads)
        self._budget = ByteBudget(max_buffered)
        self._timeouts = timeouts or ServerTimeouts()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        client = ClientConnection(receive, send, scope.get("extensions", {}).get(DISCONNECT, lambda: None))
        outgoing = ResponseSender(client, self._timeouts)
        try:
            await self._serve(scope, client, outgoing)
        except Exception:  # noqa: BLE001 - after any error the client gets a problem document and the log an entry
            problem = ServerProblemResponse(Unexpected(), scope["raw_path"])
            context = {"correlation_id": problem.correlation_id, "method": scope["method"]}
            _log.exception("unexpected error in the server", extra=context)
            if not outgoing.started:
                start = start_message(f"{problem.status} {problem.reason}", problem.headers)
                await outgoing.send(WsgiResponse(start, problem.content), self._threads, watched=False)

    async def _serve(self, scope: Mapping[str, Any], client: ClientConnection, outgoing: ResponseSender) -> None:
        body = RequestBody(dict(scope["headers"]), client, self._timeouts, self._budget)
        try:
            answer = await self._work(scope, body)
        finally:
            body.release()
        if body.more:
            # The unread rest of a body would be taken for the next request (RFC 9112, 9.3).
            answer = answer.closing()
        await outgoing.send(answer, self._threads, watched=not body.more)

    async def _work(self, scope: Mapping[str, Any], body: RequestBody) -> WsgiResponse:
        """Return the response to the request, after everything that the body used is released."""
        request = await self._request(scope, body)
        try:
            environ = environ_of(scope, cast("BinaryIO", request.body))
            return await request.threads.run(lambda: self._answer(environ))
        finally:
            request.release()

    async def _request(self, scope: Mapping[str, Any], body: RequestBody) -> "_Request":
        """Return the request as the application gets it; its body raises the error if the request is refused."""
        try:
            refuse_head(scope)
            rule = self._rules.rule_for(scope["method"], decoded_path(scope)) if body.announced else None
            authorization = header(scope, b"authorization")
            # The body stays unread if no operation needs it, or if an operation that needs a token got none.
            if rule is not None and (rule.public or authorization):
                return await self._read(scope, body, rule)
        except UniteError as error:
            # The frames of the traceback would hold the body in memory as long as the error exists.
            error.__traceback__ = error.__context__ = None
            return _Request(UnreadBody(error), self._threads)
        return _Request(UnreadBody() if body.announced else io.BytesIO(), self._threads)

    async def _read(self, scope: Mapping[str, Any], body: RequestBody, rule: BodyRule) -> "_Request":
        """Read as much of the body as is needed before a thread is taken; raise the error if it is refused."""
        if int(header(scope, b"content-length") or 0) > rule.max_body:
            raise TooLarge(too_large_detail(rule.max_body))
        # Reading sends 100 Continue (RFC 9110, 10.1.1). A file is read by the thread, after authentication.
        if not (rule.transfer and header(scope, b"expect")):
            await body.read(min(BLOCK_BYTES, rule.max_body + 1))
        if body.more and len(body) <= rule.max_body:
            authorization = header(scope, b"authorization")
            user = None if rule.public else await self._threads.run(lambda: self._rules.user(authorization))
            if user is None and not rule.public:
                return _Request(UnreadBody(), self._threads)
            if rule.transfer:
                uploaded = UploadStream(body, asyncio.get_running_loop())
                return _Request(io.BufferedReader(uploaded, BLOCK_BYTES), self._uploads, self._place(scope, user))
            await body.read_whole(rule.max_body)
        if len(body) > rule.max_body:
            raise TooLarge(too_large_detail(rule.max_body))
        return _Request(io.BytesIO(body.take()), self._threads)

    def _place(self, scope: Mapping[str, Any], user: str | None) -> Callable[[], None]:
        """Take a place for an upload and return the function that releases it.

        Raises `Unavailable` (`too_many_transfers`).
        """
        if user is not None:
            return self._places.take(user, MAX_UPLOADS_PER_USER)
        peer = str((scope.get("client") or ("",))[0])
        forwarded_for = ", ".join(header_values(scope, b"x-forwarded-for"))
        return self._places.take(self._rules.address(peer, forwarded_for), MAX_UPLOADS_PER_ADDRESS)

    def _answer(self, environ: Environ) -> WsgiResponse:
        """Run the application for the request; a small response is returned whole."""
        starts: list[Message] = []

        def start_response(status: str, headers: WsgiHeaders, _: object = None) -> None:
            starts[:] = [start_message(status, headers)]

        blocks = self._application(environ, start_response)
        close = getattr(blocks, "close", lambda: None)
        try:
            (start,) = starts
            if _length(start) > MAX_WHOLE_RESPONSE_BYTES:
                return WsgiResponse(start, iter(blocks), close)
            whole = b"".join(blocks)
        except BaseException:
            close()
            raise
        close()
        return WsgiResponse(start, whole)


@dataclass(frozen=True, slots=True)
class _Request:
    """A request for the application: its body, the threads to run on, and the function that releases its place."""

    body: io.IOBase
    threads: ThreadPool
    release: Callable[[], None] = lambda: None


def _length(start: Message) -> float:
    return next((int(value) for name, value in start["headers"] if name == b"content-length"), math.inf)
