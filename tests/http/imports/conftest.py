import pytest

from tests.http.imports.floor import Floor


@pytest.fixture
def floor() -> Floor:
    """Everything in memory; requests come from a manager unless they say otherwise."""
    return Floor()
