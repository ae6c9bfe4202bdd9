"""The parts of a multipart body (RFC 7578), read one after the other and never whole in memory."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from unite_core.errors import Malformed, TooLarge

BLOCK = 64 * 1024
MOST_PARTS = 10


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the body; `filename` is None where it is a plain field. `stream` is good until the next part."""

    name: str
    filename: str | None
    stream: BinaryIO


def parts_of(body: IO[bytes], boundary: str) -> Iterator[Part]:
    """The parts in the order in which they come; what is left unread of one is skipped.

    Raises `Malformed` where this is no multipart body or it ends too early, and `TooLarge` where there are
    more than 10 parts, or a part's headers or what stands around the parts is longer than 128 KiB.
    """
    if not boundary:
        raise Malformed("The Content-Type names no boundary.", code="malformed_form")
    events = _events(body, boundary)
    for event in events:
        if isinstance(event, File | Field):
            filename = event.filename if isinstance(event, File) else None
            stream = io.BufferedReader(_PartBytes(events), BLOCK)
            # A part without a name has none in spite of the decoder's types.
            yield Part(event.name or "", filename, stream)
            while stream.read(BLOCK):
                pass


def _events(body: IO[bytes], boundary: str) -> Iterator[Event]:
    decoder = MultipartDecoder(boundary.encode(), max_form_memory_size=2 * BLOCK, max_parts=MOST_PARTS)
    while True:
        try:
            event = decoder.next_event()
        except RequestEntityTooLarge:
            raise TooLarge(f"The body has more than {MOST_PARTS} parts.") from None
        except ValueError as broken:
            raise Malformed("The multipart body ends too early or is broken.", code="malformed_form") from broken
        if isinstance(event, Epilogue):
            return
        if not isinstance(event, NeedData):
            yield event
            continue
        block = body.read(BLOCK)
        try:
            decoder.receive_data(block or None)
        except RequestEntityTooLarge:
            raise TooLarge("The headers of a part, or what stands before or after the parts, are too long.") from None


class _PartBytes(io.RawIOBase):
    """The bytes of the part that has just begun, pulled out of the events as they are asked for."""

    def __init__(self, events: Iterator[Event]) -> None:
        super().__init__()
        self._events = events
        self._pending = memoryview(b"")
        self._more = True

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed names a private protocol
        while not self._pending and self._more:
            event = next(self._events, None)
            if not isinstance(event, Data):
                raise Malformed("The multipart body ends too early.", code="malformed_form")
            self._pending, self._more = memoryview(event.data), event.more_data
        taken = self._pending[: len(target)]
        target[: len(taken)] = taken
        self._pending = self._pending[len(taken) :]
        return len(taken)
