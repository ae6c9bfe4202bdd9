from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from tests.databases import a_database
from tests.http.calls.floor import Floor
from tests.http.service import Service


@pytest.fixture
def floor() -> Floor:
    """Everything in memory."""
    return Floor(Service())


@pytest.fixture
def database_floor(tmp_path: Path) -> Iterator[Floor]:
    """The same over a SQLite file."""
    engine = a_database(tmp_path)
    yield Floor(Service(work=SqlUnitOfWorkFactory(engine), reads=SqlUnitOfWorkFactory(engine, reading=True)))
    engine.dispose()
