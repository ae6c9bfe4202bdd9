"""How far an import has come, as server-sent events (WHATWG HTML, "Server-sent events")."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from entrypoints.capacity import EVENT_STREAMS_OF_A_USER
from entrypoints.http.response_sender import Pause
from unite_core.errors import Unavailable, UniteError
from unite_core.imports.model import LeadImport

EVENT_STREAM = "text/event-stream"
POLL_SECONDS = 0.5
KEEP_ALIVE_SECONDS = 5
"""After so long without an event a comment is sent. A load balancer has to wait for longer (docs/operating.md: 10)."""
MAX_STREAM_SECONDS = 600
RECONNECT_MILLISECONDS = 2000

_POLLS = int(MAX_STREAM_SECONDS / POLL_SECONDS)
_QUIET_POLLS = int(KEEP_ALIVE_SECONDS / POLL_SECONDS)
_END = "-end"


@dataclass(frozen=True)
class EventStreams:
    """The streams that this process has open, at most `maximum` at once and `max_per_user` of one user.

    `pause` makes the block that tells the server to ask for the next one after the given number of seconds.
    """

    maximum: int
    pause: Callable[[float], bytes] = Pause
    max_per_user: int = EVENT_STREAMS_OF_A_USER
    _open: dict["EventStream", UUID] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def open(self, events: Iterator[bytes], user_id: UUID) -> "EventStream":
        """The events as a stream that takes one of the places; raises `Unavailable` (`too_many_streams`)."""
        stream = EventStream(events, self._close)
        with self._lock:
            if len(self._open) >= self.maximum:
                raise _too_many(
                    f"{self.maximum} clients follow imports already; ask for the import now and then instead."
                )
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
    """One stream; it gives its place back when it is over and when it is closed, even if nobody ever read it."""

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
        """Give the place back; closing twice changes nothing. The server calls it when the client is gone."""
        self._on_close(self)


@dataclass(frozen=True, kw_only=True)
class ImportProgress:
    """What a stream needs: the import as it is now, and how it is shown, in JSON on one line.

    `read` raises as soon as the one who asks may not see the import any more.
    """

    read: Callable[[], LeadImport]
    render: Callable[[LeadImport], bytes]
    pause: Callable[[float], bytes]

    def events(self, first: LeadImport, last_seen: str | None) -> Iterator[bytes]:
        """One event at once and one for each change, until the import has ended or ten minutes are over.

        Between them come pauses, in which the server notices when the client is gone.

        `last_seen` is the id of the last event that the client got before, which is not sent again. The id of
        an event is the version of the import. A client that is cut off comes back by itself and misses nothing:
        each event holds the whole state.
        """
        yield b"retry: %d\n\n" % RECONNECT_MILLISECONDS
        current, seen, quiet = first, last_seen, 0
        for _ in range(_POLLS):
            if str(current.version) != seen:
                seen, quiet = str(current.version), 0
                yield _event("progress", seen, self.render(current))
            if current.status.ended:
                yield _event("end", seen + _END, self.render(current))
                return
            yield self.pause(POLL_SECONDS)
            quiet += 1
            if quiet == _QUIET_POLLS:
                quiet = 0
                yield b": still there\n\n"
            try:
                current = self.read()
            except UniteError:
                return


def has_seen_end(last_seen: str | None) -> bool:
    """Whether the client got the last event there is, and comes back because nobody told it to stop."""
    return last_seen is not None and last_seen.endswith(_END)


def _too_many(detail: str) -> Unavailable:
    return Unavailable(detail, code="too_many_streams")


def _event(name: str, event_id: str, data: bytes) -> bytes:
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (event_id.encode(), name.encode(), data)
