"""Contract tests of the adapters of Redis, on a real server."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from uuid import uuid4

import pytest
from redis import Redis

from adapters.rate_limits import LocalRateLimits
from adapters.redis.cache import RedisCache
from adapters.redis.connection import RedisServer
from adapters.redis.rate_limits import RedisRateLimits
from tests.adapters.redis.conftest import server_at
from tests.contracts.outages import redis_unreachable
from unite_core.testing.contracts import CacheContract, RateLimitsContract
from unite_core.testing.in_memory import FixedClock


class OnRedis:
    @pytest.fixture
    def server(self, redis_url: str) -> Iterator[RedisServer]:
        server = server_at(redis_url, timeout=10, failure_threshold=100)
        yield server
        assert server.breaker_state == "closed"
        server.close()

    @pytest.fixture
    def prefix(self) -> str:
        return f"test:{uuid4()}"


class TestCache(OnRedis, CacheContract):
    @pytest.fixture
    def cache(self, server: RedisServer, clock: FixedClock, prefix: str) -> RedisCache:
        return RedisCache(server, secret=b"s" * 32, clock=clock, prefix=prefix)

    @pytest.fixture
    def pass_time(self, redis_url: str, clock: FixedClock, prefix: str) -> Iterator[Callable[[timedelta], None]]:
        with Redis.from_url(redis_url) as redis:

            def pass_time(duration: timedelta) -> None:
                clock.advance(duration)
                passed = duration // timedelta(milliseconds=1)
                for key in redis.scan_iter(match=f"{prefix}:*", count=1000):
                    left = redis.pttl(key) - passed
                    redis.pexpire(key, left) if left > 0 else redis.delete(key)

            yield pass_time

    @pytest.fixture
    def outage(self) -> AbstractContextManager[None]:
        return redis_unreachable()


class TestRateLimits(OnRedis, RateLimitsContract):
    @pytest.fixture
    def limits(self, server: RedisServer, clock: FixedClock, prefix: str) -> RedisRateLimits:
        return RedisRateLimits(server, clock, LocalRateLimits(clock), prefix=prefix)
