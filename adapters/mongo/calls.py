"""Call documents in MongoDB: storage, aggregation by agent, and reconciliation."""

from collections.abc import Collection as Ids
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import pymongo
from bson.codec_options import DatetimeConversion
from pymongo import DeleteOne, ReplaceOne
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from adapters.mongo.connection import Mongo
from adapters.mongo.documents import CallLogEntry, Stored
from unite_core.calls.model import CallResult
from unite_core.periods import QUARTER_SECONDS, Segment, moment_of
from unite_core.reports.documents import ID, AgentKey, CallDocument, CallDocuments, StoredDocument
from unite_core.reports.ports import Timeline
from unite_core.reports.tally import Tally

AGGREGATION_SECONDS = 15
"""Timeout for the aggregation of a report over up to 400 days, which takes longer than any other query."""

_DUPLICATE_KEY = 11000

Write = ReplaceOne[Stored] | DeleteOne


class MongoCallDocuments(CallDocuments):
    """Documents in the collection `call_log`; `_id` is the id of the call task. MongoDB removes none by itself."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    def store(self, documents: Sequence[CallDocument]) -> None:
        # A document with the same or a higher number does not match, so that the upsert fails as a duplicate.
        writes = [
            ReplaceOne({ID: each.task_id, "number": {"$lt": each.number}}, each.content(), upsert=True)
            for each in documents
        ]
        # When two inserts of the first document of a call run at the same time, one is refused, maybe the one of the
        # later entry. The second attempt compares it with the document of the other. What is refused then is older.
        self._write(self._write(writes))

    def by_agent(self, question: Timeline) -> Mapping[tuple[AgentKey, int], Tally]:
        if not question.segments:
            return {}

        def query(database: Database[Stored]) -> list[Stored]:
            with pymongo.timeout(AGGREGATION_SECONDS):
                return list(_calls_in(database).aggregate(pipeline(question)))

        return {(_key(row[ID].get("agent")), int(row[ID]["label"])): _to_tally(row) for row in self._mongo.call(query)}

    def of_tasks(self, task_ids: Ids[UUID]) -> Sequence[StoredDocument]:
        ids = list(task_ids)
        if not ids:
            return []
        # Two queries, because each uses an index of its own.
        by_field = self._find({"task_id": {"$in": ids}})
        return [*self._find({ID: {"$in": ids}}), *(stored for stored in by_field if stored.id not in ids)]

    def between(self, start: datetime, end: datetime) -> Sequence[StoredDocument]:
        return self._find({"called_at": {"$gte": start, "$lt": end}})

    def replace(self, replacements: Sequence[tuple[StoredDocument, CallDocument]]) -> None:
        self._write([ReplaceOne(dict(stored.content), document.content()) for stored, document in replacements])

    def remove(self, documents: Sequence[StoredDocument]) -> None:
        self._write([DeleteOne(dict(each.content)) for each in documents])

    def _find(self, filters: Mapping[str, Any]) -> Sequence[StoredDocument]:
        documents = self._mongo.call(lambda database: list(_calls_in(database).find(filters)))
        return [StoredDocument(content) for content in documents]

    def _write(self, writes: Sequence[Write]) -> list[Write]:
        """Execute the writes in one round trip, in any order; return those refused because their id exists already."""
        if not writes:
            return []
        return self._mongo.call(lambda database: _bulk_write(_calls_in(database), writes))


def _calls_in(database: Database[Stored]) -> Collection[Stored]:
    """Return the collection, set to also read dates that Python's datetime cannot represent."""
    options = database.codec_options.with_options(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
    return CallLogEntry.collection_in(database).with_options(codec_options=options)


def _bulk_write(collection: Collection[Stored], writes: Sequence[Write]) -> list[Write]:
    try:
        collection.bulk_write(writes, ordered=False)
    except BulkWriteError as error:
        failures = error.details["writeErrors"]
        if error.details["writeConcernErrors"] or any(each["code"] != _DUPLICATE_KEY for each in failures):
            raise
        return [writes[each["index"]] for each in failures]
    return []


def pipeline(question: Timeline) -> list[dict[str, Any]]:
    """Return the aggregation that counts calls by agent and label: one range of an index, then groups."""
    first, last = question.segments[0], question.segments[-1]
    period = {"called_at": {"$gte": moment_of(first.first), "$lt": moment_of(last.end)}}
    match = period if question.agent_id is None else {"agent_id": question.agent_id, **period}
    counts = {result.value: {"$sum": {"$cond": [{"$eq": ["$result", result.value]}, 1, 0]}} for result in CallResult}
    group = {
        ID: {"agent": {"$ifNull": ["$agent_id", None]}, "label": _label(question.segments)},
        **counts,
        "seconds": {"$sum": "$duration_seconds"},
        "recorded_at": {"$max": "$at"},
    }
    return [{"$match": match}, {"$group": group}]


def _label(segments: Sequence[Segment]) -> dict[str, Any]:
    """Return the label of a call's quarter hour by the rule of `Segment.label`, so that all reports agree on days."""
    quarter = {"$floor": {"$divide": [{"$toLong": "$called_at"}, QUARTER_SECONDS * 1000]}}
    labels = [
        {"$mod": [{"$floor": {"$divide": [{"$add": [quarter, it.shift]}, it.per]}}, it.modulo]} for it in segments
    ]
    branches = [
        {"case": {"$lt": [quarter, segment.end]}, "then": label}
        for segment, label in zip(segments[:-1], labels[:-1], strict=True)
    ]
    # MongoDB refuses a `$switch` without branches.
    return {"$switch": {"branches": branches, "default": labels[-1]}} if branches else labels[-1]


def _key(agent_id: UUID | None) -> AgentKey:
    return "" if agent_id is None else str(agent_id)


def _to_tally(row: Stored) -> Tally:
    counts = {result: row[result.value] for result in CallResult if row[result.value]}
    return Tally(counts, int(row["seconds"]), row["recorded_at"])
