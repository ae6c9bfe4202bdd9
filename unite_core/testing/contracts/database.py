"""Base class and helpers of the contract tests over a store with transactions."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import TracebackType
from typing import ClassVar, Generic, Protocol, Self, TypeVar
from uuid import UUID

import pytest

from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallTask
from unite_core.identity.model import Session, User
from unite_core.imports.model import LeadImport
from unite_core.leads.model import Lead, LeadImage
from unite_core.leads.ports import LeadFilter, Leads
from unite_core.paging import PageRequest
from unite_core.testing.contracts.missing import missing_fixture
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

T = TypeVar("T")


class Transaction(Protocol):
    """What every suite uses of a unit of work, in addition to the repository under test."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def commit(self) -> None:
        """Make the changes of this unit durable."""


U = TypeVar("U", bound=Transaction)
U_co = TypeVar("U_co", bound=Transaction, covariant=True)


class Units(Protocol[U_co]):
    """A function that returns units of work, such as a `UnitOfWorkFactory`."""

    def __call__(self) -> U_co: ...


class LeadsUnit(Transaction, Protocol):
    """A unit of work with the store of leads."""

    @property
    def leads(self) -> Leads: ...


class DatabaseContract(Generic[U]):
    """Derive a test class with a fixture `work`, over a store that is empty at the start of each test.

    Its units need the repository under test alone. If the store refers to other things, such as the user of a session,
    and they have to exist, give the units their repositories too (`users`, `leads`, ...), with an `add`.
    """

    repositories: ClassVar[str] = "all repositories"
    """What the units of `work` have, for the error without that fixture."""

    @pytest.fixture
    def work(self) -> Units[U]:
        """Return a function that returns writing units of work."""
        function = "a function that returns a unit of work (`with work() as unit: ...; unit.commit()`)"
        raise missing_fixture(self, "work", f"{function} with {self.repositories}")

    @pytest.fixture
    def reads(self, work: Units[U]) -> Units[U]:
        """Return a function that returns reading units of work over the same store; by default it is `work`."""
        return work


_REPOSITORIES: Mapping[type, tuple[str, str]] = {
    User: ("users", "add"),
    Session: ("sessions", "add"),
    Lead: ("leads", "add"),
    LeadImage: ("images", "add"),
    LeadImport: ("imports", "add"),
    CallTask: ("tasks", "add"),
    LedgerEntry: ("ledger", "append"),
}
"""The repository of each kind of thing, and its method that adds one."""


def add_all(
    work: Units[Transaction], *things: User | Session | Lead | LeadImage | LeadImport | CallTask | LedgerEntry
) -> None:
    """Add these things in this order, in one transaction, except those for which the unit has no repository."""
    with work() as unit:
        for thing in things:
            name, method = _REPOSITORIES[type(thing)]
            if hasattr(unit, name):
                getattr(getattr(unit, name), method)(thing)
        unit.commit()


def require_repositories(suite: object, work: Units[Transaction], *names: str) -> None:
    """Fail if the units lack one of these repositories, whose things the repository under test reads too."""
    with work() as unit:
        for name in names:
            if not hasattr(unit, name):
                what = f"for this test its units need `{name}` too, with an `add`, because the result depends on them"
                raise missing_fixture(suite, "work", what)


def listed_leads(reads: Units[LeadsUnit], filters: LeadFilter | None = None) -> list[UUID]:
    """Return the ids of the leads that match a filter, up to 200, in the order of the list."""
    with reads() as unit:
        return [lead.id for lead in unit.leads.page(filters or LeadFilter(), PageRequest(limit=200)).items]


def save_lead(work: Units[LeadsUnit], lead: Lead) -> None:
    """Store a changed lead, in one transaction."""
    with work() as unit:
        unit.leads.save(lead)
        unit.commit()


def delete_lead(work: Units[LeadsUnit], lead: Lead) -> None:
    """Delete a lead, as `DeleteLead` does."""
    lead.delete(A_MONDAY_MORNING)
    lead.mark_updated(A_MONDAY_MORNING)
    save_lead(work, lead)


def run_concurrently(times: int, action: Callable[[int], T]) -> list[T]:
    """Run `action(0)` to `action(times - 1)` in threads that start together; return their results."""
    ready = Barrier(times, timeout=30)

    def begin(number: int) -> T:
        ready.wait()
        return action(number)

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(begin, range(times)))
