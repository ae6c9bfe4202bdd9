"""Server-sent events about the progress of an import (WHATWG HTML, "Server-sent events")."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from entrypoints.capacity import MAX_EVENT_STREAMS_PER_USER
from entrypoints.http.server.response_sender import Pause
from unite_core.errors import Unavailable, UniteError
from unite_core.imports.model import LeadImport

EVENT_STREAM = "text/event-stream"
POLL_SECONDS = 0.5
KEEP_ALIVE_SECONDS = 5
"""Interval of comments while there is no event.

A load balancer's timeout has to be longer (docs/how-to/put-a-proxy-in-front.md: 10).
"""
MAX_STREAM_SECONDS = 600
RECONNECT_MILLISECONDS = 2000

_POLLS = int(MAX_STREAM_SECONDS / POLL_SECONDS)
_POLLS_PER_KEEP_ALIVE = int(KEEP_ALIVE_SECONDS / POLL_SECONDS)
_END = "-end"


@dataclass(frozen=True)
class EventStreams:
    """The streams that this process has open, at most `maximum` at once and `max_per_user` of one user.

    `pause` makes the block that tells the server to fetch the next block after the given number of seconds.
    """

    maximum: int
    pause: Callable[[float], bytes] = Pause
    max_per_user: int = MAX_EVENT_STREAMS_PER_USER
    _open: dict["EventStream", UUID] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def open(self, events: Iterator[bytes], user_id: UUID) -> "EventStream":
        """Return the events as a stream that takes one of the places; raise `Unavailable` (`too_many_streams`)."""
        stream = EventStream(events, self._close)
        with self._lock:
            if len(self._open) >= self.maximum:
                raise _too_many(f"{self.maximum} clients follow imports already; poll the import instead.")
            if sum(owner == user_id for owner in self._open.values()) >= self.max_per_user:
                raise _too_many(f"You follow {self.max_per_user} imports already; close one of these streams first.")
            self._open[stream] = user_id
        return stream

    def __len__(self) -> int:
        with self._lock:
            return len(self._open)

    def _close(self, stream: "EventStream") -> None:
        with self._lock:
            self._open.pop(stream, None)


class EventStream(Iterator[bytes]):
    """One stream; it releases its place when it ends and when it is closed, even if it was never read."""

    def __init__(self, events: Iterator[bytes], on_close: Callable[["EventStream"], None]) -> None:
        self._events = events
        self._on_close = on_close

    def __next__(self) -> bytes:
        try:
            return next(self._events)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Release the place; closing twice changes nothing. The server calls this when the client has disconnected."""
        self._on_close(self)


@dataclass(frozen=True, kw_only=True)
class ImportProgress:
    """The source of a stream's events: how to read the import, and how to render it as JSON on one line.

    `read` raises as soon as the user may no longer see the import.
    """

    read: Callable[[], LeadImport]
    render: Callable[[LeadImport], bytes]
    pause: Callable[[float], bytes]

    def events(self, first: LeadImport, last_seen: str | None) -> Iterator[bytes]:
        """Yield an event at once and one for each change, until the import has ended or ten minutes are over.

        Between the events are pauses, in which the server notices that the client has disconnected.

        `last_seen` is the id of the last event that the client got before, which is not sent again. The id of an
        event is the version of the import. A client that loses the connection reconnects by itself and misses nothing,
        because each event holds the whole state.
        """
        yield b"retry: %d\n\n" % RECONNECT_MILLISECONDS
        current, seen, polls_without_event = first, last_seen, 0
        for _ in range(_POLLS):
            if str(current.version) != seen:
                seen, polls_without_event = str(current.version), 0
                yield _event("progress", seen, self.render(current))
            if current.status.ended:
                yield _event("end", seen + _END, self.render(current))
                return
            yield self.pause(POLL_SECONDS)
            polls_without_event += 1
            if polls_without_event == _POLLS_PER_KEEP_ALIVE:
                polls_without_event = 0
                yield b": still there\n\n"
            try:
                current = self.read()
            except UniteError:
                return


def has_seen_end(last_seen: str | None) -> bool:
    """Return whether the client got the last event and has reconnected, as an EventSource does by default."""
    return last_seen is not None and last_seen.endswith(_END)


def _too_many(detail: str) -> Unavailable:
    return Unavailable(detail, code="too_many_streams")


def _event(name: str, event_id: str, data: bytes) -> bytes:
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (event_id.encode(), name.encode(), data)
