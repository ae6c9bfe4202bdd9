import pytest

from tests.core.calls.floor import Floor


@pytest.fixture
def floor() -> Floor:
    return Floor()
