"""The implementations over MongoDB keep every contract."""

from collections.abc import Iterator

import pytest

from adapters.mongo.activity import MongoActivityLog
from adapters.mongo.connection import Mongo
from unite_core.testing.contracts import ActivityLogContract


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
