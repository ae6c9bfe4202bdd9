"""Fuzz target for CSV files: encoding, header, rows, and the error report of rejected rows."""

import csv
import io
from contextlib import suppress

from tests.core.imports.uploads import US, Drip, look, reader_of
from tests.fuzz.target import Target, csv_files
from unite_core.email import parse_email
from unite_core.imports.csv.decoding import InvalidFile
from unite_core.imports.csv.error_report import (
    REPORT_COLUMNS,
    RejectedRow,
    escape_formula,
    report_lines,
    unescape_formula,
)
from unite_core.imports.csv.reading import Dialect, Record, RecordReader
from unite_core.imports.csv.rows import LeadDraft, RowInterpreter
from unite_core.phone import parse_phone
from unite_core.text import clean

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def check(data: bytes) -> None:
    with suppress(InvalidFile):
        _check_readable(data)


def _check_readable(data: bytes) -> None:
    dialect, columns = look(data)
    assert Dialect.from_plain(dialect.to_plain()) == dialect
    records = list(reader_of(data, dialect))
    rows = [record.row for record in records]
    assert rows == sorted(set(rows))
    assert all(row > dialect.header_row for row in rows)
    _check_portions(data, dialect, records)
    interpret = RowInterpreter(columns, US, len(dialect.header))
    rejected = []
    for record in records:
        outcome = interpret(record)
        if isinstance(outcome, LeadDraft):
            _check_draft(outcome)
        else:
            assert outcome
            assert all(problem.code and problem.detail for problem in outcome)
            rejected.append(RejectedRow(record.row, outcome, tuple(record.cells)))
        for cell in record.cells:
            assert unescape_formula(escape_formula(cell)) == cell
    _check_report(dialect, rejected)


def _check_portions(data: bytes, dialect: Dialect, records: list[Record]) -> None:
    portioned = RecordReader(Drip(data, 7), dialect.encoding, dialect.delimiter)
    portioned.skip(dialect.header_row)
    assert list(portioned) == records


def _check_draft(draft: LeadDraft) -> None:
    for name, text in draft.texts.items():
        assert text
        assert name == "email" or clean(text) == text
    assert draft.phone is not None or draft.email is not None
    if draft.email is not None:
        assert parse_email(draft.email) == draft.email
    if draft.phone is not None:
        again = parse_phone(draft.phone.number, country=None, extension=draft.phone.extension)
        assert again == draft.phone


def _check_report(dialect: Dialect, rejected: list[RejectedRow]) -> None:
    report = b"".join(report_lines(dialect.header, rejected))
    read = list(csv.reader(io.StringIO(report.decode("utf-8-sig"), newline=""), strict=True))
    assert tuple(read[0][: len(REPORT_COLUMNS)]) == REPORT_COLUMNS
    assert [row[0] for row in read[1:]] == [str(row.row) for row in rejected]
    assert not any(cell.startswith(_FORMULA_SIGNS) for row in read for cell in row)


target = Target(
    name="csv_file",
    check=check,
    seeds=csv_files,
    tokens=(
        *(b",", b";", b"\t", b"|", b'"', b'""', b"\n", b"\r\n", b"\r", b" ", b"'", b"=", b"sep=;\n", b"\0", b"\x1a"),
        *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xe9", b"\x80", b"\xed\xa0\x80", b"\xc2\x85", b"\xe2\x80\xa8"),
        *(b"Name", b"First Name", b"Last Name", b"Phone", b"Email", b"Status", b"Source", b"Owner", b"unite_row"),
        *(b"Ada Lovelace", b"+12125550100", b"ada@example.com", b"x12", b"a\xcc\x81\xcc\xa3", b"\xef\xbc\x9d"),
        *(b"n\0a\0m\0e\0,\0", b"%PDF-", b"PK\3\4", b"Name,Phone,Email\n", b'"unclosed\n', b"\xef\xbf\xbd"),
    ),
    max_length=16 * 1024,
)
