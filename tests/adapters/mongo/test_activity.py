"""Tests of the activity log in MongoDB: its documents, indexes, round trips and retention."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pymongo.database import Database

from adapters.mongo.activity import MongoActivityLog
from adapters.mongo.connection import Mongo
from unite_core.errors import Unavailable
from unite_core.events import Event
from unite_core.notifications.events import delivery_answered, delivery_reported
from unite_core.notifications.model import TEXTS, TOPIC, delivery_of
from unite_core.paging import Page, PageRequest, Position
from unite_core.testing.builders import an_event, an_id

Found = Database[dict[str, Any]]

COLLECTIONS = ("activity", "import_log", "delivery_log")


@pytest.fixture
def log(mongo: Mongo) -> MongoActivityLog:
    log = MongoActivityLog(mongo)
    log.prepare()
    return log


def test_events_of_imports_and_of_leads_are_in_different_collections(log: MongoActivityLog, database: Found) -> None:
    of_import = an_event(lead_ids=(), import_id=an_id())
    of_lead = an_event(import_id=of_import.import_id)
    of_neither = an_event(lead_ids=())

    log.deliver([of_import, of_lead, of_neither])

    assert {each["_id"] for each in database.activity.find()} == {of_lead.id, of_neither.id}
    assert {each["_id"] for each in database.import_log.find()} == {of_import.id}


def test_documents_are_readable_for_people(log: MongoActivityLog, database: Found) -> None:
    event = an_event(at=datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC), data={"name": "Grace"})

    log.deliver([event])

    document = database.activity.find_one({"_id": event.id})
    assert document is not None
    assert document.pop("position")
    assert document == {
        "_id": event.id,
        "type": "lead.created",
        "at": datetime(2026, 3, 2, 9, 0, 0, 123000, tzinfo=UTC),
        "lead_ids": [*event.lead_ids],
        "data": '{"name":"Grace"}',
    }


def test_delivery_events_have_readable_and_searchable_fields(log: MongoActivityLog, database: Found) -> None:
    sms, sns, reported = an_id(), an_id(), an_id()
    sent = delivery_of(an_event(type="call_task.assigned"), TEXTS)
    sent.claim(sent.created_at)
    text = {"sid": "SM1", "status": "queued", "segments": 1, "price": None, "price_unit": None, "carrier": {"x": [1]}}
    sent.succeed(text, sent.created_at)
    answered = delivery_answered(
        sms, sent.created_at, sent, an_event(type="call_task.assigned", correlation_id="c0ffee")
    )
    sent.refuse({**text, "status": "failed", "price": "-0.00790", "price_unit": "USD", "error_code": 30003})
    published = delivery_of(an_event(), TOPIC)
    published.refuse({"message_id": "0c", "error_code": "InvalidParameter", "error": "It is wrong.", "reason": "odd"})

    log.deliver(
        [
            answered,
            delivery_reported(reported, sent.created_at, sent),
            delivery_answered(sns, sent.created_at, published, an_event()),
        ]
    )

    entries = {each.pop("_id"): each for each in database.delivery_log.find({}, {"position": 0, "data": 0, "at": 0})}
    common = {
        "delivery_id": sent.id,
        "destination": "texts",
        "about_id": str(sent.event_id),
        "attempt": 1,
        "sid": "SM1",
    }
    assert entries[sms] == common | {
        "type": "delivery.answered",
        "correlation_id": "c0ffee",
        "about_type": "call_task.assigned",
        "status": "delivered",
        "message_status": "queued",
        "segments": 1,
    }
    assert entries[reported] == common | {
        "type": "delivery.reported",
        "status": "dead",
        "message_status": "failed",
        "segments": 1,
        "price": "-0.00790",
        "price_unit": "USD",
        "error_code": 30003,
    }
    entry = {name: entries[sns][name] for name in ("message_id", "error_code", "error", "reason", "status", "attempt")}
    assert entry == {**published.response, "status": "dead", "attempt": 0}
    assert database.delivery_log.count_documents({"error_code": "InvalidParameter"}) == 1
    assert [*log.of_delivery(sent.id, PageRequest()).items][1] == answered


def test_the_first_delivered_event_creates_missing_indexes(mongo: Mongo, database: Found) -> None:
    MongoActivityLog(mongo, retention=timedelta(days=1)).deliver([an_event()])

    assert database.activity.index_information().keys() == {"_id_", "of_lead", "retention"}
    assert database.import_log.index_information().keys() == {"_id_", "of_import", "retention"}
    assert database.delivery_log.index_information().keys() == {"_id_", "of_delivery", "retention"}


@pytest.fixture
def asked(database: Found) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """Return the queries of one kind since the beginning of the test, from MongoDB's profiler."""
    database.command("profile", 2)
    yield lambda kind: [
        each["command"] for each in database["system.profile"].find({"op": kind}) if kind_of(each) in COLLECTIONS
    ]
    database.command("profile", 0)


def kind_of(profiled: dict[str, Any]) -> str:
    return str(profiled["ns"]).partition(".")[2]


