from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from tests.databases import a_database
from tests.http.calls.scenario import HttpCallScenario
from tests.http.service import Service


@pytest.fixture
def scenario() -> HttpCallScenario:
    """Return the scenario with everything in memory."""
    return HttpCallScenario(Service())


@pytest.fixture
def database_floor(tmp_path: Path) -> Iterator[HttpCallScenario]:
    """Return the scenario over an SQLite file."""
    engine = a_database(tmp_path)
    yield HttpCallScenario(Service(work=SqlUnitOfWorkFactory(engine), reads=SqlUnitOfWorkFactory(engine, reading=True)))
    engine.dispose()
