"""Backup and restore of the tables of MySQL or MariaDB, as lines of JSON."""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO

import orjson
from sqlalchemy import Connection, Engine, inspect

from adapters.sql.execution_options import READ_ONLY
from adapters.sql.migrate import VERSION_TABLE, revision_of
from adapters.sql.mysql.identifiers import quoted

ROW_BATCH_SIZE = 2_000

Progress = Callable[[int], None]

_DECODERS: Mapping[str, Callable[[str], Any]] = {
    "bytes": base64.b64decode,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "decimal": Decimal,
}


class TableSnapshot:
    """A consistent snapshot of all tables."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # The first read of the transaction sets the moment of the snapshot.
        self.revision = revision_of(connection)
        self.counts = _counts(connection)

    def write(self, table: str, target: BinaryIO, progress: Progress) -> None:
        """Write a line with the names of the columns, then a line for each row."""
        streaming = self._connection.execution_options(stream_results=True)
        with streaming.exec_driver_sql(f"SELECT * FROM {quoted(table)}") as rows:  # noqa: S608 - see above
            target.write(orjson.dumps(list(rows.keys()), option=orjson.OPT_APPEND_NEWLINE))
            for batch in rows.partitions(ROW_BATCH_SIZE):
                target.writelines(_line(tuple(row)) for row in batch)
                progress(len(batch))
        self._connection.execution_options(stream_results=False)


@contextmanager
def table_snapshot(engine: Engine) -> Iterator[TableSnapshot]:
    """Yield a snapshot: a transaction in which all reads see the same moment, while others write."""
    with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
        yield TableSnapshot(connection)


def table_names(engine: Engine) -> list[str]:
    """Return the names of all tables."""
    with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
        return inspect(connection).get_table_names()


def table_counts(engine: Engine) -> dict[str, int]:
    """Return the number of rows of each table."""
    with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
        return _counts(connection)


def load_table(engine: Engine, table: str, source: BinaryIO, progress: Progress) -> None:
    """Replace the rows of a table by the output of `TableSnapshot.write`; commit every `ROW_BATCH_SIZE` rows.

    Tables may be loaded in any order, because foreign keys are not checked.
    """
    columns = orjson.loads(source.readline())
    names = ", ".join(map(quoted, columns))
    statement = f"INSERT INTO {quoted(table)} ({names}) VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608 - see above
    with engine.connect() as connection:
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
        connection.exec_driver_sql(f"DELETE FROM {quoted(table)}")  # noqa: S608 - see above
        connection.commit()
        while batch := [_row(line) for line in islice(source, ROW_BATCH_SIZE)]:
            connection.exec_driver_sql(statement, batch)
            connection.commit()
            progress(len(batch))
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")


def _counts(connection: Connection) -> dict[str, int]:
    return {
        name: int(connection.exec_driver_sql(f"SELECT count(*) FROM {quoted(name)}").scalar_one())  # noqa: S608 - the names are the database's own
        for name in sorted(inspect(connection).get_table_names())
        if name != VERSION_TABLE
    }


def _line(row: tuple[Any, ...]) -> bytes:
    # Without this option dates would be written, and so read, as plain text.
    return orjson.dumps(row, default=_encoded, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_PASSTHROUGH_DATETIME)


def _encoded(value: Any) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, datetime | date):
        return {"datetime" if isinstance(value, datetime) else "date": value.isoformat()}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    raise TypeError


def _row(line: bytes) -> tuple[Any, ...]:
    return tuple(_decoded(value) for value in orjson.loads(line))


def _decoded(value: Any) -> Any:
    if isinstance(value, dict):
        [(kind, text)] = value.items()
        return _DECODERS[kind](text)
    return value
