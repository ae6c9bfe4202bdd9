"""SQL unit of work: one connection and one transaction with all repositories."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from adapters.sql.calls.call_ledger import SqlCallLedger
from adapters.sql.calls.call_tasks import SqlCallTasks
from adapters.sql.events.consents import SqlConsents
from adapters.sql.events.deliveries import SqlDeliveries
from adapters.sql.execution_options import READ_ONLY
from adapters.sql.idempotency.keys import SqlIdempotencyKeys
from adapters.sql.identity.sessions import SqlSessions
from adapters.sql.identity.users import SqlUsers
from adapters.sql.imports.dry_runs import SqlDryRunLeads
from adapters.sql.imports.imports import SqlImports
from adapters.sql.imports.rows import SqlImportRows
from adapters.sql.leads.images import SqlLeadImages
from adapters.sql.leads.lead_calls import SqlLeadCalls
from adapters.sql.leads.leads import SqlLeads
from adapters.sql.quotas.usage import SqlUsage
from adapters.sql.reports.live_figures import SqlLiveFigures
from adapters.sql.reports.rollups import SqlRollups
from adapters.sql.summaries.summaries import SqlDailySummaries
from unite_core.application import FullUnitOfWork
from unite_core.cache import Cache, NoCache
from unite_core.calls.ports import CallLedger, CallTasks, LeadCalls
from unite_core.errors import Unavailable
from unite_core.events import Event
from unite_core.idempotency_keys import IdempotencyKeys
from unite_core.identity.ports import Sessions, Users
from unite_core.imports.ports import DryRunLeads, ImportRows, Imports
from unite_core.leads.ports import LeadImages, Leads
from unite_core.notifications.ports import Consents, Deliveries
from unite_core.notifications.subscriptions import ACTIVITY_SUBSCRIPTION, Subscription
from unite_core.reports.ports import LiveFigures, Rollups
from unite_core.summaries.ports import DailySummaries
from unite_core.unit_of_work import UnitOfWorkFactory
from unite_core.usage import Usage


class SqlUnitOfWork(FullUnitOfWork):
    """One transaction. With `reading` it never waits for a writer, sees one snapshot, and cannot write.

    `traceparent` returns the name of the current span, which follows the events and the imports that it leaves to
    workers; it is None in a program that is not traced.
    """

    def __init__(
        self,
        engine: Engine,
        outbox: "Outbox",
        cache: Cache,
        *,
        reading: bool = False,
        traceparent: Callable[[], str | None] | None = None,
    ) -> None:
        self._engine = engine
        self._outbox = outbox
        self._cache = cache
        self._changed: set[str] = set()
        self._reading = reading
        self._traceparent = traceparent
        self._events: list[Event] = []
        self._actions: list[Callable[[], None]] = []
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        try:
            connection = self._engine.connect().execution_options(**{READ_ONLY: self._reading})
        except PoolTimeoutError as error:
            raise Unavailable("Too much is going on at once; try again in a moment.") from error
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self.idempotency_keys: IdempotencyKeys = SqlIdempotencyKeys(connection)
        self.usage: Usage = SqlUsage(connection)
        self.users: Users = SqlUsers(connection, self._changed)
        self.sessions: Sessions = SqlSessions(connection, self._changed)
        self.leads: Leads = SqlLeads(connection, self._changed)
        self.images: LeadImages = SqlLeadImages(connection)
        self.imports: Imports = SqlImports(connection, self._traceparent)
        self.rows: ImportRows = SqlImportRows(connection)
        self.rehearsal: DryRunLeads = SqlDryRunLeads(connection)
        self._deliveries = SqlDeliveries(connection)
        self.deliveries: Deliveries = self._deliveries
        self.consents: Consents = SqlConsents(connection)
        self.summaries: DailySummaries = SqlDailySummaries(connection)
        self.tasks: CallTasks = SqlCallTasks(connection)
        self.ledger: CallLedger = SqlCallLedger(connection, self._changed)
        self.lead_calls: LeadCalls = SqlLeadCalls(connection, self._changed)
        self.rollups: Rollups = SqlRollups(connection)
        self.figures: LiveFigures = SqlLiveFigures(connection)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # Closing a connection rolls back what was not committed.
            connection.close()

    def commit(self) -> None:
        connection = self._connection
        if self._reading or connection is None or not connection.in_transaction():
            raise RuntimeError("This unit of work only reads, or has ended already.")
        # Events are stored last and together, so that the locks that this takes are held as shortly as possible.
        recipients = self._deliveries.record(self._events, self._outbox.subscriptions)
        try:
            connection.commit()
        finally:
            # Also after an error: a commit whose response was lost may have happened.
            if self._changed:
                self._cache.invalidate(self._changed)
        for action in self._actions:
            action()
        if recipients:
            self._outbox.wake(recipients)

    def record(self, event: Event) -> None:
        if self._traceparent is not None and event.traceparent is None:
            event = replace(event, traceparent=self._traceparent())
        self._events.append(event)

    def after_commit(self, action: Callable[[], None]) -> None:
        self._actions.append(action)


def _wake_none(_: Collection[str]) -> None:
    pass


@dataclass(frozen=True)
class Outbox:
    """The destinations of recorded events, and how to wake their relays.

    An event goes to the destinations of those `subscriptions` that include it. `wake` is called after the commit with
    the names of the destinations that have new deliveries.
    """

    subscriptions: tuple[Subscription, ...] = (ACTIVITY_SUBSCRIPTION,)
    wake: Callable[[Collection[str]], None] = _wake_none


@dataclass(frozen=True)
class SqlUnitOfWorkFactory(UnitOfWorkFactory[FullUnitOfWork]):
    """Factory of units of work over an engine, which write, or with `reading` only read.

    They invalidate in `cache` what they have changed. `traceparent` returns the name of the current span (W3C Trace
    Context), None outside of any; it is None in a program that is not traced.
    """

    engine: Engine
    reading: bool = False
    outbox: Outbox = Outbox()
    cache: Cache = field(default_factory=NoCache)
    traceparent: Callable[[], str | None] | None = None

    @property
    def store(self) -> object:
        return self.engine.url

    @property
    def destinations(self) -> Collection[str]:
        return [subscription.name for subscription in self.outbox.subscriptions]

    def __call__(self) -> SqlUnitOfWork:
        return SqlUnitOfWork(self.engine, self.outbox, self.cache, reading=self.reading, traceparent=self.traceparent)
