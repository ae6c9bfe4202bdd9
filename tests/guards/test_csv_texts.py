"""Tests that hostile text in a CSV file takes no longer than ordinary text, in any place."""

import io
from contextlib import nullcontext

import pytest

from tests.guards.growth import slow_texts
from unite_core.errors import FieldError
from unite_core.imports.csv.columns import FIELDS, map_columns
from unite_core.imports.csv.decoding import InvalidFile
from unite_core.imports.csv.error_report import RejectedRow, report_lines
from unite_core.imports.csv.reading import RecordReader, detect_dialect
from unite_core.imports.csv.rows import RowInterpreter, RowRules
from unite_core.phone import PhoneRule
from unite_core.testing.builders import an_id

CELL = 120 * 1024
"""In bytes; a cell of ASCII may have 128 KiB."""

RULES = RowRules(
    default_country="US", phone_rule=PhoneRule.VALID, owners={"ann@unite.example": an_id(), "ann": an_id()}
)
GOOD = {"name": "Ada", "phone": "+12125550123", "email": "ada@unite.example"}


def import_file(content: bytes, columns: dict[str, str | None] | None = None) -> None:
    """Everything that reads the text of a file, from its encoding to the report of what is wrong with it."""
    try:
        dialect, detected = detect_dialect(lambda: nullcontext(io.BytesIO(content)), columns)
    except InvalidFile:
        return
    read = RowInterpreter(detected, RULES, len(dialect.header))
    rejected = []
    for record in RecordReader(io.BytesIO(content), dialect.encoding, dialect.delimiter):
        outcome = read(record)
        if isinstance(outcome, tuple):
            rejected.append(RejectedRow(record.row, outcome, tuple(record.cells)))
    for _ in report_lines(dialect.header, rejected):
        pass


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("field", [*FIELDS, "something else", "beyond the header"])
def test_hostile_text_in_a_cell_takes_linear_time(field: str, encoding: str) -> None:
    fields = list(dict.fromkeys([*GOOD, field]))

    def read(text: str) -> None:
        cells = [quoted(text) if name == field else GOOD.get(name, "") for name in fields]
        header = [name for name in fields if name != "beyond the header"]
        import_file(f"{','.join(header)}\n{','.join(cells)}\n".encode(encoding))

    assert not slow_texts(read, CELL)


@pytest.mark.parametrize("size", [60 * 1024, CELL])
def test_hostile_text_in_a_header_takes_linear_time(size: int) -> None:
    def read(text: str) -> None:
        import_file(f"{quoted(text)},Name,Phone\n1,Ada,+12125550123\n".encode())

    assert not slow_texts(read, size)


def test_hostile_text_in_many_headers_takes_linear_time() -> None:
    def read(text: str) -> None:
        headers = [text[start : start + 900] for start in range(0, len(text), 900)]
        import_file(f"{','.join(map(quoted, headers))},Name,Phone\n1,Ada,+12125550123\n".encode())

    assert not slow_texts(read, 60 * 1024)


def test_a_hostile_explicit_header_takes_linear_time() -> None:
    def read(text: str) -> None:
        import_file(b"Name,Phone\nAda,+12125550123\n", {text: "name"})

    assert not slow_texts(read, CELL)


@pytest.mark.parametrize("before", ["", "Name,Phone\n", 'Name,Phone\n"'])
@pytest.mark.parametrize("between", ["", "\n"])
def test_a_hostile_line_takes_linear_time(before: str, between: str) -> None:
    def read(text: str) -> None:
        lines = between.join(text[start : start + 40] for start in range(0, len(text), 40))
        import_file((before + lines).encode())

    assert not slow_texts(read, CELL)


def test_hostile_text_in_an_error_report_takes_linear_time() -> None:
    def report(text: str) -> None:
        problem = FieldError(field=text, code="invalid", detail=text, suggestion=text)
        list(report_lines([text, "Name"], [RejectedRow(2, (problem, problem), (text, text))]))

    assert not slow_texts(report, CELL)


def test_the_tests_cover_every_field_of_a_lead() -> None:
    header = [field.replace("_", " ") for field in FIELDS]

    assert [column.field for column in map_columns(header).columns] == list(FIELDS)
