"""Parse a multipart body (RFC 7578) part by part, without holding it in memory."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import IO, BinaryIO, TypeAlias

from multipart import (  # type: ignore[import-untyped]  # it ships no types
    MultipartError,
    MultipartSegment,
    ParserError,
    ParserLimitReached,
    PushMultipartParser,
)
from werkzeug.http import parse_options_header

from unite_core.errors import Malformed, TooLarge

BLOCK = 64 * 1024
MAX_FORM_PARTS = 10

MAX_HEADER_BYTES = 16 * 1024
"""The limit for one header of a part."""

MAX_HEADERS = 20
"""The limit for the headers of a part; three are usual (RFC 7578, 4.8)."""

MAX_BYTES_AROUND_PARTS = 128 * 1024
"""The limit for everything but content: headers, boundaries, and bytes before the first and after the last part."""

_Event: TypeAlias = MultipartSegment | bytes | None
"""The events of a part: its headers, then its bytes block by block, then None."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the body; `filename` is None for a plain field. `stream` is valid until the next part."""

    name: str
    filename: str | None
    stream: BinaryIO


def parts_of(body: IO[bytes], boundary: str) -> Iterator[Part]:
    """Yield the parts in the order of the body; the unread rest of a part is skipped.

    The result depends only on the bytes of the body, and not on how they are split into blocks.

    Raises `Malformed` if this is not a multipart body or it ends too early, and `TooLarge` if there are more than 10
    parts, a header of more than 16 KiB, or more than 128 KiB outside the content of the parts.
    """
    if not boundary:
        raise Malformed("The Content-Type has no boundary.", code="malformed_form")
    events = _events(body, boundary)
    for event in events:
        if isinstance(event, MultipartSegment):
            _, options = parse_options_header(event.header("Content-Disposition"))
            stream = io.BufferedReader(_PartBytes(events), BLOCK)
            yield Part(options.get("name", ""), options.get("filename"), stream)
            while stream.read(BLOCK):
                pass


def _events(body: IO[bytes], boundary: str) -> Iterator[_Event]:
    delimiter = b"\r\n--" + boundary.encode()
    start = _from_first_boundary(body, delimiter)
    around = 0
    try:
        with _Parser(
            boundary, max_segment_count=MAX_FORM_PARTS, max_header_size=MAX_HEADER_BYTES, max_header_count=MAX_HEADERS
        ) as parser:
            for block in chain((start,), iter(partial(body.read, BLOCK), b"")):
                around += len(block)
                for event in parser.parse(block):
                    around -= len(event) if isinstance(event, bytes) else 0
                    yield event
                if around > MAX_BYTES_AROUND_PARTS:
                    raise _too_much_around()
    except ParserLimitReached:
        raise TooLarge(
            f"The body has more than {MAX_FORM_PARTS} parts, or a part whose headers are too long."
        ) from None
    except MultipartError as error:
        raise _malformed() from error


def _from_first_boundary(body: IO[bytes], delimiter: bytes) -> bytes:
    """Read up to the first boundary, and return the bytes from the boundary on (RFC 2046, 5.1.1).

    The parser would miss a first boundary that is split between two blocks.
    """
    start = bytearray(b"\r\n")
    searched = 0
    while (position := start.find(delimiter, searched)) < 0:
        searched = max(0, len(start) - len(delimiter))
        if len(start) > MAX_BYTES_AROUND_PARTS:
            raise _too_much_around()
        if not (block := body.read(BLOCK)):
            raise _malformed()
        start += block
    while len(start) < position + len(delimiter) + len(b"\r\n") and (block := body.read(BLOCK)):
        start += block
    return bytes(start[position + len(b"\r\n") :])


class _Parser(PushMultipartParser):  # type: ignore[misc]  # it ships no types
    """A parser that refuses a bare LF in headers; the library accepts it or not, depending on the block borders."""

    def _on_segment_headerline(self, line: bytes) -> None:
        if b"\n" in line:
            raise ParserError("A line of a header ends in LF alone.")
        super()._on_segment_headerline(line)


def _malformed() -> Malformed:
    return Malformed("The multipart body ends too early or is broken.", code="malformed_form")


def _too_much_around() -> TooLarge:
    return TooLarge("The headers of the parts, or the bytes before or after the parts, are too long.")


class _PartBytes(io.RawIOBase):
    """The content of the current part, taken from the events as it is read."""

    def __init__(self, events: Iterator[_Event]) -> None:
        super().__init__()
        self._events = events
        self._pending = memoryview(b"")
        self._more = True

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed names a private protocol
        while not self._pending and self._more:
            event = next(self._events, None)
            self._more = isinstance(event, bytes)
            self._pending = memoryview(event if isinstance(event, bytes) else b"")
        part = self._pending[: len(target)]
        target[: len(part)] = part
        self._pending = self._pending[len(part) :]
        return len(part)
