"""Base class and helpers of the contract tests over the relational database."""

from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar
from uuid import UUID

import pytest

from unite_core.application import FullUnitOfWork
from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallTask
from unite_core.identity.model import Session, User
from unite_core.imports.model import LeadImport
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.leads.model import Lead, LeadImage
from unite_core.leads.ports import LeadFilter
from unite_core.paging import PageRequest
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING
from unite_core.unit_of_work import UnitOfWorkFactory

T = TypeVar("T")


class DatabaseContract:
    """Derive a test class with fixtures `work` and `reads` over one database, empty at the start of each test."""

    @pytest.fixture
    @abstractmethod
    def work(self) -> UnitOfWorkFactory[FullUnitOfWork]:
        """Return a factory of writing units of work."""

    @pytest.fixture
    @abstractmethod
    def reads(self) -> UnitOfWorkFactory[FullUnitOfWork]:
        """Return a factory of reading units of work over the same database."""


def add_all(
    work: UnitOfWorkFactory[ImportsUnitOfWork],
    *things: User | Session | Lead | LeadImage | LeadImport | CallTask | LedgerEntry,
) -> None:
    """Add these things in this order, in one transaction."""
    with work() as unit:
        add: dict[type, Callable[[Any], None]] = {
            User: unit.users.add,
            Session: unit.sessions.add,
            Lead: unit.leads.add,
            LeadImage: unit.images.add,
            LeadImport: unit.imports.add,
            CallTask: unit.tasks.add,
            LedgerEntry: unit.ledger.append,
        }
        for thing in things:
            add[type(thing)](thing)
        unit.commit()


def listed_leads(reads: UnitOfWorkFactory[ImportsUnitOfWork], filters: LeadFilter | None = None) -> list[UUID]:
    """Return the ids of the leads that match a filter, up to 200, in the order of the list."""
    with reads() as unit:
        return [lead.id for lead in unit.leads.page(filters or LeadFilter(), PageRequest(limit=200)).items]


def save_lead(work: UnitOfWorkFactory[ImportsUnitOfWork], lead: Lead) -> None:
    """Store a changed lead, in one transaction."""
    with work() as unit:
        unit.leads.save(lead)
        unit.commit()


def delete_lead(work: UnitOfWorkFactory[ImportsUnitOfWork], lead: Lead) -> None:
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
