"""Units of work that give way to somebody else."""

from unite_core.errors import Contended
from unite_core.testing.in_memory import InMemoryUnitOfWork, InMemoryWork, Store
from unite_core.unit_of_work import UNFINISHED, BeforeCommit


class ContendedWork(InMemoryWork):
    """Gives way to somebody else, `times` times, once there is a lead to be stored."""

    def __init__(self, store: Store, hooks: tuple[BeforeCommit, ...] = (), race: "ContendedWork | None" = None) -> None:
        super().__init__(store, hooks=hooks)
        self.race = race or self
        self.times = 0

    def __call__(self) -> InMemoryUnitOfWork:
        return _Contended(self._store, self._hooks, race=self.race)

    def before_commit(self, hook: BeforeCommit) -> "ContendedWork":
        return ContendedWork(self._store, (*self._hooks, hook), self.race)


class _Contended(InMemoryUnitOfWork):
    def __init__(self, store: Store, hooks: tuple[BeforeCommit, ...], *, race: ContendedWork) -> None:
        super().__init__(store, hooks)
        self._race = race

    def commit(self, result: object = UNFINISHED) -> None:
        if self._tables.leads and self._race.times > 0:
            self._race.times -= 1
            raise Contended("Somebody else was quicker.")
        super().commit(result)
