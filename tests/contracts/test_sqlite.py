"""Contract tests of the SQL adapters, on SQLite."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, event

from adapters.sql.events.activity import SqlActivityLog
from adapters.sql.unit_of_work import Outbox, SqlUnitOfWorkFactory
from tests.databases import a_database
from unite_core.errors import Unavailable
from unite_core.notifications.ports import TextMessages
from unite_core.testing.builders import a_lead
from unite_core.testing.contracts import (
    ActivityLogContract,
    CachedReadsContract,
    CallActivityContract,
    CallLedgerContract,
    CallTasksContract,
    ConsentsContract,
    DailySummariesContract,
    DeliveriesContract,
    DryRunLeadsContract,
    IdempotencyKeysContract,
    ImportRowsContract,
    ImportsContract,
    LeadCallsContract,
    LeadImagesContract,
    LeadListContract,
    LeadsContract,
    LiveFiguresContract,
    PendingEventsContract,
    RollupsContract,
    SessionsContract,
    TextsOfEventsContract,
    UnitOfWorkContract,
    UsageContract,
    UsersContract,
)
from unite_core.testing.contracts.cached_reads import WatchedCache
from unite_core.testing.in_memory import InMemoryCache, InMemoryTextMessages


class Sqlite:
    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[Engine]:
        engine = a_database(tmp_path)
        yield engine
        engine.dispose()

    @pytest.fixture
    def work(self, engine: Engine) -> SqlUnitOfWorkFactory:
        return SqlUnitOfWorkFactory(engine)

    @pytest.fixture
    def reads(self, engine: Engine) -> SqlUnitOfWorkFactory:
        return SqlUnitOfWorkFactory(engine, reading=True)


class TestUnitOfWork(Sqlite, UnitOfWorkContract):
    pass


class TestIdempotencyKeys(Sqlite, IdempotencyKeysContract):
    pass


class TestUsage(Sqlite, UsageContract):
    pass


class TestUsers(Sqlite, UsersContract):
    pass


class TestSessions(Sqlite, SessionsContract):
    pass


class TestLeads(Sqlite, LeadsContract):
    pass


class TestLeadList(Sqlite, LeadListContract):
    pass


class TestLeadImages(Sqlite, LeadImagesContract):
    pass


class TestImports(Sqlite, ImportsContract):
    pass


class TestImportRows(Sqlite, ImportRowsContract):
    pass


class TestDryRunLeads(Sqlite, DryRunLeadsContract):
    pass


class TestCachedReads(Sqlite, CachedReadsContract):
    @pytest.fixture
    def work(self, engine: Engine, cache: InMemoryCache) -> SqlUnitOfWorkFactory:
        return SqlUnitOfWorkFactory(engine, cache=cache)

    def test_a_commit_with_an_unknown_result_invalidates_the_cache(
        self, engine: Engine, work: SqlUnitOfWorkFactory, cache: WatchedCache
    ) -> None:
        def lose_the_answer(_: Connection) -> None:
            raise Unavailable("The connection was lost.")

        event.listen(engine, "commit", lose_the_answer)

        with work() as unit:
            unit.leads.add(a_lead())
            with pytest.raises(Unavailable):
                unit.commit()

        assert cache.forgotten == [{"leads", "called_leads"}]


class TestCallTasks(Sqlite, CallTasksContract):
    one_writer = True


class TestCallLedger(Sqlite, CallLedgerContract):
    pass


class TestLeadCalls(Sqlite, LeadCallsContract):
    pass


class TestConsents(Sqlite, ConsentsContract):
    pass


class TestDailySummaries(Sqlite, DailySummariesContract):
    pass


class TestDeliveries(Sqlite, DeliveriesContract):
    one_writer = True

    @pytest.fixture
    def work(self, engine: Engine) -> SqlUnitOfWorkFactory:
        return SqlUnitOfWorkFactory(engine, outbox=Outbox(subscriptions=self.SUBSCRIPTIONS))


class TestActivityLog(ActivityLogContract):
    @pytest.fixture
    def log(self, tmp_path: Path) -> Iterator[SqlActivityLog]:
        engine = a_database(tmp_path)
        yield SqlActivityLog(engine)
        engine.dispose()

    @pytest.fixture
    def outage(self) -> None:
        return None  # tests of the connection have them


class TestTextsOfEvents(Sqlite, TextsOfEventsContract):
    @pytest.fixture
    def texts(self) -> InMemoryTextMessages:
        return InMemoryTextMessages()

    def texted(self, texts: TextMessages) -> Sequence[UUID]:
        assert isinstance(texts, InMemoryTextMessages)
        return [message.delivery_id for message in texts.sent]


class TestRollups(Sqlite, RollupsContract):
    pass


class TestLiveFigures(Sqlite, LiveFiguresContract):
    pass


class TestPendingEvents(Sqlite, PendingEventsContract):
    pass


class TestCallActivity(Sqlite, CallActivityContract):
    pass
