from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from tests.databases import a_database
from tests.http.imports.floor import Floor


@pytest.fixture
def floor() -> Floor:
    """Everything in memory; requests come from a manager unless they say otherwise."""
    return Floor()


@pytest.fixture
def database_floor(tmp_path: Path) -> Iterator[Floor]:
    """The same over a SQLite file."""
    engine = a_database(tmp_path)
    yield Floor(work=SqlUnitOfWorkFactory(engine), reads=SqlUnitOfWorkFactory(engine, reading=True))
    engine.dispose()
