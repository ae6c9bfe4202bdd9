"""Error report: the rejected rows of an import as a CSV file, to be corrected and uploaded again."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from unite_core.errors import FieldError

REPORT_COLUMNS = ("unite_row", "unite_field", "unite_code", "unite_message", "unite_suggestion")
"""The columns before those of the original file; an import ignores them."""

REPLACEMENT_CHARACTER = "\N{REPLACEMENT CHARACTER}"

# The possible starts of a formula in a spreadsheet (CWE-1236, OWASP ASVS 1.2.10): also after spaces,
# which some programs drop, and in the full width that Japanese keyboards write.
# Leading apostrophes are part of the match, so that removing one apostrophe restores the original.
_FORMULA = re.compile(r"'*(?:[\t\r\0]|\s*[=+\-@＝＋－＠])")  # noqa: RUF001 - the full-width signs are what is looked for

# The same inside a cell, for a spreadsheet that splits the file at other signs than commas, as those of
# most of Europe do; they do not recognise our quotation marks.
_BREAKS = r";|\t\n\r\v\f\x85\u2028\u2029"
_INNER_FORMULA = re.compile(rf"""([{_BREAKS}](?:[^\S{_BREAKS}]|["\0])*)('*[=+\-@＝＋－＠])""")  # noqa: RUF001 - as above
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row as in the original file, its number there, and its errors."""

    row: int
    problems: tuple[FieldError, ...]
    cells: tuple[str, ...]


def escape_formula(cell: str) -> str:
    """Add an apostrophe wherever a spreadsheet might find a formula in the cell.

    That is at the start of the cell, and before a formula sign that follows a semicolon, bar, tab or line break.
    """
    if _FORMULA.match(cell):
        cell = "'" + cell
    return _INNER_FORMULA.sub(r"\1'\2", cell)


def unescape_formula(cell: str) -> str:
    """Return the cell as it was before `escape_formula`."""
    if "'" not in cell:
        return cell
    cell = _INNER_FORMULA.sub(_without_first_apostrophe, cell)
    return cell[1:] if cell[0] == "'" and _FORMULA.match(cell, 1) else cell


def _without_first_apostrophe(match: re.Match[str]) -> str:
    return match[1] + match[2].removeprefix("'")


def _guarded_once(cell: str) -> str:
    """Return a guarded cell for a cell of a file, which may have its guard already."""
    return escape_formula(unescape_formula(cell))


def report_lines(header: Sequence[str], rejected: Iterable[RejectedRow]) -> Iterator[bytes]:
    """Yield the report line by line: UTF-8 with a byte order mark, commas, CRLF, quoted as in RFC 4180.

    `header` and the cells are those of the original file. Several errors of a row are joined with ` | `, in the
    same order in each column. Columns of an earlier report among the original ones are removed; bytes
    that could not be decoded become U+FFFD, which an import refuses in a field.
    """
    own_columns = [index for index, cell in enumerate(header) if cell.strip().lower() not in REPORT_COLUMNS]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([*REPORT_COLUMNS, *(_guarded_once(header[index]) for index in own_columns)])
    yield b"\xef\xbb\xbf" + _drain(buffer)
    for row in rejected:
        errors = map(escape_formula, _error_cells(row.problems))
        own = map(_guarded_once, _own_cells(row.cells, own_columns, len(header)))
        writer.writerow([row.row, *errors, *own])
        yield _drain(buffer)


def _own_cells(cells: Sequence[str], own_columns: Sequence[int], width: int) -> list[str]:
    """Return one cell for each of the file's own columns, and those beyond the end of the header."""
    return [cells[index] if index < len(cells) else "" for index in own_columns] + list(cells[width:])


def _error_cells(problems: Sequence[FieldError]) -> tuple[str, str, str, str]:
    suggestions = [problem.suggestion or "" for problem in problems]
    return (
        " | ".join(problem.field for problem in problems),
        " | ".join(problem.code for problem in problems),
        " | ".join(problem.detail for problem in problems),
        " | ".join(suggestions) if any(suggestions) else "",
    )


def _drain(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return _SURROGATE.sub(REPLACEMENT_CHARACTER, text).encode()
