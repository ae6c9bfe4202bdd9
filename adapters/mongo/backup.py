"""Backup and restore of MongoDB collections, in the format of `mongodump` (BSON documents in sequence)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, BinaryIO

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.database import Database

from adapters.mongo.activity import COLLECTIONS as ACTIVITY_COLLECTIONS
from adapters.mongo.connection import POLICY, Mongo
from adapters.mongo.documents import CallLogEntry

CALL_LOG = CallLogEntry.collection_name()

COLLECTIONS = (*ACTIVITY_COLLECTIONS, CALL_LOG)

DOCUMENT_BATCH_SIZE = 1_000

BACKUP_POLICY = replace(POLICY, timeouts=replace(POLICY.timeouts, read=timedelta(minutes=10)))
"""With a long timeout, because whole collections are read and counted."""

_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)

Progress = Callable[[int], None]


def write_collection(mongo: Mongo, name: str, target: BinaryIO, *, until: datetime, progress: Progress) -> int:
    """Write the documents of events up to the moment `until`; return their number. Raises `Unavailable`."""

    def write(database: Database[Any]) -> int:
        target.seek(0)
        target.truncate()
        written = 0
        for document in _raw(database, name).find({"at": {"$lte": until}}, batch_size=DOCUMENT_BATCH_SIZE):
            target.write(document.raw)
            written += 1
            if written % DOCUMENT_BATCH_SIZE == 0:
                progress(written)
        return written

    return mongo.call(write)


def count_after(mongo: Mongo, name: str, *, than: datetime) -> int:
    """Return how many documents are about events after the moment."""
    return mongo.call(lambda database: database[name].count_documents({"at": {"$gt": than}}))


def non_empty_collections(mongo: Mongo) -> list[str]:
    """Return the names of the collections that are not empty."""
    return [name for name in COLLECTIONS if mongo.call(lambda database, it=name: database[it].find_one()) is not None]  # type: ignore[misc]  # the default binds the loop's name


def load_collection(mongo: Mongo, name: str, source: BinaryIO, progress: Progress) -> int:
    """Insert the output of `write_collection` into an empty collection; return the number of documents."""
    documents = bson.decode_file_iter(source, _RAW)
    loaded = 0
    while batch := list(islice(documents, DOCUMENT_BATCH_SIZE)):
        _insert(mongo, name, batch)
        loaded += len(batch)
        progress(loaded)
    return loaded


def _insert(mongo: Mongo, name: str, documents: list[RawBSONDocument]) -> None:
    ids = [document["_id"] for document in documents]

    def insert(database: Database[Any]) -> None:
        # An earlier attempt whose response was lost may have stored some of them.
        _raw(database, name).delete_many({"_id": {"$in": ids}})
        _raw(database, name).insert_many(documents, ordered=False)

    mongo.call(insert)


def _raw(database: Database[Any], name: str) -> Collection[RawBSONDocument]:
    return database.get_collection(name, codec_options=_RAW)
