"""Detection of the encoding of a CSV file, in one pass over its bytes."""

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from unite_core.errors import Invalid


class InvalidFile(Invalid):
    """The file as a whole cannot be imported; nothing of it was.

    `detail` names the line with the error and says what to do. `columns` is the mapping of the columns
    so far, in plain values (`ColumnMap.to_plain`), empty if the columns were not read yet.
    """

    code = "file_refused"

    def __init__(self, detail: str, *, code: str, columns: Sequence[Mapping[str, str | None]] = ()) -> None:
        super().__init__(detail, code=code)
        self.columns = tuple(columns)


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec (`utf-8`, `utf-16-le`, `utf-16-be` or `cp1252`) and the length of the byte order mark, in bytes."""

    name: str
    bom: int = 0

    @property
    def damage(self) -> str:
        """The codec's error handler for invalid bytes.

        UTF-16 has no bytes that could be escaped one by one; there U+FFFD replaces them.
        """
        return "replace" if self.name.startswith("utf-16") else "surrogateescape"


_BOMS = (
    (codecs.BOM_UTF8, Encoding("utf-8", 3)),
    (codecs.BOM_UTF16_LE, Encoding("utf-16-le", 2)),
    (codecs.BOM_UTF16_BE, Encoding("utf-16-be", 2)),
)

_SAVE_AS_CSV = "open it in the program it comes from and save it as CSV UTF-8, then upload that."
_SIGNATURES = (
    (b"PK\x03\x04", f"This is an Excel workbook or another ZIP archive; {_SAVE_AS_CSV}"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"This is an old Excel workbook (.xls); {_SAVE_AS_CSV}"),
    (b"%PDF-", f"This is a PDF document; {_SAVE_AS_CSV}"),
    (b"\x1f\x8b", "This is a gzip archive; unpack it and upload the CSV file that is inside."),
    (b"\x89PNG\r\n\x1a\n", "This is a PNG picture, not a CSV file; upload a CSV file."),
    (codecs.BOM_UTF32_LE, "This is UTF-32 text; save it as CSV UTF-8."),
)
_MAX_SIGNATURE_BYTES = 8

_SEARCHED_FOR_NUL = 64 * 1024
_HIGH = bytes(range(0x80, 0x100))
_ESCAPED = re.compile("[\udc80-\udcff]+")

_EMPTY = "The file is empty; line 1 must name the columns, and each line after it is a lead."


def detect_encoding(chunks: Iterable[bytes]) -> Encoding:
    """Detect the encoding of a file that is given in chunks of any size.

    A byte order mark decides. Without one the file is UTF-8 if all of it is valid, or if it is merely
    damaged: truncated within a character, or with fewer invalid sequences than valid ones (RFC 3629).
    Otherwise it is Windows-1252. Raise `InvalidFile`: `empty_file` if there is nothing but
    whitespace, `binary_file` if this is no text.
    """
    whole = _with_whole_signature(chunks)
    first = next(whole, b"")
    for signature, advice in _SIGNATURES:
        if first.startswith(signature):
            raise InvalidFile(advice, code="binary_file")
    for bom, encoding in _BOMS:
        if first.startswith(bom):
            _refuse_blank(encoding, first[encoding.bom :], whole)
            return encoding
    return _detect_without_bom(first, whole)


def _with_whole_signature(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes, with a first chunk that is long enough to recognise its signature."""
    chunks = iter(chunks)
    first = b""
    for chunk in chunks:
        first += chunk
        if len(first) >= _MAX_SIGNATURE_BYTES:
            break
    yield first
    yield from chunks


def _refuse_blank(encoding: Encoding, first: bytes, rest: Iterator[bytes]) -> None:
    decoder = codecs.getincrementaldecoder(encoding.name)(encoding.damage)
    while True:
        if decoder.decode(first).strip():
            return
        following = next(rest, None)
        if following is None:
            break
        first = following
    if not decoder.decode(b"", final=True):
        raise InvalidFile(_EMPTY, code="empty_file")


def _detect_without_bom(first: bytes, rest: Iterator[bytes]) -> Encoding:
    scan = _Scan()
    scan.add(first)
    for chunk in rest:
        scan.add(chunk)
    if scan.blank:
        raise InvalidFile(_EMPTY, code="empty_file")
    return Encoding("utf-8") if scan.is_utf8() else Encoding("cp1252")


class _Scan:
    """Counts the valid and the invalid multi-byte sequences of a file, as if it were UTF-8."""

    def __init__(self) -> None:
        self.blank = True
        self._seen = 0
        self._line = 1
        self._valid = 0
        self._invalid = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._within_character = False

    def add(self, chunk: bytes) -> None:
        """Scan the next bytes of the file."""
        if self._seen < _SEARCHED_FOR_NUL:
            self._refuse_nul(chunk[: _SEARCHED_FOR_NUL - self._seen])
            self._seen += len(chunk)
        if self.blank:
            self.blank = not chunk.strip()
        if chunk.isascii() and not self._within_character:
            return
        text = self._decoder.decode(chunk)
        self._within_character = bool(self._decoder.getstate()[0])
        high = len(text) - len(chunk.translate(None, _HIGH))
        try:
            text.encode()
        except UnicodeEncodeError:
            runs = _ESCAPED.findall(text)
            self._invalid += len(runs)
            high -= sum(map(len, runs))
        self._valid += high

    def _refuse_nul(self, start: bytes) -> None:
        before, nul, _ = start.partition(b"\0")
        self._line += before.count(b"\n")
        if nul:
            raise InvalidFile(
                f"Line {self._line} has a NUL byte: this is not a text file, or it is UTF-16 without a byte order "
                "mark. Save it as CSV UTF-8.",
                code="binary_file",
            )

    def is_utf8(self) -> bool:
        """Return whether the file is UTF-8, damaged or not.

        A valid sequence is very unlikely in Windows-1252, so a tie is decided for UTF-8: its
        invalid rows are rejected, while the other choice would import them with the wrong letters.
        """
        return self._valid >= self._invalid
