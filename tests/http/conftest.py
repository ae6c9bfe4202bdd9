import pytest

from tests.http.service import Service


@pytest.fixture
def service() -> Service:
    """The service in memory, with nothing in it and nothing limited."""
    return Service()
