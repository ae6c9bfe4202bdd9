"""The relational implementations keep every contract, over a SQLite file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from adapters.sql.unit_of_work import Outbox, SqlWork
from tests.databases import a_database
from unite_core.testing.contracts import (
    AnswersContract,
    DeliveriesContract,
    ImportRowsContract,
    ImportsContract,
    LeadImagesContract,
    LeadListContract,
    LeadsContract,
    RehearsalContract,
    SessionsContract,
    UnitOfWorkContract,
    UsersContract,
)


class Sqlite:
    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[Engine]:
        engine = a_database(tmp_path)
        yield engine
        engine.dispose()

    @pytest.fixture
    def work(self, engine: Engine) -> SqlWork:
        return SqlWork(engine)

    @pytest.fixture
    def reads(self, engine: Engine) -> SqlWork:
        return SqlWork(engine, reading=True)


class TestUnitOfWork(Sqlite, UnitOfWorkContract):
    pass


class TestAnswers(Sqlite, AnswersContract):
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


class TestRehearsal(Sqlite, RehearsalContract):
    pass


class TestDeliveries(Sqlite, DeliveriesContract):
    one_writer = True

    @pytest.fixture
    def work(self, engine: Engine) -> SqlWork:
        return SqlWork(engine, outbox=Outbox(destinations=self.DESTINATIONS))
