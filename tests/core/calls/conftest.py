import pytest

from tests.core.calls.scenario import CallScenario


@pytest.fixture
def scenario() -> CallScenario:
    return CallScenario()