def test_a_batch_is_stored_in_one_round_trip_for_each_collection(
    log: MongoActivityLog, asked: Callable[[str], list[dict[str, Any]]]
) -> None:
    of_imports = [an_event(lead_ids=(), import_id=an_id()) for _ in range(100)]
    of_deliveries = [an_event(lead_ids=(), delivery_id=an_id()) for _ in range(100)]
    log.deliver([*of_imports, *of_deliveries, *(an_event() for _ in range(100))])

    assert sorted(each["insert"] for each in asked("insert")) == sorted(COLLECTIONS)


@pytest.mark.parametrize("after", [None, Position(datetime(2026, 3, 2, tzinfo=UTC), an_id())], ids=["first", "later"])
@pytest.mark.parametrize(
    ("read", "index"),
    [
        (MongoActivityLog.of_lead, "of_lead"),
        (MongoActivityLog.of_import, "of_import"),
        (MongoActivityLog.of_delivery, "of_delivery"),
    ],
    ids=["lead", "import", "delivery"],
)
def test_a_page_is_read_by_an_index(
    log: MongoActivityLog,
    database: Found,
    asked: Callable[[str], list[dict[str, Any]]],
    read: Callable[[MongoActivityLog, UUID, PageRequest], Page[Event]],
    index: str,
    after: Position | None,
) -> None:
    read(log, an_id(), PageRequest(limit=10, after=after))

    [question] = asked("query")
    parts = {name: question[name] for name in ("find", "filter", "sort", "projection", "limit") if name in question}
    plan = database.command("explain", parts, codec_options=database.codec_options)["queryPlanner"]["winningPlan"]
    indexes = database[parts["find"]].index_information()
    assert stages(plan)["IXSCAN"]["indexName"] == index
    assert "COLLSCAN" not in stages(plan)
    # Fixed by the list's owner, then in the order of the list: MongoDB has nothing to sort.
    assert next(iter(parts["filter"])) == indexes[index]["key"][0][0]
    assert [*parts["sort"].items()] == indexes[index]["key"][1:]
    assert parts["limit"] == 11


def test_a_page_of_one_lead_does_not_read_the_ids_of_other_leads(
    log: MongoActivityLog, asked: Callable[[str], list[dict[str, Any]]]
) -> None:
    log.of_lead(an_id(), PageRequest())

    assert [each["projection"] for each in asked("query")] == [{"lead_ids": 0}]


def stages(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The stages of a plan by their names, whichever way it nests them."""
    inner = plan.get("queryPlan") or plan.get("inputStage")
    own = {plan["stage"]: plan} if "stage" in plan else {}
    return own | (stages(inner) if inner else {})


def index_retention(database: Found) -> list[int | None]:
    """After how many seconds each collection forgets, by the index that says so."""
    indexes = [database[name].index_information().get("retention", {}) for name in COLLECTIONS]
    assert all(each.get("key", [("at", 1)]) == [("at", 1)] for each in indexes)
    return [each.get("expireAfterSeconds") for each in indexes]


class TestRetention:
    def test_events_older_than_the_retention_are_deleted_by_mongodb(self, mongo: Mongo, database: Found) -> None:
        MongoActivityLog(mongo, retention=timedelta(days=30)).prepare()

        assert index_retention(database) == [2592000] * 3

    def test_without_a_retention_nothing_is_deleted(self, mongo: Mongo, database: Found) -> None:
        MongoActivityLog(mongo).prepare()

        assert index_retention(database) == [None] * 3

    @pytest.mark.parametrize(
        ("retention", "seconds"),
        [(timedelta(days=30), 2592000), (timedelta(days=7), 604800), (timedelta(days=90), 7776000), (None, None)],
        ids=["the same", "shorter", "longer", "for ever"],
    )
    def test_a_changed_retention_changes_the_index(
        self, mongo: Mongo, database: Found, retention: timedelta | None, seconds: int | None
    ) -> None:
        event = an_event(at=datetime.now(UTC))
        MongoActivityLog(mongo, retention=timedelta(days=30)).deliver([event])

        changed = MongoActivityLog(mongo, retention=retention)
        changed.prepare()
        changed.prepare()

        assert index_retention(database) == [seconds] * 3
        assert changed.of_lead(event.lead_ids[0], PageRequest()).items == [event]

    def test_a_retention_longer_than_mongodb_supports_is_limited(self, mongo: Mongo, database: Found) -> None:
        MongoActivityLog(mongo, retention=timedelta(days=36500)).prepare()

        assert index_retention(database) == [2147483647] * 3


def test_a_write_that_mongodb_refuses_raises_unavailable_and_the_others_are_stored(
    log: MongoActivityLog, database: Found
) -> None:
    database.command("collMod", "activity", validator={"type": {"$ne": "lead.refused"}})
    refused, taken = an_event(type="lead.refused"), an_event()

    with pytest.raises(Unavailable, match="BulkWriteError"):
        log.deliver([refused, taken])

    assert [each["_id"] for each in database.activity.find()] == [taken.id]
