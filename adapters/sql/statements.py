"""Helpers for SQL statements: insert, save by version, keyset pages, index hints, expressions per dialect."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    Text,
    UnaryExpression,
    and_,
    bindparam,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Dialect, Row
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import custom_op
from sqlalchemy.types import TypeEngine

from adapters.sql.execution_options import READ_ONLY
from adapters.sql.types import EPOCH
from unite_core.errors import PreconditionFailed
from unite_core.paging import PageRequest, Position
from unite_core.periods import QUARTER_SECONDS

T = TypeVar("T")

MAX_LIST_PARAMETERS = 500
"""Limit of values in an IN list. SQLite before 3.32 allowed 999 parameters."""


@lru_cache(maxsize=64)
def insert_sql(table: Table, dialect: Dialect) -> str:
    """Return the INSERT of a whole row, in the order of the columns, as text for the driver."""
    return str(insert(table).inline().compile(dialect=dialect))


def insert_rows(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of values in the form of the driver, in the order of the columns.

    SQLAlchemy's own executemany processes each value of each row, which takes as long as the insert itself.
    """
    if rows:
        connection.exec_driver_sql(insert_sql(table, connection.dialect), list(rows))


@lru_cache(maxsize=64)
def insert_missing_sql(table: Table, dialect: Dialect) -> str:
    """Return the INSERT of a whole row that leaves an existing row with the same primary key unchanged."""
    statement = insert_sql(table, dialect)
    if dialect.name == "sqlite":
        return f"{statement} ON CONFLICT DO NOTHING"
    # Not INSERT IGNORE, which ignores other errors too. Unlike a plain INSERT of a duplicate, this takes an exclusive
    # lock, so that two transactions do not each hold a shared lock and wait for the other: a deadlock.
    key = next(iter(table.primary_key.columns)).name
    return f"{statement} ON DUPLICATE KEY UPDATE {key} = {key}"


