"""Contract tests of the SQL adapters, on MySQL or MariaDB."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import Engine

from adapters.sql.events.activity import SqlActivityLog
from adapters.sql.unit_of_work import Outbox, SqlUnitOfWorkFactory
from unite_core.notifications.ports import TextMessages
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
from unite_core.testing.in_memory import InMemoryCache, InMemoryTextMessages


class Mysql:
    @pytest.fixture
    def work(self, mysql_engine: Engine) -> SqlUnitOfWorkFactory:
        return SqlUnitOfWorkFactory(mysql_engine)

    @pytest.fixture
    def reads(self, mysql_engine: Engine) -> SqlUnitOfWorkFactory:
        return SqlUnitOfWorkFactory(mysql_engine, reading=True)


class TestUnitOfWork(Mysql, UnitOfWorkContract):
    pass


class TestIdempotencyKeys(Mysql, IdempotencyKeysContract):
    pass


class TestUsage(Mysql, UsageContract):
    pass


class TestUsers(Mysql, UsersContract):
    pass


class TestSessions(Mysql, SessionsContract):
    pass


class TestLeads(Mysql, LeadsContract):
    pass


class TestLeadList(Mysql, LeadListContract):
    pass


class TestLeadImages(Mysql, LeadImagesContract):
    pass


class TestImports(Mysql, ImportsContract):
    pass


class TestImportRows(Mysql, ImportRowsContract):
    pass


class TestDryRunLeads(Mysql, DryRunLeadsContract):
    pass


class TestCallTasks(Mysql, CallTasksContract):
    one_writer = False


class TestCallLedger(Mysql, CallLedgerContract):
    pass


class TestLeadCalls(Mysql, LeadCallsContract):
    pass


class TestConsents(Mysql, ConsentsContract):
    pass


class TestDailySummaries(Mysql, DailySummariesContract):
    pass


class TestDeliveries(Mysql, DeliveriesContract):
    one_writer = False

    @pytest.fixture
    def work(self, mysql_engine: Engine) -> SqlUnitOfWorkFactory:
        return SqlUnitOfWorkFactory(mysql_engine, outbox=Outbox(subscriptions=self.SUBSCRIPTIONS))


class TestCachedReads(Mysql, CachedReadsContract):
    @pytest.fixture
    def work(self, mysql_engine: Engine, cache: InMemoryCache) -> SqlUnitOfWorkFactory:
        return SqlUnitOfWorkFactory(mysql_engine, cache=cache)


class TestActivityLog(ActivityLogContract):
    @pytest.fixture
    def log(self, mysql_engine: Engine) -> SqlActivityLog:
        return SqlActivityLog(mysql_engine)

    @pytest.fixture
    def outage(self) -> None:
        return None  # tests of the connection have them


class TestTextsOfEvents(Mysql, TextsOfEventsContract):
    @pytest.fixture
    def texts(self) -> InMemoryTextMessages:
        return InMemoryTextMessages()

    def texted(self, texts: TextMessages) -> Sequence[UUID]:
        assert isinstance(texts, InMemoryTextMessages)
        return [message.delivery_id for message in texts.sent]


class TestRollups(Mysql, RollupsContract):
    pass


class TestLiveFigures(Mysql, LiveFiguresContract):
    pass


class TestPendingEvents(Mysql, PendingEventsContract):
    pass


class TestCallActivity(Mysql, CallActivityContract):
    pass
