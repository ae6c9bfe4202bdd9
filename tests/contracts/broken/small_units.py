"""Units of work with the repository of only one port, as an adapter outside Unite may have."""

from collections.abc import Callable
from typing import Any

import pytest

from unite_core.testing.in_memory import InMemoryUnitOfWork, InMemoryUnitOfWorkFactory
from unite_core.testing.in_memory.tables import Store


class SmallUnit:
    """A unit of work with one repository, as an adapter of one port has it."""

    def __init__(self, store: Store, **repositories: Callable[[Any], Any]) -> None:
        self._store, self._repositories = store, repositories

    def __enter__(self) -> Any:
        self._tables, self._open = self._store.begin(), True
        for name, make in self._repositories.items():
            setattr(self, name, make(self._tables))
        return self

    def __exit__(self, *_: object) -> None:
        if self._open:
            self._open = False
            self._store.end()

    def commit(self) -> None:
        """Make the changes durable."""
        self._open = False
        self._store.commit(self._tables)


def units_suite(contract: Any, name: str, *, of_changes: bool = True) -> Callable[[Any], type]:
    """Return the function that makes the suite of a repository, in units of work with all others.

    `of_changes` says whether the repository also takes the set of what is changed.
    """

    def suite(adapter: Any) -> type:
        class Units(InMemoryUnitOfWork):
            def __enter__(self) -> Any:
                super().__enter__()
                made = adapter(self._tables, self._changed) if of_changes else adapter(self._tables)
                setattr(self, name, made)
                return self

        class Factory(InMemoryUnitOfWorkFactory):
            def __call__(self) -> Any:
                return Units(self._store, self._subscriptions, self._cache, writes=self._writes)

        class Suite(contract):  # type: ignore[misc]  # one of the suites
            @pytest.fixture
            def store(self) -> Store:
                return Store()

            @pytest.fixture
            def work(self, store: Store) -> Any:
                return Factory(store)

            @pytest.fixture
            def reads(self, store: Store) -> Any:
                return Factory(store, writes=False)

        return Suite

    return suite
