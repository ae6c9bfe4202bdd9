"""Reader of the physical lines of a file, decoded as they are needed."""

import codecs
import io
import re
from collections import deque
from typing import Protocol

from unite_core.imports.csv.decoding import Encoding

MAX_LINE_LENGTH = 1024 * 1024
"""In characters, without its end. Anything beyond that in a longer line is skipped."""

DELIMITER_LINE = re.compile(r"\"?sep=(?P<delimiter>[,;|:^~#!\t])\"?(?:[\r\n]|\Z)", re.IGNORECASE)
"""A first line that only names the delimiter; Excel reads it and does not show it."""

_CHUNK = 256 * 1024
_LINE_END = re.compile(r"\r\n|\r|\n")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Readable(Protocol):
    """A binary file that is read from start to end."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end."""


class Lines:
    """Reads the next lines of a file into `pending`, each with its end: LF, CRLF or CR.

    `bytes_read` is how much of the file was consumed, its byte order mark included. `damaged` says
    that there were invalid bytes; they are replaced by surrogates. A caller that takes lines from `pending` may
    put them back. Memory depends on neither the size of the file nor its longest line.
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
        """Read until there is a pending line; return False at the end of the file."""
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
        """Append the complete lines of the decoded text to the pending ones."""
        text = self._line_so_far + text
        carriage_return = "\r" if text.endswith("\r") and not self._ended else ""  # LF may follow
        text = text.removesuffix(carriage_return)
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
        self._line_so_far = last + carriage_return


def too_long(line: str) -> bool:
    """Return whether the line, without its end, is longer than `MAX_LINE_LENGTH`."""
    return len(line) > MAX_LINE_LENGTH and len(line.rstrip("\r\n")) > MAX_LINE_LENGTH
