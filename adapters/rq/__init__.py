"""Queues in Redis (RQ), for workers on several machines."""

from typing import TYPE_CHECKING

from adapters.extras import require
from unite_core.lazy_names import lazy_names

require("rq", "redis", "rq")

if TYPE_CHECKING:
    from adapters.rq.jobs import RedisConnection, RqJobs
    from adapters.rq.worker import RqQueues
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "adapters.rq.jobs": ("RedisConnection", "RqJobs"),
            "adapters.rq.worker": ("RqQueues",),
        },
    )

__all__ = [
    "RedisConnection",
    "RqJobs",
    "RqQueues",
]
