"""Fixtures of units of work in memory, for the contract suites that need them."""

import pytest

from unite_core.testing.in_memory import InMemoryUnitOfWorkFactory, Store


class InMemoryUnits:
    """The fixtures `store`, `work` and `reads`; a test class derives from it."""

    @pytest.fixture
    def store(self) -> Store:
        return Store()

    @pytest.fixture
    def work(self, store: Store) -> InMemoryUnitOfWorkFactory:
        return InMemoryUnitOfWorkFactory(store)

    @pytest.fixture
    def reads(self, store: Store) -> InMemoryUnitOfWorkFactory:
        return InMemoryUnitOfWorkFactory(store, writes=False)
