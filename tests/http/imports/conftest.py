"""Fixtures for HTTP tests of imports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from tests.databases import a_database
from tests.http.imports.scenario import import_scenario
from tests.http.service import HttpScenario


@pytest.fixture
def scenario() -> HttpScenario:
    """Return the scenario with everything in memory."""
    return import_scenario()


@pytest.fixture
def database_scenario(tmp_path: Path) -> Iterator[HttpScenario]:
    """Return the scenario over an SQLite file."""
    engine = a_database(tmp_path)
    yield import_scenario(work=SqlUnitOfWorkFactory(engine), reads=SqlUnitOfWorkFactory(engine, reading=True))
    engine.dispose()
