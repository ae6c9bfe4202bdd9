"""Spans of commands to MongoDB: their names and collections, without documents."""

from collections.abc import Iterator

import pytest

from adapters.mongo.connection import Mongo
from adapters.otel.mongo import MongoSpans
from tests.adapters.otel.conftest import Traced
from unite_core.errors import Unavailable

PHONE = "+12025550187"


@pytest.fixture
def mongo(mongodb_url: str, traced: Traced) -> Iterator[Mongo]:
    mongo = Mongo(mongodb_url, listeners=[MongoSpans(traced.tracing.calls)])
    yield mongo
    mongo.close()


def test_a_command_is_a_span_with_its_collection(mongo: Mongo, traced: Traced) -> None:
    with traced.job():
        mongo.call(lambda database: database["people"].insert_one({"phone": PHONE}))
        assert mongo.call(lambda database: database["people"].find_one({"phone": PHONE}))
        mongo.ping()

    job, *calls = traced.spans()
    assert [(span.name, span.kind, span.parent) for span in calls] == [
        ("insert people", "client", job.id),
        ("find people", "client", job.id),
        ("ping", "client", job.id),
    ]
    inserted = calls[0].attributes
    assert inserted["db.system.name"] == "mongodb"
    assert inserted["db.collection.name"] == "people"
    assert inserted["db.operation.name"] == "insert"
    assert inserted["db.namespace"]
    assert isinstance(inserted["server.port"], int)
    assert b"2025550187" not in traced.sent()


def test_a_command_that_fails_says_with_which_code(mongo: Mongo, traced: Traced) -> None:
    with traced.job(), pytest.raises(Unavailable):
        mongo.call(lambda database: database["people"].find_one({"$phone": PHONE}))

    (failed,) = traced.calls()
    assert (failed.name, failed.failed, failed.description) == ("find people", True, "")
    assert failed.attributes["error.type"]
    assert failed.attributes["db.response.status_code"].isdigit()
    assert b"2025550187" not in traced.sent()


def test_a_command_that_is_none_is_named_without_what_it_was_given(mongo: Mongo, traced: Traced) -> None:
    with traced.job(), pytest.raises(Unavailable):
        mongo.call(lambda database: database.command("unknown", PHONE))

    (failed,) = traced.calls()
    assert (failed.name, failed.failed) == ("unknown", True)
    assert b"2025550187" not in traced.sent()


def test_outside_of_a_span_commands_have_none(mongo: Mongo, traced: Traced) -> None:
    mongo.ping()

    assert traced.spans() == []
