"""One migrated SQLite file for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from tests.databases import a_database


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = a_database(tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def work(engine: Engine) -> SqlUnitOfWorkFactory:
    return SqlUnitOfWorkFactory(engine)


@pytest.fixture
def reads(engine: Engine) -> SqlUnitOfWorkFactory:
    return SqlUnitOfWorkFactory(engine, reading=True)
