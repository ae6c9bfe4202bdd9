"""Fixtures for HTTP tests: an in-memory service, and users who send requests."""

import pytest

from tests.http.service import Service


@pytest.fixture
def service() -> Service:
    """Return an empty in-memory service without limits."""
    return Service()
