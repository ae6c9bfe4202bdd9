"""The fixture `scenario` for tests of the core: a sales team over Unite in memory."""

import pytest

from unite_core.testing.scenario import Scenario


@pytest.fixture
def scenario() -> Scenario:
    return Scenario()
