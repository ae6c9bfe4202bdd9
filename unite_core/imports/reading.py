"""The rows of a CSV file, one by one, in bounded memory, none of them lost silently."""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, NamedTuple, Protocol

from unite_core.errors import Problem
from unite_core.imports.columns import ColumnMap, guess_columns, map_columns
from unite_core.imports.decoding import Encoding, FileRefused, detect_encoding
from unite_core.imports.error_report import REPLACEMENT_CHARACTER, REPORT_COLUMNS

LONGEST_RECORD = 1024 * 1024
"""Characters of a row, be it on one line or, quoted, on several."""

MOST_LINES_IN_RECORD = 1000

MOST_CELLS = 1000
"""What a row is cut to; a header may have as many columns (`columns.MOST_COLUMNS`)."""

DELIMITERS = (",", ";", "\t", "|")

_CHUNK = 256 * 1024
_LOOKED_AT = 1024 * 1024
_SHOWN_OF_LONG_ROW = 1000
_LINE_END = re.compile(r"\r\n|\r|\n")
_SURROGATE = re.compile("[\ud800-\udfff]")
# How Excel is told the delimiter: a first line that says nothing else.
_DELIMITER_LINE = re.compile(r"\"?sep=(?P<delimiter>[^\w\s\"']|\t)\"?[\r\n]*", re.IGNORECASE)
# Looking for the end of a quoted cell in vain costs at most so many characters more than the file has.
_RESCANS = 4


class Readable(Protocol):
    """A file in binary, of which nothing is asked but to be read from start to end."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""


class Record(NamedTuple):
    """A row that is not blank.

    `row` is its number as a spreadsheet shows it, from 1: a quoted cell of several lines is in one row, and
    blank lines count. A row with a `problem` could not be read rightly: its `cells` show what it holds, split
    at every delimiter, cut short where it is too long, with U+FFFD for what could not be decoded.
    """

    row: int
    cells: list[str]
    problem: Problem | None


class _UnclosedQuoteError(Exception):
    """A quoted cell goes on for longer than a row may be."""


class RecordReader:
    """Iterates over the records of a file, reading as it goes.

    Lines end with LF, CRLF or CR; cells are quoted as RFC 4180 says, and nothing else is taken for
    quoting. A quote that is never closed, or not in time, costs the row in which it opens: the lines after
    that are read as rows of their own. Memory depends on neither the file nor its longest line.
    """

    def __init__(self, stream: Readable, encoding: Encoding, delimiter: str) -> None:
        self._stream = stream
        self._delimiter = delimiter
        self._decoder = codecs.getincrementaldecoder(encoding.name)(encoding.damage)
        self._mark_left = encoding.bom
        self._bytes_read = 0
        self._ended = False
        self._rest = ""
        self._in_long_line = False
        self._damaged = False
        self._at_start = True
        self._pending: deque[str] = deque()
        self._taken: list[str] = []
        self._row = 0
        self._credit = LONGEST_RECORD
        self._rows = self._read_rows()

    @property
    def bytes_read(self) -> int:
        """How much of the file has been consumed, its byte order mark included."""
        return self._bytes_read

    def __iter__(self) -> Iterator[Record]:
        return filter(None, self._rows)

    def skip(self, rows_up_to: int) -> None:
        """Go on until the next record has a row number greater than `rows_up_to`."""
        pending = self._pending
        while self._row < rows_up_to and (pending or self._refill()):
            # A line without a quote that does not continue a row is a row, whatever is in it.
            if '"' in pending[0]:
                next(self._rows)
            else:
                pending.popleft()
                self._row += 1

    def _read_rows(self) -> Iterator[Record | None]:
        """A record a row, None for a blank one."""
        taken = self._taken
        while self._pending or self._refill():
            # A reader that has failed is of no more use: the iterator under it has ended.
            parsed = csv.reader(self._lines(), delimiter=self._delimiter, strict=True)
            try:
                for cells in parsed:
                    self._row += 1
                    if self._damaged or len(taken[0]) > LONGEST_RECORD or len(cells) > MOST_CELLS:
                        record = self._doubtful_record(cells)
                    elif any(cells) and (cells[0] or any(map(str.strip, cells))):
                        record = Record(self._row, cells, None)
                    else:
                        record = None
                    taken.clear()
                    yield record
            except (csv.Error, _UnclosedQuoteError) as error:
                self._row += 1
                record = self._failed_record(error)
                taken.clear()
                yield record

    def _lines(self) -> Iterator[str]:
        """The lines to come, with their ends; `_taken` holds those of the row that is being read."""
        pending, taken = self._pending, self._taken
        while pending or self._refill():
            line = pending.popleft()
            if taken:
                taken.append(line)
                self._refuse_endless_row()
            elif len(line) > LONGEST_RECORD and _too_long(line):
                # Its quotes mean nothing any more, since its end may be cut off.
                taken.append(line)
                yield ""
                continue
            else:
                taken.append(line)
            yield line
