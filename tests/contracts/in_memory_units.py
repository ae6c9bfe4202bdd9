"""Units of work and job queues in memory, for the contract suites."""

from collections.abc import Callable, Collection

import pytest

from unite_core.testing.contracts import WakeUp
from unite_core.testing.in_memory import InMemoryJobs, InMemoryUnitOfWorkFactory, Store


def taking_from(jobs: InMemoryJobs) -> Callable[[], Collection[WakeUp]]:
    """Return a function that takes the wake-ups so far out of the jobs."""

    def take() -> Collection[WakeUp]:
        taken = [*jobs.wake_ups]
        jobs.wake_ups.clear()
        return taken

    return take


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
