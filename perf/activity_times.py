"""Measure the activity report over a million call documents in MongoDB.

Usage: UNITE_PERF_MONGODB_URL=mongodb://127.0.0.1:27017/unite_perf_activity python -m perf.activity_times [DOCUMENTS]

The collection `call_log` of that database is filled if it does not have that many documents, and is not removed.
"""

import os
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any
from uuid import UUID

import pymongo
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from pymongo.database import Database

from adapters.mongo.calls import pipeline
from adapters.mongo.documents import CallLogEntry
from perf import results
from perf.call_history import AGENTS, DAYS, HOUR_WEIGHTS, RESULT_WEIGHTS, SOURCES, TALKS, agent_ids, last_day
from unite_core.calls.model import CallOutcome
from unite_core.periods import Period
from unite_core.reports.call_queries import by_day
from unite_core.reports.documents import CallDocument

SPANS = {"a day": 1, "a week": 7, "a month": 30, "400 days": DAYS}
BATCH_SIZE = 5_000
REPEATS = 5
ENOUGH_SECONDS = 10


def main() -> None:
    """Measure and record."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(os.environ["UNITE_PERF_MONGODB_URL"])
    options: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, uuid_representation=UuidRepresentation.STANDARD)
    database = client.get_default_database(codec_options=options)
    loading = _fill(database, count)
    calls = CallLogEntry.collection_in(database)
    figures: dict[str, Any] = {
        "server": client.server_info()["version"],
        "documents": calls.estimated_document_count(),
        "agents": AGENTS,
        "days": DAYS,
        **loading,
    }
    for span, days in SPANS.items():
        for zone in ("UTC", "America/New_York"):
            question = by_day(Period(last_day() - timedelta(days=days - 1), last_day(), zone), None)
            seconds: list[float] = []
            rows: list[dict[str, Any]] = []
            while len(seconds) < REPEATS and sum(seconds) < ENOUGH_SECONDS:
                since = time.perf_counter()
                rows = list(calls.aggregate(pipeline(question)))
                seconds.append(time.perf_counter() - since)
            figures[f"{span}, {zone}"] = f"{statistics.median(seconds):.3f} s, {len(rows)} rows"
            print(span, zone, figures[f"{span}, {zone}"], flush=True)
    results.record("activity_times", "UNITE_PERF_MONGODB_URL=… python -m perf.activity_times", figures)


def _fill(database: Database[dict[str, Any]], count: int) -> dict[str, Any]:
    calls = CallLogEntry.collection_in(database)
    if count * 0.99 < calls.estimated_document_count() < count * 1.01:
        return {}
    calls.drop()
    calls.create_indexes(CallLogEntry.index_models())
    since = time.perf_counter()
    documents = _documents(count)
    for begin in range(0, count, BATCH_SIZE):
        calls.insert_many([each.content() for each in islice(documents, BATCH_SIZE)], ordered=False)
        print(f"{begin + BATCH_SIZE} of {count} documents, {time.perf_counter() - since:.0f} s", end="\r", flush=True)
    return {"loading, s": round(time.perf_counter() - since)}


def _documents(count: int) -> Iterator[CallDocument]:
    random, agents, outcomes = Random(20260101), agent_ids(), set(CallOutcome)
    hours = [hour for hour, weight in HOUR_WEIGHTS.items() for _ in range(weight)]
    kinds = [result for result, weight in RESULT_WEIGHTS.items() for _ in range(weight)]
    first = datetime.combine(last_day() - timedelta(days=DAYS - 1), datetime.min.time(), UTC)
    for number in range(count):
        day = timedelta(days=number * DAYS // count, hours=random.choice(hours), seconds=random.randrange(3600))
        result = random.choice(kinds)
        seconds = int(random.expovariate(1 / (240 if result in TALKS else 25)))
        made = result in outcomes
        yield CallDocument(
            task_id=_id(number, 1),
            entry_id=_id(number, 2),
            number=1,
            kind="completed" if made else result,
            result=result,
            outcome=result if made else None,
            agent_id=random.choice(agents),
            duration_seconds=seconds if made else None,
            called_at=first + day,
            at=first + day + timedelta(seconds=seconds),
            source=random.choice(SOURCES),
            attempt=random.randint(1, 9) if made else None,
            hash="0" * 64,
        )


def _id(number: int, kind: int) -> UUID:
    return UUID(int=(0x0191 << 112) | (7 << 76) | (2 << 62) | kind << 48 | number)


if __name__ == "__main__":
    main()
