"""Copies of our collections, in the format of `mongodump`: documents of BSON, one after the other."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, BinaryIO

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.database import Database

from adapters.mongo.activity import COLLECTIONS as ACTIVITY_COLLECTIONS
from adapters.mongo.connection import Mongo, Timeouts
from adapters.mongo.documents import CallLogEntry

CALL_LOG = CallLogEntry.collection_name()

COLLECTIONS = (*ACTIVITY_COLLECTIONS, CALL_LOG)

DOCUMENT_BATCH_SIZE = 1_000

TIMEOUTS = Timeouts(answer=timedelta(minutes=10))
"""Whole collections are read and counted."""

_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)

Progress = Callable[[int], None]


def write_collection(mongo: Mongo, name: str, target: BinaryIO, *, until: datetime, progress: Progress) -> int:
    """Write the documents of events up to the moment `until`; how many. Raises `Unavailable`."""

    def ask(database: Database[Any]) -> int:
        target.seek(0)
        target.truncate()
        written = 0
        for document in _raw(database, name).find({"at": {"$lte": until}}, batch_size=DOCUMENT_BATCH_SIZE):
            target.write(document.raw)
            written += 1
            if written % DOCUMENT_BATCH_SIZE == 0:
                progress(written)
        return written

    return mongo.call(ask)


def count_after(mongo: Mongo, name: str, *, than: datetime) -> int:
    """How many documents are of events after the moment."""
    return mongo.call(lambda database: database[name].count_documents({"at": {"$gt": than}}))


def non_empty_collections(mongo: Mongo) -> list[str]:
    """Those of our collections that hold anything."""
    return [name for name in COLLECTIONS if mongo.call(lambda database, it=name: database[it].find_one()) is not None]  # type: ignore[misc]  # the default binds the loop's name


def load_collection(mongo: Mongo, name: str, source: BinaryIO, progress: Progress) -> int:
    """Insert what `write_collection` has written into an empty collection; how many documents."""
    documents = bson.decode_file_iter(source, _RAW)
    loaded = 0
    while some := list(islice(documents, DOCUMENT_BATCH_SIZE)):
        _insert(mongo, name, some)
        loaded += len(some)
        progress(loaded)
    return loaded


def _insert(mongo: Mongo, name: str, documents: list[RawBSONDocument]) -> None:
    ids = [document["_id"] for document in documents]

    def ask(database: Database[Any]) -> None:
        # An attempt whose answer was lost may have stored some of them.
        _raw(database, name).delete_many({"_id": {"$in": ids}})
        _raw(database, name).insert_many(documents, ordered=False)

    mongo.call(ask)


def _raw(database: Database[Any], name: str) -> Collection[RawBSONDocument]:
    return database.get_collection(name, codec_options=_RAW)
