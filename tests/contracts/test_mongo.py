"""Contract tests of the adapters of MongoDB."""

from collections.abc import Iterator

import pytest

from adapters.mongo.activity import MongoActivityLog
from adapters.mongo.calls import MongoCallDocuments
from adapters.mongo.connection import Mongo
from tests.contracts.in_memory_units import InMemoryUnits
from unite_core.testing.contracts import ActivityLogContract, CallActivityContract, CallDocumentsContract
from unite_core.testing.contracts.agent_activity import Record, deliver_entries


@pytest.fixture
def mongo(mongodb_url: str) -> Iterator[Mongo]:
    mongo = Mongo(mongodb_url)
    yield mongo
    mongo.close()


class TestActivityLog(ActivityLogContract):
    forgets_by_itself = True

    @pytest.fixture
    def log(self, mongo: Mongo) -> MongoActivityLog:
        return MongoActivityLog(mongo)

    @pytest.fixture
    def outage(self) -> None:
        return None  # tests of the connection have them


class TestCallDocuments(CallDocumentsContract):
    @pytest.fixture
    def documents(self, mongo: Mongo) -> MongoCallDocuments:
        return MongoCallDocuments(mongo)

    @pytest.fixture
    def log(self, mongo: Mongo) -> MongoActivityLog:
        return MongoActivityLog(mongo)


class TestCallActivity(InMemoryUnits, CallActivityContract):
    @pytest.fixture
    def activity(self, mongo: Mongo) -> MongoCallDocuments:
        return MongoCallDocuments(mongo)

    @pytest.fixture
    def record(self, mongo: Mongo) -> Record:
        log = MongoActivityLog(mongo)
        return lambda entries: deliver_entries(log, entries)
