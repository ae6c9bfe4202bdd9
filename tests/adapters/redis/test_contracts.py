"""The adapters of Redis keep every contract, on a real server."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from adapters.rate_limits import LocalRateLimits
from adapters.redis.cache import RedisCache
from adapters.redis.connection import RedisServer
from adapters.redis.rate_limits import RedisRateLimits
from adapters.system_clock import SystemClock
from tests.adapters.redis.conftest import server_at
from unite_core.testing.contracts import CacheContract, RateLimitsContract
from unite_core.testing.in_memory import FixedClock


class OnRedis:
    @pytest.fixture
    def server(self, redis_url: str) -> Iterator[RedisServer]:
        server = server_at(redis_url, timeout=10)
        yield server
        assert server.breaker_state == "closed"
        server.close()

    @pytest.fixture
    def prefix(self) -> str:
        return f"test:{uuid4()}"


class TestCache(OnRedis, CacheContract):
    @pytest.fixture
    def cache(self, server: RedisServer, prefix: str) -> RedisCache:
        return RedisCache(server, secret=b"s" * 32, clock=SystemClock(), prefix=prefix)


class TestRateLimits(OnRedis, RateLimitsContract):
    @pytest.fixture
    def limits(self, server: RedisServer, clock: FixedClock, prefix: str) -> RedisRateLimits:
        return RedisRateLimits(server, clock, LocalRateLimits(clock), prefix=prefix)
