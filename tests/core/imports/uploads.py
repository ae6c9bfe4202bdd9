"""Uploaded files for tests: readers over bytes, as an import reads them."""

import io
from collections.abc import Mapping
from uuid import UUID

from unite_core.errors import FieldError
from unite_core.imports.csv.columns import ColumnMap
from unite_core.imports.csv.reading import Dialect, Record, RecordReader, detect_dialect
from unite_core.imports.csv.rows import LeadDraft, RowInterpreter, RowRules
from unite_core.phone import PhoneRule

ANN = UUID("01890a5d-ac96-774b-bcce-b302099a8057")

US = RowRules(default_country="US", phone_rule=PhoneRule.POSSIBLE, owners={})


class Drip:
    """A stream that only has `read`, and returns fewer bytes than requested."""

    def __init__(self, content: bytes, portion: int) -> None:
        self._stream = io.BytesIO(content)
        self._portion = portion

    def read(self, size: int, /) -> bytes:
        return self._stream.read(min(size, self._portion))


def look(content: bytes, columns: Mapping[str, str | None] | None = None) -> tuple[Dialect, ColumnMap]:
    return detect_dialect(lambda: io.BytesIO(content), columns)


def reader_of(content: bytes, dialect: Dialect) -> RecordReader:
    """Return a reader positioned after the header."""
    reader = RecordReader(io.BytesIO(content), dialect.encoding, dialect.delimiter)
    reader.skip(dialect.header_row)
    return reader


def records(content: bytes, columns: Mapping[str, str | None] | None = None) -> list[Record]:
    dialect, _ = look(content, columns)
    return list(reader_of(content, dialect))


def drafts(
    content: bytes, columns: Mapping[str, str | None] | None = None, rules: RowRules = US
) -> list[LeadDraft | tuple[FieldError, ...]]:
    dialect, examined = look(content, columns)
    interpret = RowInterpreter(examined, rules, len(dialect.header))
    return [interpret(record) for record in reader_of(content, dialect)]


def codes(outcome: LeadDraft | tuple[FieldError, ...]) -> list[tuple[str, str]]:
    """Return field and code of each problem; none for a valid row."""
    return [] if isinstance(outcome, LeadDraft) else [(problem.field, problem.code) for problem in outcome]
