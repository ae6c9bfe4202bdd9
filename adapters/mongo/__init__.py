"""The activity log and the call documents in MongoDB."""

from typing import TYPE_CHECKING

from adapters.extras import require
from unite_core.lazy_names import lazy_names

require("mongo", "mongoengine", "pymongo")

if TYPE_CHECKING:
    from adapters.mongo.activity import MongoActivityLog
    from adapters.mongo.calls import MongoCallDocuments
    from adapters.mongo.connection import Mongo
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "adapters.mongo.activity": ("MongoActivityLog",),
            "adapters.mongo.calls": ("MongoCallDocuments",),
            "adapters.mongo.connection": ("Mongo",),
        },
    )

__all__ = [
    "Mongo",
    "MongoActivityLog",
    "MongoCallDocuments",
]
