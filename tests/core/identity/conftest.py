"""Fixtures for identity: Unite in memory, and a user."""

import pytest

from unite_core import NewUser, Role, Unite, User, build
from unite_core.testing.in_memory import InMemoryPorts, in_memory_ports
from unite_core.testing.scenario import PASSWORD

EMAIL = "ann@unite.example"


@pytest.fixture
def ports() -> InMemoryPorts:
    return in_memory_ports()


@pytest.fixture
def unite(ports: InMemoryPorts) -> Unite:
    return build(ports)


@pytest.fixture
def ann(unite: Unite) -> User:
    """Return a manager who can log in."""
    return add_ann(unite)


def add_ann(unite: Unite) -> User:
    return unite.identity.create_user.unchecked(NewUser(email=EMAIL, name="Ann", role=Role.MANAGER, password=PASSWORD))
