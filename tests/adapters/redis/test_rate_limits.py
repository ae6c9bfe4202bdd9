"""Tests of rate limits in Redis beyond the contract of `RateLimits`: several processes, expiry, and outages."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis import Redis

from adapters.rate_limits import LocalRateLimits
from adapters.redis.connection import RedisServer
from adapters.redis.rate_limits import RedisRateLimits
from tests.adapters.redis.conftest import OwnRedis, server_at
from unite_core.rate_limits import RateLimitStatus
from unite_core.testing.in_memory import FixedClock


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def server(own_redis: OwnRedis) -> Iterator[RedisServer]:
    server = server_at(own_redis.url, timeout=1, failure_threshold=1, recovery_timeout=0.05)
    yield server
    server.close()


@pytest.fixture
def limits(server: RedisServer, clock: FixedClock) -> RedisRateLimits:
    return RedisRateLimits(server, clock, LocalRateLimits(clock))


def test_several_processes_count_together(limits: RedisRateLimits, own_redis: OwnRedis, clock: FixedClock) -> None:
    other = server_at(own_redis.url, timeout=10)
    theirs = RedisRateLimits(other, clock, LocalRateLimits(clock))

    passed = [each.hit("ann", 3).allowed for each in (limits, theirs, limits, theirs)]

    assert passed == [True, True, True, False]
    other.close()


def test_counters_expire_and_peeking_creates_none(limits: RedisRateLimits, own_redis: OwnRedis) -> None:
    limits.peek("ben", 3)
    limits.hit("ann", 3)
    limits.hit("ann", 3)

    with Redis.from_url(own_redis.url) as redis:
        assert redis.keys("*") == [b"unite:limit:ann"]
        assert 0 < redis.pttl("unite:limit:ann") <= 60_000


def test_a_window_lasts_a_minute_from_its_first_hit(limits: RedisRateLimits, clock: FixedClock) -> None:
    limits.hit("ann", 2)
    clock.advance(timedelta(seconds=59, milliseconds=1))
    assert limits.hit("ann", 2) == RateLimitStatus(allowed=True, limit=2, remaining=0, reset=1)
    clock.advance(timedelta(milliseconds=998))
    assert limits.hit("ann", 2) == RateLimitStatus(allowed=False, limit=2, remaining=0, reset=1)
    clock.advance(timedelta(milliseconds=1))

    assert limits.hit("ann", 2) == RateLimitStatus(allowed=True, limit=2, remaining=1, reset=60)


def test_a_process_with_a_slow_clock_counts_in_the_same_window(limits: RedisRateLimits, clock: FixedClock) -> None:
    limits.hit("ann", 1)
    clock.advance(timedelta(seconds=-2))

    assert limits.hit("ann", 1) == RateLimitStatus(allowed=False, limit=1, remaining=0, reset=60)


def test_during_an_outage_each_process_counts_on_its_own(limits: RedisRateLimits, own_redis: OwnRedis) -> None:
    limits.hit("ann", 2)
    own_redis.kill()

    assert limits.peek("ann", 2).remaining == 2
    assert [limits.hit("ann", 2).allowed for _ in range(3)] == [True, True, False]


def test_a_script_that_redis_has_lost_is_loaded_again(limits: RedisRateLimits, own_redis: OwnRedis) -> None:
    limits.hit("ann", 2)
    with Redis.from_url(own_redis.url) as redis:
        redis.script_flush()

    assert limits.hit("ann", 2).remaining == 0
