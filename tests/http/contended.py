"""Unit of work that fails with `Deadlock`, to test retries."""

from unite_core.errors import Deadlock
from unite_core.testing.in_memory import InMemoryUnitOfWork, InMemoryUnitOfWorkFactory, Store


class ContendedWork(InMemoryUnitOfWorkFactory):
    """A factory of units of work that raise `Deadlock` `times` times when a lead is stored."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.times = 0

    def __call__(self) -> InMemoryUnitOfWork:
        return _Contended(self._store, self)


class _Contended(InMemoryUnitOfWork):
    def __init__(self, store: Store, race: ContendedWork) -> None:
        super().__init__(store)
        self._race = race

    def commit(self) -> None:
        if self._tables.leads and self._race.times > 0:
            self._race.times -= 1
            raise Deadlock("Somebody else was quicker.")
        super().commit()
