"""Tests of column types: values are stored exactly."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Column, Engine, MetaData, Table, insert, select
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import TypeEngine

from adapters.sql.schema import schema
from adapters.sql.types import Identifier, Moment, microseconds


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Identifier(), UUID("01890a5d-ac96-774b-bcce-b302099a8057")),
        (Identifier(), UUID(int=0)),
        (Identifier(), None),
        (Moment(), datetime(2026, 3, 1, 9, 30, 15, 123456, tzinfo=UTC)),
        (Moment(), datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        (Moment(), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        (Moment(), None),
    ],
)
def test_values_of_every_column_type_are_stored_exactly(engine: Engine, kind: TypeEngine[Any], value: object) -> None:
    table = Table("kept", MetaData(), Column("value", kind))
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(insert(table), {"value": value})
        assert connection.execute(select(table.c.value)).scalar_one() == value


def test_a_moment_of_another_time_zone_is_stored_in_utc(engine: Engine) -> None:
    table = Table("kept", MetaData(), Column("value", Moment))
    there = datetime(2026, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(insert(table), {"value": there})
        stored = connection.execute(select(table.c.value)).scalar_one()
    assert (stored, stored.tzinfo) == (there, UTC)


def test_microseconds_are_exact_far_from_1970() -> None:
    assert microseconds(datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)) == 253402300799999999


def test_mysql_stores_moments_without_a_time_zone() -> None:
    moment = datetime(2026, 3, 1, 9, 30, 15, 123456, tzinfo=UTC)
    there = moment.astimezone(timezone(timedelta(hours=2)))
    dialect = mysql.dialect()

    kept = Moment().process_bind_param(there, dialect)

    assert kept == moment.replace(tzinfo=None)
    assert Moment().process_result_value(kept, dialect) == moment


def test_tables_and_indexes_compile_for_mysql() -> None:
    """What the statements are like; a real server tries them elsewhere."""
    dialect = mysql.dialect()
    for table in schema.sorted_tables:
        statement = str(CreateTable(table).compile(dialect=dialect))
        assert " BLOB" not in statement.replace("MEDIUMBLOB", "")
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect)).startswith("CREATE INDEX ix_")
    leads = str(CreateTable(schema.tables["leads"]).compile(dialect=dialect))
    assert "id BINARY(16) NOT NULL" in leads
    assert "created_at DATETIME(6) NOT NULL" in leads
    assert "email_key VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" in leads
