"""Statements that several tables have in common."""

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
from unite_core.days import QUARTER_SECONDS
from unite_core.errors import PreconditionFailed
from unite_core.paging import PageRequest, Position

T = TypeVar("T")

MAX_LIST_PARAMETERS = 500
"""How many values one IN list holds: SQLite before 3.32 took 999 parameters."""


@lru_cache(maxsize=64)
def insert_sql(table: Table, dialect: Dialect) -> str:
    """INSERT of a whole row, in the order of the table's columns, as the driver itself takes it."""
    return str(insert(table).inline().compile(dialect=dialect))


def insert_rows(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows whose values are what the driver takes, in the order of the table's columns.

    SQLAlchemy's own executemany looks at each value of each row, which takes as long as the insert itself.
    """
    if rows:
        connection.exec_driver_sql(insert_sql(table, connection.dialect), list(rows))


@lru_cache(maxsize=64)
def insert_missing_sql(table: Table, dialect: Dialect) -> str:
    """INSERT of a whole row that leaves one with the same primary key as it is."""
    statement = insert_sql(table, dialect)
    if dialect.name == "sqlite":
        return f"{statement} ON CONFLICT DO NOTHING"
    # Not INSERT IGNORE, which forgives more; and unlike a duplicate that is refused, this locks the row for a change,
    # so that two who do the same do not hold a shared lock each and wait for the other.
    key = next(iter(table.primary_key.columns)).name
    return f"{statement} ON DUPLICATE KEY UPDATE {key} = {key}"


def insert_if_absent(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows as `insert_rows` does, but those whose primary key is there already."""
    if rows:
        connection.exec_driver_sql(insert_missing_sql(table, connection.dialect), list(rows))


@lru_cache(maxsize=256)
def update_sql(table: Table, columns: tuple[str, ...], dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """UPDATE of these columns of one row at one version, as the driver itself takes it.

    With it come the names of its parameters in their order: those of the columns, `of_id` and `of_version`.
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
    """SELECT of one whole row by its id, as the driver itself takes it."""
    return str(select(table).where(table.c.id == bindparam("of_id")).compile(dialect=dialect))


def save_row(connection: Connection, table: Table, row: tuple[Any, ...], what: str) -> None:
    """Store a row, as `insert_rows` takes them, whose version was counted up since it was read.

    Only what has changed is written: a column that is named costs every index that holds it, even where its value
    stays the same. Raises `PreconditionFailed` where somebody else was quicker.
    """
    dialect = connection.dialect
    columns = table.columns.keys()
    given = dict(zip(columns, row, strict=True))
    stored = connection.exec_driver_sql(select_sql(table, dialect), (given["id"],)).first()
    if stored is not None and stored.version == given["version"] - 1:
        changed = tuple(column for column, value, old in zip(columns, row, stored, strict=True) if value != old)
        statement, names = update_sql(table, changed, dialect)
        values = {**given, "of_id": given["id"], "of_version": stored.version}
        if connection.exec_driver_sql(statement, tuple(values[name] for name in names)).rowcount:
            return
    raise _quicker(what)


def with_lock(statement: Select[Any], connection: Connection, *, skip_locked: bool = False) -> Select[Any]:
    """The same rows, held until the unit of work ends; one that only reads holds nothing.

    With `skip_locked` rows that another unit of work holds are passed over.
    """
    if connection.get_execution_options().get(READ_ONLY):
        return statement
    return statement.with_for_update(skip_locked=skip_locked)


def save_version(connection: Connection, table: Table, values: dict[str, Any], what: str) -> None:
    """Store an entity whose version was counted up since it was read; `values` are its columns.

    Raises `PreconditionFailed` where somebody else was quicker.
    """
    version_read = table.c.version == values["version"] - 1
    stored = connection.execute(update(table).where(table.c.id == values["id"], version_read).values(values))
    if not stored.rowcount:
        raise _quicker(what)


def _quicker(what: str) -> PreconditionFailed:
    return PreconditionFailed(f"The {what} was changed by somebody else meanwhile; read it again, then decide.")


class _Pairs(FunctionElement[bool]):
    """How a pair of columns compares with a pair of values."""

    type: TypeEngine[bool] = Boolean()


class _Before(_Pairs):
    """It is less."""

    name = "before"
    inherit_cache: bool | None = True


class _After(_Pairs):
    """It is greater."""

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
    # For a comparison of rows MySQL takes no index: it would read the list from its beginning. MariaDB takes one only
    # for the bound on its own.
    at, entity_id, at_value, id_value = element.clauses
    return compiler.process(and_(at <= at_value, or_(at < at_value, entity_id < id_value)), **options)


@compiles(_After, "mysql")
def _after_on_mysql(element: _After, compiler: SQLCompiler, **options: Any) -> str:
    at, entity_id, at_value, id_value = element.clauses
    return compiler.process(and_(at >= at_value, or_(at > at_value, entity_id > id_value)), **options)


def _compare_rows(element: _Pairs, sign: str, compiler: SQLCompiler, options: dict[str, Any]) -> str:
    at, entity_id, at_value, id_value = (compiler.process(each, **options) for each in element.clauses)
    return f"({at}, {entity_id}) {sign} ({at_value}, {id_value})"


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
    """The microseconds from one moment to another, below 0 where the second is the earlier one."""
    return _Between(start, end)


class _WholeQuotient(FunctionElement[int]):
    """How many times a number goes into another one that is not below 0."""

    type: TypeEngine[int] = BigInteger()
    name = "whole_quotient"
    inherit_cache: bool | None = True


@compiles(_WholeQuotient, "sqlite")
def _whole_quotient_on_sqlite(element: _WholeQuotient, compiler: SQLCompiler, **options: Any) -> str:
    number, by = (compiler.process(each, **options) for each in element.clauses)
    return f"(({number}) / ({by}))"


@compiles(_WholeQuotient, "mysql")
def _whole_quotient_on_mysql(element: _WholeQuotient, compiler: SQLCompiler, **options: Any) -> str:
    # Not FLOOR(a / b), which divides decimals.
    number, by = (compiler.process(each, **options) for each in element.clauses)
    return f"(({number}) DIV ({by}))"


def whole_quotient(number: ColumnElement[int], by: ColumnElement[int]) -> ColumnElement[int]:
    """How many times `by` goes into a number that is not below 0."""
    return _WholeQuotient(number, by)


class _JoinedSums(FunctionElement[str]):
    """Values and the sums of columns of integers, with commas between."""

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
    # MySQL sums integers as decimals, which takes half as long again as floating point does.
    values = [compiler.process(each, **options) for each in element.clauses]
    parts = [f"SUM({it} * 1E0)" if place in element.sums else it for place, it in enumerate(values)]
    return f"CONCAT_WS(',', {', '.join(parts)})"


def concatenated_sums(
    before: Sequence[ColumnElement[Any]], summed: Sequence[ColumnElement[int]], after: Sequence[ColumnElement[Any]]
) -> ColumnElement[str]:
    """Values, sums of integers and further values in one text with commas between, none of them NULL.

    PyMySQL takes four microseconds for a row, one for each value and four for a moment.
    """
    return _JoinedSums(before, summed, after)


def read_sums(sums: Sequence[str]) -> list[int]:
    """The sums of `concatenated_sums`, exact up to 2**53."""
    try:
        return list(map(int, sums))
    except ValueError:
        # From 10**15 on MySQL writes an exponent.
        return [int(float(number)) for number in sums]


def quarter_hour_of(at: ColumnElement[Any]) -> ColumnElement[int]:
    """The quarter hour that the moment is in, counted from 1970; below 0 for whatever was before."""
    return microseconds_between(literal(EPOCH, at.type), at) // literal_column(
        str(QUARTER_SECONDS * 1_000_000), BigInteger()
    )


def label_of(quarter: ColumnElement[int], shift: Any, per: Any, modulo: Any) -> ColumnElement[int]:
    """The label of a quarter hour by the rule of `Segment.label`, whose parts are values or parameters."""
    label: ColumnElement[int] = whole_quotient(quarter + shift, literal(per) if isinstance(per, int) else per) % modulo
    return label


def columns_of(row: Row[Any], table: FromClause) -> Row[Any]:
    """The columns of one table out of a row of several, by their names in it."""
    return cast("Row[Any]", SimpleNamespace(**{column.name: row._mapping[column] for column in table.c}))  # noqa: SLF001  # it is SQLAlchemy's own name for what is public


def after(at: Column[Any], entity_id: Column[Any], position: Position) -> ColumnElement[bool]:
    """Stands after the position in a list that shows the newest first."""
    return _Before(at, entity_id, literal(position.at, at.type), literal(position.id, entity_id.type))


def later(at: Column[Any], entity_id: Column[Any], position: Position) -> ColumnElement[bool]:
    """Stands after the position in a list that shows the oldest first."""
    return _After(at, entity_id, literal(position.at, at.type), literal(position.id, entity_id.type))


def equals_or_null(column: Column[Any], value: object) -> ColumnElement[bool]:
    """The column has that value; None is one too."""
    return column.is_(None) if value is None else column == value


def matches_any(column: Column[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """The column has one of the values, None among them if need be; no index is considered for it."""
    unindexed_column = unindexed(column)
    named = unindexed_column.in_([value for value in values if value is not None])
    return or_(named, unindexed_column.is_(None)) if None in values else named


def unindexed(column: Column[Any]) -> ColumnElement[Any]:
    """The same value, for which no index is considered: https://www.sqlite.org/optoverview.html#uplus."""
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


def force_index(statement: Select[Any], table: FromClause, index: str) -> Select[Any]:
    """Have MySQL walk that index, whatever its statistics say; SQLite takes it by itself."""
    return statement.with_hint(table, f"FORCE INDEX ({index})", "mysql")


def newest_first(
    table: Table, at: Column[Any], request: PageRequest, *conditions: ColumnElement[bool], index: str
) -> Select[Any]:
    """The rows of a page, and one more, which tells whether there is a next page; `index` has them in their order."""
    statement = select(table).where(*conditions).order_by(at.desc(), table.c.id.desc()).limit(request.limit + 1)
    statement = force_index(statement, table, index)
    return statement if request.after is None else statement.where(after(at, table.c.id, request.after))


def oldest_first(
    table: Table, at: Column[Any], request: PageRequest, *conditions: ColumnElement[bool], index: str
) -> Select[Any]:
    """As `newest_first`, in the opposite order."""
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
    """The first `limit` rows of several lists that are each in that order."""
    return sorted((row for rows in lists for row in rows), key=position, reverse=descending)[:limit]


def batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in portions that fit an IN list."""
    for start in range(0, len(values), MAX_LIST_PARAMETERS):
        yield values[start : start + MAX_LIST_PARAMETERS]
