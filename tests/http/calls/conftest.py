"""Fixtures for HTTP tests of calls."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from tests.databases import a_database
from tests.http.service import HttpScenario, Service


@pytest.fixture
def scenario() -> HttpScenario:
    """Return the scenario with everything in memory."""
    return HttpScenario()


@pytest.fixture
def database_scenario(tmp_path: Path) -> Iterator[HttpScenario]:
    """Return the scenario over an SQLite file."""
    engine = a_database(tmp_path)
    yield HttpScenario(Service(work=SqlUnitOfWorkFactory(engine), reads=SqlUnitOfWorkFactory(engine, reading=True)))
    engine.dispose()
