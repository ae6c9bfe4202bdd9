"""A cache and rate limits in Redis, which all processes share."""

from typing import TYPE_CHECKING

from adapters.extras import require
from unite_core.lazy_names import lazy_names

require("redis", "redis")

if TYPE_CHECKING:
    from adapters.redis.cache import RedisCache
    from adapters.redis.connection import RedisServer
    from adapters.redis.rate_limits import RedisRateLimits
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "adapters.redis.cache": ("RedisCache",),
            "adapters.redis.connection": ("RedisServer",),
            "adapters.redis.rate_limits": ("RedisRateLimits",),
        },
    )

__all__ = [
    "RedisCache",
    "RedisRateLimits",
    "RedisServer",
]
