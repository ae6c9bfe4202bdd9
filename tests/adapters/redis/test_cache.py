"""Tests of the cache in Redis beyond the contract of `Cache`: expiry, evicted tokens, and outages."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeVar

import pytest
from redis import Redis

from adapters.redis.cache import RedisCache
from adapters.redis.connection import RedisServer
from adapters.system_clock import SystemClock
from tests.adapters.redis.conftest import OwnRedis, policy, server_at
from unite_core.cache import MAX_TTL, Cache, CacheLookup
from unite_core.errors import Unavailable

T = TypeVar("T")

SECRET = b"known to the processes of one installation"


@pytest.fixture
def server(own_redis: OwnRedis) -> Iterator[RedisServer]:
    server = server_at(own_redis.url, timeout=1, failure_threshold=1, recovery_timeout=0.05)
    yield server
    server.close()


@pytest.fixture
def cache(server: RedisServer) -> RedisCache:
    return RedisCache(server, secret=SECRET, clock=SystemClock())


@pytest.fixture
def redis(own_redis: OwnRedis) -> Iterator[Redis]:
    with Redis.from_url(own_redis.url) as redis:
        yield redis


def put(cache: Cache, namespace: str, value: bytes, *, ttl: timedelta = MAX_TTL) -> None:
    ticket = cache.get(namespace, "key").ticket
    assert ticket is not None
    cache.put(namespace, "key", value, ticket=ticket, ttl=ttl)


def found(cache: Cache, namespace: str) -> bytes | None:
    return cache.get(namespace, "key").value


def lose(server: RedisServer) -> None:
    """Make a failing call, after which the circuit breaker is not closed."""
    with pytest.raises(Unavailable):
        server.ping()
    assert server.breaker_state != "closed"


def regain(server: RedisServer) -> None:
    """Wait until the server is about to be tried again."""
    deadline = time.monotonic() + 30
    while server.breaker_state == "open":
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("asked", "given"),
    [(timedelta(seconds=10), 10_000), (timedelta(milliseconds=1500), 1500), (timedelta(hours=1), 60_000)],
)
def test_a_value_expires_after_its_ttl_and_after_a_minute_at_most(
    cache: RedisCache, redis: Redis, asked: timedelta, given: int
) -> None:
    begun = time.monotonic()
    put(cache, "leads", b"1", ttl=asked)

    (name,) = redis.keys("unite:cache:value:*")
    left = redis.pttl(name)
    # Redis counts by a clock of its own, which may be a moment ahead.
    passed = (time.monotonic() - begun) * 1000 + 50
    assert given - passed < left <= given


def test_every_key_of_the_cache_expires(cache: RedisCache, redis: Redis) -> None:
    put(cache, "leads", b"1")
    cache.invalidate(["leads"])
    put(cache, "leads", b"1")

    names = redis.keys("*")

    assert len(names) == 3
    assert all(redis.pttl(name) > 0 for name in names)


@pytest.mark.parametrize("token", ["unite:cache:token:leads", "unite:cache:everything"])
def test_an_evicted_token_does_not_make_old_tickets_valid_again(cache: RedisCache, redis: Redis, token: str) -> None:
    put(cache, "leads", b"1")
    before = cache.get("leads", "key").ticket
    assert before is not None

    redis.delete(token)
    cache.put("leads", "key", b"2", ticket=before, ttl=MAX_TTL)

    assert cache.get("leads", "key").value is None
    assert cache.get("leads", "key").ticket != before


def test_a_redis_without_memory_makes_every_lookup_a_miss_without_errors(cache: RedisCache, redis: Redis) -> None:
    redis.config_set("maxmemory", 1)

    look = cache.get("leads", "key")
    cache.put("leads", "key", b"1", ticket="00" * 32, ttl=MAX_TTL)
    cache.invalidate(["leads"])

    assert look == CacheLookup()


def test_during_an_outage_every_lookup_is_a_miss_without_errors(
    cache: RedisCache, server: RedisServer, own_redis: OwnRedis
) -> None:
    put(cache, "leads", b"1")
    ticket = cache.get("leads", "key").ticket
    assert ticket is not None
    own_redis.kill()

    for _ in range(3):
        assert cache.get("leads", "key") == CacheLookup()
        cache.put("leads", "key", b"1", ticket=ticket, ttl=MAX_TTL)
        cache.invalidate(["leads"])

    own_redis.start()
    regain(server)
    put(cache, "leads", b"2")
    assert found(cache, "leads") == b"2"


def test_an_invalidation_during_an_outage_takes_effect_before_the_next_read(
    cache: RedisCache, server: RedisServer, own_redis: OwnRedis
) -> None:
    put(cache, "leads", b"old")
    put(cache, "sessions", b"1")
    own_redis.freeze()
    lose(server)
    cache.invalidate(["leads"])

    own_redis.thaw()
    regain(server)

    assert found(cache, "leads") is None
    assert found(cache, "sessions") == b"1"
    assert server.breaker_state == "closed"


def test_an_invalidation_during_an_outage_is_sent_with_the_next_invalidation_too(
    cache: RedisCache, server: RedisServer, own_redis: OwnRedis
) -> None:
    elsewhere = RedisCache(reachable := server_at(own_redis.url, timeout=10), secret=SECRET, clock=SystemClock())
    put(elsewhere, "leads", b"old")
    own_redis.freeze()
    lose(server)
    cache.invalidate(["leads"])
    own_redis.thaw()
    assert found(elsewhere, "leads") == b"old"
    regain(server)

    cache.invalidate(["sessions"])

    assert found(elsewhere, "leads") is None
    reachable.close()


def test_too_many_pending_invalidations_invalidate_the_whole_cache(server: RedisServer, own_redis: OwnRedis) -> None:
    cache = RedisCache(server, secret=SECRET, clock=SystemClock(), max_pending=2)
    for namespace in ("first", "second", "third", "fourth"):
        put(cache, namespace, b"old")
    own_redis.freeze()
    lose(server)
    cache.invalidate(["first", "second"])
    cache.invalidate(["third"])
    assert len(cache._pending) == 1
    own_redis.thaw()
    regain(server)

    assert [found(cache, namespace) for namespace in ("first", "second", "third", "fourth")] == [None] * 4


def test_an_invalidation_that_becomes_pending_while_others_are_sent_stays_pending(own_redis: OwnRedis) -> None:
    class Interrupted(RedisServer):
        """A server during whose call another invalidation of the same namespace becomes pending."""

        def call(self, command: Callable[[Redis], T]) -> T:
            answer = super().call(command)
            if interruptions:
                cache._add_pending([interruptions.pop()])
            return answer

    interrupted = Interrupted(own_redis.url, policy(timeout=10))
    cache = RedisCache(interrupted, secret=SECRET, clock=SystemClock())
    interruptions: list[str] = []
    put(cache, "leads", b"old")
    interruptions.append("unite:cache:token:leads")

    cache.invalidate(["leads"])

    assert list(cache._pending) == ["unite:cache:token:leads"]
    put(cache, "leads", b"new")
    assert cache._pending == {}
    interrupted.close()
