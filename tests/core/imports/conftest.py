"""Fixtures for tests of imports."""

import pytest

from unite_core.testing.scenario import Scenario


@pytest.fixture
def scenario() -> Scenario:
    """Return a scenario whose imports commit two rows at a time."""
    return Scenario(chunk_rows=2)
