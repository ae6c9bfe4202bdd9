from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from tests.databases import a_database
from tests.http.imports.scenario import HttpImportScenario


@pytest.fixture
def scenario() -> HttpImportScenario:
    """Return the scenario in memory; requests are from a manager by default."""
    return HttpImportScenario()


@pytest.fixture
def database_floor(tmp_path: Path) -> Iterator[HttpImportScenario]:
    """Return the scenario over an SQLite file."""
    engine = a_database(tmp_path)
    yield HttpImportScenario(work=SqlUnitOfWorkFactory(engine), reads=SqlUnitOfWorkFactory(engine, reading=True))
    engine.dispose()
