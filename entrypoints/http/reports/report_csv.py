"""Write reports as CSV (RFC 4180), protected against formula injection in spreadsheets."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from unite_core.clock import rfc3339
from unite_core.imports.csv.error_report import escape_formula

CSV_TYPE = "text/csv"


class Column(Enum):
    """The kind of values in a column."""

    PLAIN = "plain"
    COUNT = "count"
    RATE = "rate"


def to_csv(columns: Mapping[str, Column], rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return header and rows as CSV. A count is one cell; a rate is three: value, numerator and denominator."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow([heading for name, kind in columns.items() for heading in _headings(name, kind)])
    for row in rows:
        writer.writerow([cell for name, kind in columns.items() for cell in _cells(row[name], kind)])
    return stream.getvalue().encode()


def _headings(name: str, kind: Column) -> tuple[str, ...]:
    return (name, f"{name}_numerator", f"{name}_denominator") if kind is Column.RATE else (name,)


def _cells(value: Any, kind: Column) -> Iterator[str]:
    if kind is Column.COUNT:
        yield _cell(value["value"])
    elif kind is Column.RATE:
        yield from (_cell(value[part]) for part in ("value", "numerator", "denominator"))
    else:
        yield _cell(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return rfc3339(value)
    return escape_formula(value) if isinstance(value, str) else str(value)
