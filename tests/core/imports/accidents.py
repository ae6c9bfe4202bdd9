"""Failures of a worker for tests: crashes, lost commits, broken files, concurrent changes."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Self

from unite_core import Duplicate, DuplicateLead, Lead, Unavailable
from unite_core.testing.in_memory import (
    FixedClock,
    InMemoryFiles,
    InMemoryLeads,
    InMemoryUnitOfWork,
    InMemoryUnitOfWorkFactory,
)
from unite_core.testing.in_memory.tables import Tables


class PowerCutError(BaseException):
    """Simulates the crash of a worker."""


class FailingWork(InMemoryUnitOfWorkFactory):
    """A unit of work over the store of `work` whose commit number `at` (from 0) fails, before or after it is done."""

    def __init__(
        self,
        work: InMemoryUnitOfWorkFactory,
        error: BaseException,
        *,
        at: int,
        after: bool = False,
    ) -> None:
        super().__init__(work._store, cache=work._cache)
        self.error = error
        self.after = after
        self.left = at

    def __call__(self) -> InMemoryUnitOfWork:
        return _FailingUnit(self)

    def fails_now(self) -> bool:
        self.left -= 1
        return self.left == -1


class _FailingUnit(InMemoryUnitOfWork):
    def __init__(self, plan: FailingWork) -> None:
        super().__init__(plan._store, cache=plan._cache, writes=True)
        self._plan = plan

    def commit(self) -> None:
        fails = self._plan.fails_now()
        if fails and not self._plan.after:
            raise self._plan.error
        super().commit()
        if fails:
            raise self._plan.error


class DeafWork(InMemoryUnitOfWorkFactory):
    """Units of work over the store of `work`; the response to the first commit is lost, then `away` is called."""

    def __init__(self, work: InMemoryUnitOfWorkFactory, away: Callable[[], None] = lambda: None) -> None:
        super().__init__(work._store, cache=work._cache)
        self.heard = True
        self.away = away

    def __call__(self) -> InMemoryUnitOfWork:
        if not self.heard:
            self.away()
        return _DeafUnit(self)


class _DeafUnit(InMemoryUnitOfWork):
    def __init__(self, deaf: DeafWork) -> None:
        super().__init__(deaf._store, cache=deaf._cache, writes=True)
        self._deaf = deaf

    def commit(self) -> None:
        if self._deaf.heard:
            self._deaf.heard = False
            self._actions.clear()
            super().commit()
            raise Unavailable("The connection was lost.")
        super().commit()


class RacingWork(InMemoryUnitOfWorkFactory):
    """A unit of work over the store of `work` in which another one changes a lead first, a number of times."""

    def __init__(self, work: InMemoryUnitOfWorkFactory, *, times: int) -> None:
        super().__init__(work._store, cache=work._cache)
        self.times = times

    def __call__(self) -> InMemoryUnitOfWork:
        return _RacingUnit(self)


class _RacingUnit(InMemoryUnitOfWork):
    def __init__(self, race: RacingWork) -> None:
        super().__init__(race._store, cache=race._cache, writes=True)
        self._race = race

    def __enter__(self) -> Self:
        super().__enter__()
        self.leads = _RacingLeads(self._tables, self._changed, self._race)
        return self


class _RacingLeads(InMemoryLeads):
    def __init__(self, tables: Tables, changed: set[str], race: RacingWork) -> None:
        super().__init__(tables, changed)
        self._race = race

    def add_many(self, leads: Sequence[Lead]) -> None:
        if self._race.times:
            self._race.times -= 1
            raise DuplicateLead((Duplicate("phone", None),))
        super().add_many(leads)


class TroubledFiles(InMemoryFiles):
    """Files that call `trouble` whenever one is read."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock)
        self.trouble: Callable[[], None] = lambda: None

    @contextmanager
    def read(self, key: str) -> Iterator[BinaryIO]:
        self.trouble()
        with super().read(key) as stream:
            yield stream


class SlowFiles(InMemoryFiles):
    """Files that call `on_read` whenever a block is read."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock)
        self.clock = clock
        self.on_read: Callable[[], None] = lambda: None

    @contextmanager
    def read(self, key: str) -> Iterator[BinaryIO]:
        with super().read(key) as stream:
            yield _SlowStream(stream.read(), self._read_block)

    def _read_block(self) -> None:
        self.on_read()


class _SlowStream(io.BytesIO):
    def __init__(self, content: bytes, on_read: Callable[[], None]) -> None:
        super().__init__(content)
        self._on_read = on_read

    def read(self, size: int | None = -1) -> bytes:
        self._on_read()
        return super().read(size)
