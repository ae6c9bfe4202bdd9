"""The physical lines of a file, decoded as they are needed."""

import codecs
import io
import re
from collections import deque
from typing import Protocol

from unite_core.imports.decoding import Encoding

MAX_LINE_LENGTH = 1024 * 1024
"""In characters, its end not counted. What a longer line has beyond that is passed over."""

DELIMITER_LINE = re.compile(r"\"?sep=(?P<delimiter>[,;|:^~#!\t])\"?(?:[\r\n]|\Z)", re.IGNORECASE)
"""How Excel is told the delimiter: by a first line that says nothing else, and that it does not show."""

_CHUNK = 256 * 1024
_LINE_END = re.compile(r"\r\n|\r|\n")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Readable(Protocol):
    """A file in binary, of which nothing is asked but to be read from start to end."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""


class Lines:
    """Holds the next lines of a file in `pending`, each with its end: LF, CRLF or CR.

    `bytes_read` is how much of the file has been consumed, its byte order mark included. `damaged` tells
    that bytes were met that mean nothing; surrogates stand for them. Whoever takes lines from `pending` may
    put them back. Memory depends on neither the file nor its longest line.
    """

    def __init__(self, stream: Readable, encoding: Encoding) -> None:
        self.pending: deque[str] = deque()
        self.bytes_read = 0
        self.damaged = False
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding.name)(encoding.damage)
        self._mark_left = encoding.bom
        self._ended = False
        self._at_start = True
        self._line_so_far = ""
        self._in_long_line = False

    def refill(self) -> bool:
        """Read until there is a line to be taken; false at the end of the file."""
        while not self.pending and not self._ended:
            chunk = self._stream.read(_CHUNK)
            self.bytes_read += len(chunk)
            self._ended = not chunk
            if self._mark_left:
                marked = min(self._mark_left, len(chunk))
                self._mark_left -= marked
                chunk = chunk[marked:]
            text = self._decoder.decode(chunk, self._ended)
            if not self.damaged and not text.isascii():
                self.damaged = _SURROGATE.search(text) is not None
            self._split(text)
            if self._at_start and self.pending:
                self._at_start = False
                if DELIMITER_LINE.match(self.pending[0]):
                    self.pending.popleft()
        return bool(self.pending)

    def _split(self, text: str) -> None:
        """Put the whole lines of what has been decoded among those to be taken."""
        text = self._line_so_far + text
        held = "\r" if text.endswith("\r") and not self._ended else ""  # LF may follow
        text = text.removesuffix(held)
        if self._in_long_line:
            end = _LINE_END.search(text)
            self._in_long_line = end is None
            text = text[end.end() :] if end else ""
        lines = io.StringIO(text, newline="").readlines()
        last = lines.pop() if lines and not self._ended and lines[-1][-1] not in "\r\n" else ""
        self.pending.extend(lines)
        if len(last) > MAX_LINE_LENGTH:
            self.pending.append(last)
            self._in_long_line = True
            last = ""
        self._line_so_far = last + held


def too_long(line: str) -> bool:
    """Whether the line, its end not counted, is longer than `MAX_LINE_LENGTH`."""
    return len(line) > MAX_LINE_LENGTH and len(line.rstrip("\r\n")) > MAX_LINE_LENGTH
