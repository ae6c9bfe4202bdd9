"""Units of work with the repository of only one port, as an adapter outside Unite may have."""

from collections.abc import Callable
from typing import Any

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
