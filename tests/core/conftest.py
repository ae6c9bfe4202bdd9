import pytest

from unite_core.testing.scenario import Scenario


@pytest.fixture
def scenario() -> Scenario:
    return Scenario()
