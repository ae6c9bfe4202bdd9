"""The rejected rows of an import as a CSV file, to be corrected and uploaded again as it is."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from unite_core.errors import FieldError

REPORT_COLUMNS = ("unite_row", "unite_field", "unite_code", "unite_message", "unite_suggestion")
"""What stands before the columns of the original file; an import ignores them."""

REPLACEMENT_CHARACTER = "\N{REPLACEMENT CHARACTER}"

# What a spreadsheet may take for the start of a formula (CWE-1236, OWASP ASVS 1.2.10): also after spaces,
# which some of them drop, and in the full width that Japanese keyboards write.
# Apostrophes in front are part of it, so that one more always tells that there was one less.
_FORMULA = re.compile(r"'*(?:[\t\r\0]|\s*[=+\-@＝＋－＠])")  # noqa: RUF001 - the full-width signs are what is looked for

# The same inside a cell, for a spreadsheet that takes the file apart at other signs than its commas, as those of
# most of Europe do; to them no quotation mark of ours is in its place.
_BREAKS = r";|\t\n\r\v\f\x85\u2028\u2029"
_INNER_FORMULA = re.compile(rf"""([{_BREAKS}](?:[^\S{_BREAKS}]|["\0])*)('*[=+\-@＝＋－＠])""")  # noqa: RUF001 - as above
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row as the original file had it, its number there, and what is wrong with it."""

    row: int
    problems: tuple[FieldError, ...]
    cells: tuple[str, ...]


def escape_formula(cell: str) -> str:
    """The cell with an apostrophe wherever a spreadsheet might find a formula.

    That is in front of the cell, and in front of a formula sign that follows a semicolon, bar, tab or line break.
    """
    if _FORMULA.match(cell):
        cell = "'" + cell
    return _INNER_FORMULA.sub(r"\1'\2", cell)


def unescape_formula(cell: str) -> str:
    """The cell as it was before `escape_formula`, whatever it was."""
    if "'" not in cell:
        return cell
    cell = _INNER_FORMULA.sub(_without_first_apostrophe, cell)
    return cell[1:] if cell[0] == "'" and _FORMULA.match(cell, 1) else cell


def _without_first_apostrophe(found: re.Match[str]) -> str:
    return found[1] + found[2].removeprefix("'")


def _guarded_once(cell: str) -> str:
    """What means the same as `cell`, a cell of a file, which may have its guard already."""
    return escape_formula(unescape_formula(cell))


def report_lines(header: Sequence[str], rejected: Iterable[RejectedRow]) -> Iterator[bytes]:
    """The report line by line: UTF-8 with a byte order mark, commas, CRLF, quoted as RFC 4180 says.

    `header` and the cells are the original file's. Several problems of a row are joined with ` | `, in the
    same order in each column. Columns of an earlier report among the original ones are left out; bytes
    that could not be decoded become U+FFFD, which an import refuses in a field.
    """
    kept = [index for index, cell in enumerate(header) if cell.strip().lower() not in REPORT_COLUMNS]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([*REPORT_COLUMNS, *(_guarded_once(header[index]) for index in kept)])
    yield b"\xef\xbb\xbf" + _taken(buffer)
    for row in rejected:
        told = map(escape_formula, _told(row.problems))
        own = map(_guarded_once, _own_cells(row.cells, kept, len(header)))
        writer.writerow([row.row, *told, *own])
        yield _taken(buffer)


def _own_cells(cells: Sequence[str], kept: Sequence[int], width: int) -> list[str]:
    """One cell for each column that is kept, and those beyond the header's last one."""
    return [cells[index] if index < len(cells) else "" for index in kept] + list(cells[width:])


def _told(problems: Sequence[FieldError]) -> tuple[str, str, str, str]:
    suggestions = [problem.suggestion or "" for problem in problems]
    return (
        " | ".join(problem.field for problem in problems),
        " | ".join(problem.code for problem in problems),
        " | ".join(problem.detail for problem in problems),
        " | ".join(suggestions) if any(suggestions) else "",
    )


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return _SURROGATE.sub(REPLACEMENT_CHARACTER, text).encode()
