import pytest

from tests.http.service import Service


@pytest.fixture
def service() -> Service:
    """Return an empty in-memory service without limits."""
    return Service()
