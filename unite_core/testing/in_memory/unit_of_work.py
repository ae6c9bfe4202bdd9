"""Units of work over the in-memory tables."""

from collections.abc import Callable, Collection
from types import TracebackType
from typing import Self

from unite_core.application import FullUnitOfWork
from unite_core.cache import Cache, NoCache
from unite_core.calls.ports import CallLedger, CallTasks, LeadCalls
from unite_core.events import Event
from unite_core.idempotency_keys import IdempotencyKeys
from unite_core.identity.ports import Sessions, Users
from unite_core.imports.ports import DryRunLeads, ImportRows, Imports
from unite_core.leads.ports import LeadImages, Leads
from unite_core.notifications.ports import Consents, Deliveries
from unite_core.notifications.subscriptions import ACTIVITY_SUBSCRIPTION, Subscription
from unite_core.reports.ports import LiveFigures, Rollups
from unite_core.summaries.ports import DailySummaries
from unite_core.testing.in_memory.calls import InMemoryCallLedger, InMemoryCallTasks, InMemoryLeadCalls
from unite_core.testing.in_memory.deliveries import InMemoryDeliveries, record
from unite_core.testing.in_memory.idempotency_keys import InMemoryIdempotencyKeys
from unite_core.testing.in_memory.identity import InMemorySessions, InMemoryUsers
from unite_core.testing.in_memory.imports import InMemoryDryRunLeads, InMemoryImportRows, InMemoryImports
from unite_core.testing.in_memory.leads import InMemoryLeadImages, InMemoryLeads
from unite_core.testing.in_memory.messages import InMemoryConsents
from unite_core.testing.in_memory.reports import InMemoryLiveFigures, InMemoryRollups
from unite_core.testing.in_memory.summaries import InMemoryDailySummaries
from unite_core.testing.in_memory.tables import Store
from unite_core.testing.in_memory.usage import InMemoryUsage
from unite_core.unit_of_work import UnitOfWorkFactory
from unite_core.usage import Usage


class InMemoryUnitOfWork(FullUnitOfWork):
    """A transaction: it works on a copy of the tables, and a commit replaces the tables by the copy."""

    def __init__(
        self,
        store: Store,
        subscriptions: tuple[Subscription, ...] = (ACTIVITY_SUBSCRIPTION,),
        cache: Cache | None = None,
        *,
        writes: bool = True,
    ) -> None:
        self._store = store
        self._subscriptions = subscriptions
        self._cache = cache or NoCache()
        self._changed: set[str] = set()
        self._writes = writes
        self._holds_lock = False
        self._actions: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        self._tables = tables = self._store.begin() if self._writes else self._store.read()
        self._holds_lock = self._writes
        self.idempotency_keys: IdempotencyKeys = InMemoryIdempotencyKeys(tables)
        self.usage: Usage = InMemoryUsage(tables)
        self.users: Users = InMemoryUsers(tables, self._changed)
        self.sessions: Sessions = InMemorySessions(tables, self._changed)
        self.leads: Leads = InMemoryLeads(tables, self._changed)
        self.images: LeadImages = InMemoryLeadImages(tables)
        self.imports: Imports = InMemoryImports(tables)
        self.rows: ImportRows = InMemoryImportRows(tables)
        self.rehearsal: DryRunLeads = InMemoryDryRunLeads(tables)
        self.deliveries: Deliveries = InMemoryDeliveries(tables)
        self.consents: Consents = InMemoryConsents(tables)
        self.summaries: DailySummaries = InMemoryDailySummaries(tables)
        self.tasks: CallTasks = InMemoryCallTasks(tables)
        self.ledger: CallLedger = InMemoryCallLedger(tables, self._changed)
        self.lead_calls: LeadCalls = InMemoryLeadCalls(tables, self._changed)
        self.rollups: Rollups = InMemoryRollups(tables)
        self.figures: LiveFigures = InMemoryLiveFigures(tables)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._holds_lock:
            self._holds_lock = False
            self._store.end()

    def commit(self) -> None:
        if not self._holds_lock:
            raise RuntimeError("This unit of work only reads, or has committed already.")
        self._holds_lock = False
        self._store.commit(self._tables)
        if self._changed:
            self._cache.invalidate(self._changed)
        for action in self._actions:
            action()

    def record(self, event: Event) -> None:
        record(self._tables, event, self._subscriptions)

    def after_commit(self, action: Callable[[], None]) -> None:
        self._actions.append(action)


class InMemoryUnitOfWorkFactory(UnitOfWorkFactory[InMemoryUnitOfWork]):
    """A factory of units of work over one store; with `writes=False` they only read.

    They invalidate what they changed in `cache`, and events go to the destinations of the `subscriptions`.
    """

    def __init__(
        self,
        store: Store,
        *,
        writes: bool = True,
        subscriptions: tuple[Subscription, ...] = (ACTIVITY_SUBSCRIPTION,),
        cache: Cache | None = None,
    ) -> None:
        self._store = store
        self._writes = writes
        self._subscriptions = subscriptions
        self._cache = cache or NoCache()

    @property
    def store(self) -> Store:
        return self._store

    @property
    def destinations(self) -> Collection[str]:
        return [subscription.name for subscription in self._subscriptions]

    def __call__(self) -> InMemoryUnitOfWork:
        return InMemoryUnitOfWork(self._store, self._subscriptions, self._cache, writes=self._writes)
