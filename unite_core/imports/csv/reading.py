"""Reader of the rows of a CSV file, in bounded memory, with an error for every unreadable row."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from unite_core.errors import FieldError
from unite_core.imports.csv.columns import MAX_COLUMNS, ColumnMap, map_columns, map_known_columns
from unite_core.imports.csv.decoding import Encoding, InvalidFile, detect_encoding
from unite_core.imports.csv.error_report import REPLACEMENT_CHARACTER, REPORT_COLUMNS
from unite_core.imports.csv.lines import DELIMITER_LINE, MAX_LINE_LENGTH, Lines, Readable, too_long

MAX_RECORD_LENGTH = MAX_LINE_LENGTH
"""Characters of a row, on one line or, quoted, on several."""

MAX_HEADER_LENGTH = 64 * 1024
"""Characters of all column names together: they are stored with the import."""

MAX_LINES_PER_RECORD = 1000
"""Lines of a row with quoted line breaks."""

MAX_CELLS = MAX_COLUMNS + len(REPORT_COLUMNS)
"""Cells of a row: as many as a header has columns, and those of an error report."""

DELIMITERS = (",", ";", "\t", "|")

_DETECTION_CHUNK = 1024 * 1024
_SAMPLE = 256 * 1024
_SHOWN_OF_LONG_ROW = 1000
_SURROGATE = re.compile("[\ud800-\udfff]")
# Lines that were searched in vain for the end of a quoted cell are read twice. Without a limit a file
# in which every line opens a quote would take a thousand times as long as it should.
_REREAD_LINES_PER_ROW = 4
_MAX_REREAD_LINES = 50 * MAX_LINES_PER_RECORD


class Record(NamedTuple):
    """A row that is not blank.

    `row` is its number as a spreadsheet shows it, from 1: a quoted cell of several lines is in one row, and
    blank lines count. A row with a `problem` could not be read correctly; its `cells` then show its content,
    split at every delimiter, truncated if it is too long, with U+FFFD for what could not be decoded.
    """

    row: int
    cells: list[str]
    problem: FieldError | None


class _EndlessRowError(Exception):
    """A quoted cell is longer than a row may be."""


class RecordReader:
    """Iterates over the records of a file, reading as it goes.

    Lines end with LF, CRLF or CR; cells are quoted as in RFC 4180, and nothing else counts as
    quoting. A quote that is never closed, or not in time, makes the row in which it opens invalid: the lines after
    that are read as rows of their own. Memory depends on neither the size of the file nor its longest line. A cell may
    have as many characters as the csv module accepts (131,072).

    Errors of a record: `malformed_row`, `unclosed_quote`, `row_too_long`, `too_many_cells`,
    `broken_encoding`.
    """

    def __init__(self, stream: Readable, encoding: Encoding, delimiter: str) -> None:
        self._source = Lines(stream, encoding)
        self._delimiter = delimiter
        self._taken: list[str] = []
        self._taken_length = 0
        self._ran_out = False
        self._row = 0
        self._credit = _MAX_REREAD_LINES
        self._credit_row = 0
        self._rows = self._read_rows()

    @property
    def bytes_read(self) -> int:
        """The number of bytes of the file that were consumed, its byte order mark included."""
        return self._source.bytes_read

    def __iter__(self) -> Iterator[Record]:
        return filter(None, self._rows)

    def skip(self, rows_up_to: int) -> None:
        """Skip rows until the next record has a row number greater than `rows_up_to`."""
        pending = self._source.pending
        while self._row < rows_up_to and (pending or self._source.refill()):
            # A line without a quote that does not continue a row is a row, whatever it contains.
            if '"' in pending[0]:
                next(self._rows)
            else:
                pending.popleft()
                self._row += 1

    def _read_rows(self) -> Iterator[Record | None]:
        """Yield a record for each row, None for a blank one."""
        source, taken = self._source, self._taken
        while source.pending or source.refill():
            # After an error a new reader is needed: the iterator under the old one may have ended.
            parsed = csv.reader(self._lines(), delimiter=self._delimiter, strict=True)
            try:
                for cells in parsed:
                    self._row += 1
                    if source.damaged or len(cells) > MAX_CELLS or len(taken[0]) > MAX_RECORD_LENGTH:
                        record = self._doubtful_record(cells)
                    elif cells and (cells[0].strip() or any(map(str.strip, cells))):
                        record = Record(self._row, cells, None)
                    else:
                        record = None
                    taken.clear()
                    yield record
            except (csv.Error, _EndlessRowError):
                self._row += 1
                record = self._failed_record()
                taken.clear()
                yield record

    def _lines(self) -> Iterator[str]:
        """Yield the following lines with their ends; `_taken` collects those of the current row."""
        pending, taken = self._source.pending, self._taken
        self._ran_out = False
        while pending or self._source.refill():
            line = pending.popleft()
            taken.append(line)
            if len(taken) > 1:
                self._refuse_endless_row(line)
            elif too_long(line):
                # The quotes in it are ignored, because its end is missing or too far away.
                line = ""
            yield line
        self._ran_out = True

    def _refuse_endless_row(self, line: str) -> None:
        if len(self._taken) == 2:
            self._taken_length = len(self._taken[0])
            earned = _REREAD_LINES_PER_ROW * (self._row - self._credit_row)
            self._credit = min(_MAX_REREAD_LINES, self._credit + earned)
            self._credit_row = self._row
        self._taken_length += len(line)
        if self._taken_length > MAX_RECORD_LENGTH or len(self._taken) > min(MAX_LINES_PER_RECORD, 1 + self._credit):
            raise _EndlessRowError

    def _doubtful_record(self, cells: list[str]) -> Record | None:
        """Return the record of a row that may have an error, with the error if it has one."""
        if too_long(self._taken[0]):
            return self._long_record()
        if not any(map(str.strip, cells)):
            return None
        problem = None
        if len(cells) > MAX_CELLS:
            if any(map(str.strip, cells[MAX_CELLS:])):
                detail = f"Row {self._row} has {len(cells)} cells; at most {MAX_CELLS} are read."
                problem = FieldError(field="", code="too_many_cells", detail=detail)
            cells = cells[:MAX_CELLS]
        if any(map(_SURROGATE.search, cells)):
            cells = [_SURROGATE.sub(REPLACEMENT_CHARACTER, cell) for cell in cells]
            problem = problem or FieldError(
                field="",
                code="broken_encoding",
                detail=f"Row {self._row} has bytes that mean no character, shown as {REPLACEMENT_CHARACTER} in the "
                "error report; write the characters that belong there.",
            )
        return Record(self._row, cells, problem)

    def _failed_record(self) -> Record:
        """Return the record of a row with broken quoting; the lines after its first one are read again."""
        first, *rest = self._taken
        self._source.pending.extendleft(reversed(rest))
        self._credit -= len(rest)
        if rest or self._ran_out:
            code = "unclosed_quote"
            detail = (
                f"A quote opens in row {self._row} and is not closed; close it, or write it twice if it belongs to "
                "the text."
            )
        elif len(first) > csv.field_size_limit():
            return self._long_record()
        else:
            code = "malformed_row"
            detail = f"Row {self._row} has a quote inside a quoted cell; write it twice if it belongs to the text."
        cells = _SURROGATE.sub(REPLACEMENT_CHARACTER, first.rstrip("\r\n")).split(self._delimiter)
        return Record(self._row, cells[:MAX_CELLS], FieldError(field="", code=code, detail=detail))

    def _long_record(self) -> Record:
        shown = _SURROGATE.sub(REPLACEMENT_CHARACTER, self._taken[0][:_SHOWN_OF_LONG_ROW]).split(self._delimiter)
        # The last cell is truncated, and half a value may look like a whole one.
        cells = shown[:-1] or shown
        detail = (
            f"Row {self._row} is longer than {MAX_RECORD_LENGTH} characters, or has a cell longer than "
            f"{csv.field_size_limit()}; shorten it."
        )
        return Record(self._row, cells, FieldError(field="", code="row_too_long", detail=detail))


@dataclass(frozen=True, slots=True)
class Dialect:
    """The format of a file, detected once and stored with its import.

    `header_row` is the number of the row that names the columns; `header` are its cells.
    """

    encoding: Encoding
    delimiter: str
    header_row: int
    header: tuple[str, ...]

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON, as they are stored."""
        return {
            "encoding": self.encoding.name,
            "bom": self.encoding.bom,
            "delimiter": self.delimiter,
            "header_row": self.header_row,
            "header": list(self.header),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Dialect":
        """Return the dialect from the result of `to_plain`."""
        return cls(
            Encoding(plain["encoding"], plain["bom"]), plain["delimiter"], plain["header_row"], tuple(plain["header"])
        )


def detect_dialect(
    open_stream: Callable[[], AbstractContextManager[Readable]],
    columns: Mapping[str, str | None] | None = None,
    *,
    names_needed: bool = True,
) -> tuple[Dialect, ColumnMap]:
    """Detect the format of a file and map its columns; `columns` and `names_needed` are those of `map_columns`.

    `open_stream` opens the file at its start, each time that it is called; the file is read once as a whole and
    twice more in its first part. Raise `InvalidFile`.
    """
    with open_stream() as stream:
        encoding = detect_encoding(iter(partial(stream.read, _DETECTION_CHUNK), b""))
    with open_stream() as stream:
        sample = _first_bytes(stream, _SAMPLE)[encoding.bom :].decode(encoding.name, encoding.damage)
    delimiter = sniff_delimiter(sample, columns)
    with open_stream() as stream:
        header = next(iter(RecordReader(stream, encoding, delimiter)), None)
    if header is None:
        raise InvalidFile("The file has no header: all of its lines are blank.", code="empty_file")
    if header.problem is not None and header.problem.code != "broken_encoding":
        code = "too_many_columns" if header.problem.code == "too_many_cells" else "unreadable_header"
        raise InvalidFile(f"The header cannot be read. {header.problem.detail}", code=code)
    length = sum(map(len, header.cells))
    if length > MAX_HEADER_LENGTH:
        raise InvalidFile(
            f"The header cannot be read. Row {header.row} has {length} characters; the names of all columns together "
            f"have at most {MAX_HEADER_LENGTH}. Shorten them.",
            code="unreadable_header",
        )
    column_map = map_columns(header.cells, columns, line=header.row, names_needed=names_needed)
    return Dialect(encoding, delimiter, header.row, tuple(header.cells)), column_map


def _first_bytes(stream: Readable, size: int) -> bytes:
    """Read the first bytes of a stream, which may return fewer bytes than requested at a time."""
    first = b""
    while len(first) < size and (more := stream.read(size - len(first))):
        first += more
    return first


def sniff_delimiter(sample: str, columns: Mapping[str, str | None] | None = None) -> str:
    """Detect the delimiter of a text: the one with which its first row that is not blank maps to the most fields.

    If there are several, it is the one that makes the most columns, comma before the others. An error report is
    separated by commas, whatever its headers contain. A first line `sep=;` decides, as it does in Excel.
    """
    explicit = DELIMITER_LINE.match(sample)
    if explicit:
        return explicit["delimiter"]
    headers = {delimiter: _first_cells(sample, delimiter) for delimiter in DELIMITERS}
    if tuple(headers[","][: len(REPORT_COLUMNS)]) == REPORT_COLUMNS:
        return ","
    for delimiter in DELIMITERS:
        if not headers[delimiter]:  # the sample contains nothing but this delimiter
            return delimiter
    return max(DELIMITERS, key=lambda delimiter: (*_meaning(headers[delimiter], columns), len(headers[delimiter])))


def _first_cells(sample: str, delimiter: str) -> list[str]:
    stream = io.BytesIO(sample.encode("utf-8", "surrogatepass"))
    first = next(iter(RecordReader(stream, Encoding("utf-8"), delimiter)), None)
    return first.cells if first else []


def _meaning(header: list[str], columns: Mapping[str, str | None] | None) -> tuple[bool, int]:
    """Return whether the header has the columns that `columns` names, and how many fields it maps to."""
    header = header[:MAX_COLUMNS]
    try:
        return True, map_known_columns(header, columns).mapped
    except InvalidFile:
        return False, map_known_columns(header).mapped
