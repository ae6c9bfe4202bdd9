"""Test databases, migrated once: copied for each test on SQLite, emptied before each test on MySQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from adapters.sql.engine import BUSY_TIMEOUT, create_engine_for
from adapters.sql.migrate import upgrade
from adapters.sql.schema import schema
from tests.migrated import migrated
from tests.servers.fixtures import new_mysql_database
from tests.servers.kinds import Server


def a_database(folder: Path, *, timeout: float = BUSY_TIMEOUT) -> Engine:
    """Return an engine for an empty SQLite database with the newest schema; the caller disposes of it."""
    path = folder / "unite.db"
    path.write_bytes(migrated())
    return create_engine_for(f"sqlite:///{path}", timeout=timeout)


@pytest.fixture(scope="session")
def mysql_schema(mysql_server: Server, worker_id: str) -> Iterator[str]:
    """Return the URL of a MySQL database with the newest schema, shared by the tests of this process."""
    with new_mysql_database(mysql_server, worker_id) as url:
        engine = create_engine_for(url)
        upgrade(engine)
        engine.dispose()
        yield url


@pytest.fixture
def mysql_engine(mysql_schema: str) -> Iterator[Engine]:
    """Return an engine for an empty MySQL database with the newest schema."""
    engine = create_engine_for(mysql_schema)
    empty(engine)
    yield engine
    engine.dispose()


def empty(engine: Engine) -> None:
    """Delete all rows of a MySQL database."""
    with engine.connect() as connection:
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
        for table in connection.exec_driver_sql(_TABLES_WITH_ROWS).scalars().all():
            # Deleting rows fires triggers, and TRUNCATE is slow.
            connection.exec_driver_sql(f"TRUNCATE {table}" if table in _WITH_TRIGGERS else f"DELETE FROM {table}")
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")
        connection.commit()


_WITH_TRIGGERS = ("call_ledger", "call_rollups", "unfolded_entries")

_TABLES_WITH_ROWS = " UNION ALL ".join(
    f"SELECT '{table}' FROM DUAL WHERE EXISTS (SELECT 1 FROM {table})" for table in schema.tables
)
