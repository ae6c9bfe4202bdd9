"""Tests of call documents in MongoDB: their fields and indexes, and the repair of tampered ones."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pymongo.database import Database

from adapters.mongo.activity import MongoActivityLog
from adapters.mongo.calls import MongoCallDocuments, pipeline
from adapters.mongo.connection import Mongo
from unite_core.application import Unite, build
from unite_core.calls.ledger import LedgerEntry
from unite_core.errors import Unavailable
from unite_core.identity.model import Role
from unite_core.periods import Period
from unite_core.reports.call_queries import by_day
from unite_core.reports.documents import document_of
from unite_core.reports.reconciliation import Reconciliation, Repaired
from unite_core.testing.builders import a_lead, a_task, a_user, an_actor, an_entry, an_event_of, an_id
from unite_core.testing.contracts.agent_activity import deliver_entries
from unite_core.testing.contracts.database import add_all
from unite_core.testing.contracts.rollups import a_history
from unite_core.testing.in_memory import A_MONDAY_MORNING, in_memory_ports

Found = Database[dict[str, Any]]
Tamper = Callable[[Found, UUID], object]

DAY = Period(date(2026, 3, 3), date(2026, 3, 3), "Europe/Berlin")
MANAGER = an_actor(Role.MANAGER)
INDEXES = {"called": ["called_at", "agent_id"], "of_agent": ["agent_id", "called_at"], "of_task": ["task_id"]}


@pytest.fixture
def log(mongo: Mongo) -> MongoActivityLog:
    log = MongoActivityLog(mongo, retention=timedelta(days=1))
    log.prepare()
    return log


def test_a_call_is_stored_as_a_document_with_typed_fields(log: MongoActivityLog, database: Found) -> None:
    agent = a_user()
    task = a_task(a_lead(), agent, assigned_to=agent.id)
    called_at = datetime(2026, 3, 2, 9, 14, 59, 999999, tzinfo=UTC)
    entry = an_entry(task, started_at=called_at)

    log.deliver([an_event_of(entry)])

    assert database.call_log.find_one() == {
        "_id": task.id,
        "task_id": task.id,
        "entry_id": entry.id,
        "number": 1,
        "kind": "completed",
        "result": "connected",
        "outcome": "connected",
        "agent_id": agent.id,
        "duration_seconds": 300,
        "called_at": called_at.replace(microsecond=999000),
        "at": entry.at,
        "source": "api",
        "attempt": 1,
        "hash": entry.hash,
    }


def test_call_documents_have_their_indexes_and_never_expire(log: MongoActivityLog, database: Found) -> None:
    log.prepare()

    indexes = database.call_log.index_information()
    indexes.pop("_id_")
    assert {name: [field for field, _ in index["key"]] for name, index in indexes.items()} == INDEXES
    assert not any("expireAfterSeconds" in index for index in indexes.values())


@pytest.mark.parametrize("own", [False, True], ids=["all agents", "one agent"])
@pytest.mark.parametrize("tz", ["UTC", "America/New_York"])
def test_a_report_reads_only_its_own_documents_by_an_index(
    log: MongoActivityLog, database: Found, own: bool, tz: str
) -> None:
    agents = [a_user() for _ in range(2)]
    calls = [
        an_entry(
            a_task(a_lead(), agents[0], assigned_to=agents[number % 2].id),
            at=A_MONDAY_MORNING + timedelta(hours=number),
        )
        for number in range(150)
    ]
    deliver_entries(log, calls)
    period = Period(date(2026, 3, 3), date(2026, 3, 10), tz)
    question = by_day(period, agents[0].id if own else None)
    [match, group] = pipeline(question)
    matching = database.call_log.count_documents(match["$match"])
    assert 0 < matching < 150

    command = {"aggregate": "call_log", "pipeline": [match, group], "cursor": {}}
    explained = database.command("explain", command, verbosity="executionStats", codec_options=database.codec_options)

    assert [*match, *group] == ["$match", "$group"]
    assert index_of(explained) == ("of_agent" if own else "called")
    stats = stats_of(explained)
    assert (stats["totalDocsExamined"], stats["nReturned"]) == (matching, matching)


def index_of(explained: Any) -> str | None:
    """The index that is walked, wherever in the plan that is said."""
    if isinstance(explained, dict):
        if explained.get("stage") == "IXSCAN" and "indexName" in explained:
            return str(explained["indexName"])
        assert explained.get("stage") != "COLLSCAN"
        explained = list(explained.values())
    if isinstance(explained, list):
        return next((index for each in explained if (index := index_of(each))), None)
    return None


def stats_of(explained: dict[str, Any]) -> dict[str, Any]:
    stages = explained.get("stages") or [{"$cursor": explained}]
    stats: dict[str, Any] = stages[0]["$cursor"]["executionStats"]
    return stats


def test_lookups_of_calls_use_indexes(log: MongoActivityLog, mongo: Mongo, database: Found) -> None:
    deliver_entries(log, [an_entry(a_task(a_lead(), a_user())) for _ in range(20)])
    documents = MongoCallDocuments(mongo)
    database.command("profile", 2)

    documents.of_tasks([an_id()])
    documents.between(A_MONDAY_MORNING, A_MONDAY_MORNING + timedelta(hours=1))

    database.command("profile", 0)
    asked = [each["command"] for each in database["system.profile"].find({"op": "query"}) if "call_log" in each["ns"]]
    plans = [
        database.command(
            "explain", {"find": "call_log", "filter": each["filter"]}, codec_options=database.codec_options
        )
        for each in asked
    ]
    assert len(plans) == 3
    assert "COLLSCAN" not in str([plan["queryPlanner"]["winningPlan"] for plan in plans])


def test_a_document_that_mongodb_refuses_can_be_delivered_again(log: MongoActivityLog, database: Found) -> None:
    refused, taken = (an_entry(a_task(a_lead(), a_user()), duration_seconds=each) for each in (13, 14))
    database.command("collMod", "call_log", validator={"duration_seconds": {"$ne": 13}})

    with pytest.raises(Unavailable, match="BulkWriteError"):
        log.deliver([an_event_of(refused), an_event_of(taken)])
    database.command("collMod", "call_log", validator={})
    log.deliver([an_event_of(refused), an_event_of(taken)])

    assert {each["_id"] for each in database.call_log.find()} == {refused.task_id, taken.task_id}


class Reconciled:
    """Calls whose documents are in MongoDB, and the ledger that they follow."""

    def __init__(self, mongo: Mongo) -> None:
        documents, log = MongoCallDocuments(mongo), MongoActivityLog(mongo)
        ports = in_memory_ports(documents=documents, activity=log)
        self.unite: Unite = build(ports)
        history = a_history(ports.work)
        add_all(ports.work, *history.entries)
        deliver_entries(log, history.entries)
        latest = {entry.task_id: entry for entry in history.entries}.values()
        self.of_day: Sequence[LedgerEntry] = [
            entry for entry in latest if entry.called_at.astimezone(DAY.zone).date() == DAY.first
        ]

    def found(self) -> Reconciliation:
        return self.unite.reports.reconcile(MANAGER, DAY)


@pytest.fixture
def reconciled(mongo: Mongo) -> Iterator[Reconciled]:
    reconciled = Reconciled(mongo)
    assert reconciled.found().equal
    yield reconciled
    assert reconciled.found().equal


def set_field(name: str, value: object) -> Tamper:
    return lambda database, task_id: database.call_log.update_one({"_id": task_id}, {"$set": {name: value}})


def copy(**changes: Any) -> Tamper:
    """Puts a copy of the document there, by another id."""

    def insert(database: Found, task_id: UUID) -> None:
        original = database.call_log.find_one({"_id": task_id})
        assert original is not None
        database.call_log.insert_one({**original, "_id": an_id(), **changes})

    return insert


@pytest.mark.parametrize(
    ("tamper", "kind", "field"),
    [
        (lambda database, task_id: database.call_log.delete_one({"_id": task_id}), "missing", None),
        (copy(), "doubled", "_id"),
        (copy(_id="by hand"), "doubled", "_id"),
        (copy(_id={"by": "hand"}, called_at=datetime(2031, 1, 1, tzinfo=UTC)), "doubled", "_id"),
        (copy(task_id=an_id()), "unexpected", "_id"),
        (copy(_id=7, task_id=[1]), "unexpected", "_id"),
        (set_field("outcome", "said_maybe"), "altered", "outcome"),
        (set_field("result", "said_maybe"), "altered", "result"),
        (set_field("agent_id", an_id()), "altered", "agent_id"),
        (set_field("duration_seconds", 86_401), "altered", "duration_seconds"),
        (set_field("duration_seconds", "long"), "altered", "duration_seconds"),
        (set_field("called_at", datetime(2027, 1, 1, tzinfo=UTC)), "altered", "called_at"),
        (set_field("called_at", "yesterday"), "altered", "called_at"),
        (set_field("number", 99), "altered", "number"),
        (set_field("task_id", an_id()), "altered", "task_id"),
        (set_field("remark", "hello"), "altered", "remark"),
        (
            lambda database, task_id: database.call_log.update_one({"_id": task_id}, {"$unset": {"hash": 1}}),
            "altered",
            "hash",
        ),
    ],
)
def test_every_kind_of_tampering_with_a_document_is_reported_and_repaired(
    reconciled: Reconciled, database: Found, tamper: Tamper, kind: str, field: str | None
) -> None:
    entry = reconciled.of_day[0]
    tamper(database, entry.task_id)

    differences = reconciled.found()

    assert not differences.equal
    assert [(it.kind, it.field) for it in differences.differences] == [(kind, field)]
    if kind != "unexpected":
        assert (differences.differences[0].task_id, differences.differences[0].entry_id) == (entry.task_id, entry.id)
    repaired = reconciled.unite.reports.repair(MANAGER, DAY)
    assert repaired.written + repaired.restored + repaired.removed == 1
    [document] = database.call_log.find({"task_id": entry.task_id})
    assert document == document_of(entry).content()


def test_all_documents_are_restored_after_they_were_deleted(reconciled: Reconciled, database: Found) -> None:
    database.call_log.delete_many({})

    assert reconciled.found().number_of_differences == len(reconciled.of_day)
    assert reconciled.unite.reports.repair(MANAGER, DAY) == Repaired(written=len(reconciled.of_day))