def insert_if_absent(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows like `insert_rows`, except those whose primary key exists."""
    if rows:
        connection.exec_driver_sql(insert_missing_sql(table, connection.dialect), list(rows))


@lru_cache(maxsize=256)
def update_sql(table: Table, columns: tuple[str, ...], dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """Return the UPDATE of these columns of one row at one version, as text for the driver.

    Also returns the names of its parameters in their order: the columns, `of_id` and `of_version`.
    """
    statement = (
        update(table)
        .where(table.c.id == bindparam("of_id"), table.c.version == bindparam("of_version"))
        .values({column: bindparam(column) for column in columns})
    )
    compiled = statement.compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ())


@lru_cache(maxsize=64)
def select_sql(table: Table, dialect: Dialect) -> str:
    """Return the SELECT of one whole row by its id, as text for the driver."""
    return str(select(table).where(table.c.id == bindparam("of_id")).compile(dialect=dialect))


def save_row(connection: Connection, table: Table, row: tuple[Any, ...], what: str) -> None:
    """Store a row, in the form of `insert_rows`, whose version was incremented after it was read.

    Only changed columns are written, because every index with a written column costs time, even if the value is the
    same. Raises `PreconditionFailed` if another transaction has changed the row.
    """
    dialect = connection.dialect
    columns = table.columns.keys()
    new = dict(zip(columns, row, strict=True))
    stored = connection.exec_driver_sql(select_sql(table, dialect), (new["id"],)).first()
    if stored is not None and stored.version == new["version"] - 1:
        changed = tuple(column for column, value, old in zip(columns, row, stored, strict=True) if value != old)
        statement, names = update_sql(table, changed, dialect)
        values = {**new, "of_id": new["id"], "of_version": stored.version}
        if connection.exec_driver_sql(statement, tuple(values[name] for name in names)).rowcount:
            return
    raise _changed_meanwhile(what)


def with_lock(statement: Select[Any], connection: Connection, *, skip_locked: bool = False) -> Select[Any]:
    """Lock the selected rows until the unit of work ends, unless it is a reading one.

    With `skip_locked` rows that another unit of work has locked are skipped.
    """
    if connection.get_execution_options().get(READ_ONLY):
        return statement
    return statement.with_for_update(skip_locked=skip_locked)


def save_version(connection: Connection, table: Table, values: dict[str, Any], what: str) -> None:
    """Store an entity whose version was incremented after it was read; `values` are its columns.

    Raises `PreconditionFailed` if another transaction has changed it.
    """
    version_read = table.c.version == values["version"] - 1
    stored = connection.execute(update(table).where(table.c.id == values["id"], version_read).values(values))
    if not stored.rowcount:
        raise _changed_meanwhile(what)


def _changed_meanwhile(what: str) -> PreconditionFailed:
    return PreconditionFailed(f"The {what} was changed by somebody else meanwhile; read it again, then decide.")


class _Comparison(FunctionElement[bool]):
    """A comparison of a pair of columns with a pair of values."""

    type: TypeEngine[bool] = Boolean()


class _Before(_Comparison):
    """The pair of columns is less than the pair of values."""

    name = "before"
    inherit_cache: bool | None = True


class _After(_Comparison):
    """The pair of columns is greater than the pair of values."""

    name = "after"
    inherit_cache: bool | None = True


@compiles(_Before, "sqlite")
def _before_on_sqlite(element: _Before, compiler: SQLCompiler, **options: Any) -> str:
    return _compare_rows(element, "<", compiler, options)


@compiles(_After, "sqlite")
def _after_on_sqlite(element: _After, compiler: SQLCompiler, **options: Any) -> str:
    return _compare_rows(element, ">", compiler, options)


@compiles(_Before, "mysql")
def _before_on_mysql(element: _Before, compiler: SQLCompiler, **options: Any) -> str:
    # For a comparison of row values MySQL uses no index, and would read the list from its beginning. MariaDB uses one
    # only with the separate bound on the first column.
    at, entity_id, at_value, id_value = element.clauses
    return compiler.process(and_(at <= at_value, or_(at < at_value, entity_id < id_value)), **options)


@compiles(_After, "mysql")
def _after_on_mysql(element: _After, compiler: SQLCompiler, **options: Any) -> str:
    at, entity_id, at_value, id_value = element.clauses
    return compiler.process(and_(at >= at_value, or_(at > at_value, entity_id > id_value)), **options)


def _compare_rows(element: _Comparison, operator: str, compiler: SQLCompiler, options: dict[str, Any]) -> str:
    at, entity_id, at_value, id_value = (compiler.process(each, **options) for each in element.clauses)
    return f"({at}, {entity_id}) {operator} ({at_value}, {id_value})"


class _Between(FunctionElement[int]):
    """The microseconds from one moment to another."""

    type: TypeEngine[int] = BigInteger()
    name = "microseconds_between"
    inherit_cache: bool | None = True


@compiles(_Between, "sqlite")
def _between_on_sqlite(element: _Between, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(each, **options) for each in element.clauses)
    return f"({end} - {start})"


@compiles(_Between, "mysql")
def _between_on_mysql(element: _Between, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(each, **options) for each in element.clauses)
    return f"TIMESTAMPDIFF(MICROSECOND, {start}, {end})"


def microseconds_between(start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[int]:
    """Return the microseconds from one moment to another, negative if the second one is earlier."""
    return _Between(start, end)


class _WholeQuotient(FunctionElement[int]):
    """The quotient of two integers, rounded down; the dividend must not be negative."""

    type: TypeEngine[int] = BigInteger()
    name = "whole_quotient"
    inherit_cache: bool | None = True


@compiles(_WholeQuotient, "sqlite")
def _whole_quotient_on_sqlite(element: _WholeQuotient, compiler: SQLCompiler, **options: Any) -> str:
    number, by = (compiler.process(each, **options) for each in element.clauses)
    return f"(({number}) / ({by}))"


@compiles(_WholeQuotient, "mysql")
def _whole_quotient_on_mysql(element: _WholeQuotient, compiler: SQLCompiler, **options: Any) -> str:
    # Not FLOOR(a / b), because `/` is a division of decimals.
    number, by = (compiler.process(each, **options) for each in element.clauses)
    return f"(({number}) DIV ({by}))"


def whole_quotient(number: ColumnElement[int], by: ColumnElement[int]) -> ColumnElement[int]:
    """Return `number` / `by`, rounded down; `number` must not be negative."""
    return _WholeQuotient(number, by)


class _JoinedSums(FunctionElement[str]):
    """Values and sums of integer columns in one text, separated by commas."""

    type: TypeEngine[str] = Text()
    name = "joined_sums"
    inherit_cache: bool | None = False

    def __init__(
        self, before: Sequence[ColumnElement[Any]], summed: Sequence[ColumnElement[int]], after: Sequence[Any]
    ) -> None:
        super().__init__(*before, *summed, *after)
        self.sums = range(len(before), len(before) + len(summed))


@compiles(_JoinedSums, "sqlite")
def _joined_sums_on_sqlite(element: _JoinedSums, compiler: SQLCompiler, **options: Any) -> str:
    values = [compiler.process(each, **options) for each in element.clauses]
    return " || ',' || ".join(f"SUM({it})" if place in element.sums else it for place, it in enumerate(values))


@compiles(_JoinedSums, "mysql")
def _joined_sums_on_mysql(element: _JoinedSums, compiler: SQLCompiler, **options: Any) -> str:
    # MySQL sums integers as decimals, which takes 1.5 times as long as floating point.
    values = [compiler.process(each, **options) for each in element.clauses]
    parts = [f"SUM({it} * 1E0)" if place in element.sums else it for place, it in enumerate(values)]
    return f"CONCAT_WS(',', {', '.join(parts)})"


def concatenated_sums(
    before: Sequence[ColumnElement[Any]], summed: Sequence[ColumnElement[int]], after: Sequence[ColumnElement[Any]]
) -> ColumnElement[str]:
    """Return values, sums of integers and further values as one text, separated by commas; none may be NULL.

    One text per row is faster to read: PyMySQL takes four microseconds per row, one per value, and four per moment.
    """
    return _JoinedSums(before, summed, after)


def read_sums(sums: Sequence[str]) -> list[int]:
    """Parse the sums of `concatenated_sums`, exact up to 2**53."""
    try:
        return list(map(int, sums))
    except ValueError:
        # MySQL writes numbers from 10**15 on with an exponent.
        return [int(float(number)) for number in sums]


_QUARTERS_BEFORE_1970 = 62_135_596_800 // QUARTER_SECONDS
"""The number of quarter hours from the beginning of the year 1, before which there is no moment, to that of 1970."""


def quarter_hour_of(at: ColumnElement[Any]) -> ColumnElement[int]:
    """Return the number of the quarter hour of the moment, counted from 1970; negative for earlier moments."""
    # Not `//`, which SQLAlchemy writes for MySQL as FLOOR(a / b): `/` rounds to four decimals there, so that the last
    # 45 milliseconds of a quarter hour would belong to the next one.
    length = QUARTER_SECONDS * 1_000_000
    since_year_1 = microseconds_between(literal(EPOCH, at.type), at) + _number(_QUARTERS_BEFORE_1970 * length)
    return whole_quotient(since_year_1, _number(length)) - _number(_QUARTERS_BEFORE_1970)


def _number(number: int) -> ColumnElement[int]:
    return literal_column(str(number), BigInteger())


def label_of(quarter: ColumnElement[int], shift: Any, per: Any, modulo: Any) -> ColumnElement[int]:
    """Return the label of a quarter hour by the rule of `Segment.label`, whose parts are values or parameters."""
    label: ColumnElement[int] = whole_quotient(quarter + shift, literal(per) if isinstance(per, int) else per) % modulo
    return label


def columns_of(row: Row[Any], table: FromClause) -> Row[Any]:
    """Return the columns of one table from a row of several tables, by their names in that table."""
    return cast("Row[Any]", SimpleNamespace(**{column.name: row._mapping[column] for column in table.c}))  # noqa: SLF001  # SQLAlchemy documents `_mapping` as public


def after(at: Column[Any], entity_id: Column[Any], position: Position) -> ColumnElement[bool]:
    """Return the condition that a row comes after the position in a list sorted newest first."""
    return _Before(at, entity_id, literal(position.at, at.type), literal(position.id, entity_id.type))


def later(at: Column[Any], entity_id: Column[Any], position: Position) -> ColumnElement[bool]:
    """Return the condition that a row comes after the position in a list sorted oldest first."""
    return _After(at, entity_id, literal(position.at, at.type), literal(position.id, entity_id.type))


def equals_or_null(column: Column[Any], value: object) -> ColumnElement[bool]:
    """Return the condition that the column has that value, which may be None."""
    return column.is_(None) if value is None else column == value


def matches_any(column: Column[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Return the condition that the column has one of the values, which may include None; it uses no index."""
    unindexed_column = unindexed(column)
    named = unindexed_column.in_([value for value in values if value is not None])
    return or_(named, unindexed_column.is_(None)) if None in values else named


def unindexed(column: Column[Any]) -> ColumnElement[Any]:
    """Return the column with a unary plus, so that no index is used: https://www.sqlite.org/optoverview.html#uplus."""
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


def force_index(statement: Select[Any], table: FromClause, index: str) -> Select[Any]:
    """Force MySQL to use that index, whatever its statistics are; SQLite chooses it by itself."""
    return statement.with_hint(table, f"FORCE INDEX ({index})", "mysql")


def newest_first(
    table: Table, at: Column[Any], request: PageRequest, *conditions: ColumnElement[bool], index: str
) -> Select[Any]:
    """Select the rows of a page sorted newest first, and one more, which shows whether there is a next page."""
    statement = select(table).where(*conditions).order_by(at.desc(), table.c.id.desc()).limit(request.limit + 1)
    statement = force_index(statement, table, index)
    return statement if request.after is None else statement.where(after(at, table.c.id, request.after))


def oldest_first(
    table: Table, at: Column[Any], request: PageRequest, *conditions: ColumnElement[bool], index: str
) -> Select[Any]:
    """Select the rows of a page like `newest_first`, in the opposite order."""
    statement = select(table).where(*conditions).order_by(at, table.c.id).limit(request.limit + 1)
    statement = force_index(statement, table, index)
    return statement if request.after is None else statement.where(later(at, table.c.id, request.after))


def merge_sorted(
    lists: Sequence[Sequence[Row[Any]]],
    position: Callable[[Row[Any]], tuple[Any, ...]],
    limit: int,
    *,
    descending: bool = True,
) -> list[Row[Any]]:
    """Return the first `limit` rows of several lists that are sorted by `position`."""
    return sorted((row for rows in lists for row in rows), key=position, reverse=descending)[:limit]


def batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the values in portions that fit into an IN list."""
    for start in range(0, len(values), MAX_LIST_PARAMETERS):
        yield values[start : start + MAX_LIST_PARAMETERS]


def existing_values(connection: Connection, column: ColumnElement[T], values: Collection[T]) -> set[T]:
    """Return those of the values that a row has in the column."""
    existing: set[T] = set()
    for portion in batches(list(values)):
        existing.update(connection.execute(select(column).where(column.in_(portion)).distinct()).scalars())
    return existing
