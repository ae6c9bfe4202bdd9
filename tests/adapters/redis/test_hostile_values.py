"""Tests of values that somebody else wrote to Redis: the cache ignores them, and rate limits lock nobody out."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis import Redis

from adapters.rate_limits import LocalRateLimits
from adapters.redis.cache import RedisCache
from adapters.redis.connection import RedisServer
from adapters.redis.rate_limits import RedisRateLimits
from tests.adapters.redis.conftest import server_at
from unite_core.cache import MAX_TTL, CacheLookup
from unite_core.testing.in_memory import FixedClock

SECRET = b"known to the processes of one installation"
FOR_EVER = json.dumps("9999-12-31T23:59:59+00:00").encode()


@pytest.fixture
def server(redis_url: str) -> Iterator[RedisServer]:
    server = server_at(redis_url, timeout=10)
    yield server
    server.close()


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
        yield redis


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def cache(server: RedisServer, clock: FixedClock) -> RedisCache:
    return RedisCache(server, secret=SECRET, clock=clock)


def put(cache: RedisCache, value: bytes, key: str = "session", namespace: str = "sessions:ann") -> None:
    ticket = cache.get(namespace, key).ticket
    assert ticket is not None
    cache.put(namespace, key, value, ticket=ticket, ttl=timedelta(seconds=10))


def found(cache: RedisCache, key: str = "session", namespace: str = "sessions:ann") -> bytes | None:
    return cache.get(namespace, key).value


NAME = "unite:cache:value:sessions:ann:session"


def stored(redis: Redis, name: str = NAME) -> bytes:
    value = redis.get(name)
    assert isinstance(value, bytes)
    return value


def test_a_value_with_a_foreign_signature_is_a_miss(cache: RedisCache, redis: Redis) -> None:
    put(cache, b"1")
    current = stored(redis)[:32]

    for forged in (FOR_EVER, b"\0" * 40 + FOR_EVER, b"", b"\0" * 32, stored(redis)[32:-1] + b"2"):
        redis.set(NAME, current + forged)
        assert found(cache) is None


def test_a_value_with_any_bit_changed_is_a_miss(cache: RedisCache, redis: Redis) -> None:
    put(cache, b"1")
    good = stored(redis)

    for place in range(len(good)):
        redis.set(NAME, good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        assert found(cache) is None
    redis.set(NAME, good)
    assert found(cache) == b"1"


def test_a_value_copied_from_another_key_is_a_miss(cache: RedisCache, redis: Redis) -> None:
    put(cache, b"1")
    put(cache, b"2", key="other")

    redis.set(NAME, stored(redis, "unite:cache:value:sessions:ann:other"))

    assert found(cache) is None


def test_an_invalidated_value_that_is_written_back_is_valid_for_the_rest_of_its_ttl_at_most(
    cache: RedisCache, redis: Redis, clock: FixedClock
) -> None:
    put(cache, b"1")
    old = {name: stored(redis, name.decode()) for name in redis.scan_iter("unite:cache:*")}
    cache.invalidate(["sessions:ann"])
    assert found(cache) is None
    clock.advance(timedelta(seconds=10))

    for name, value in old.items():
        redis.set(name, value)

    assert found(cache) is None


def test_a_value_of_another_installation_is_a_miss(cache: RedisCache, server: RedisServer, clock: FixedClock) -> None:
    put(RedisCache(server, secret=b"another one", clock=clock), b"1")

    assert found(cache) is None


@pytest.mark.parametrize("name", [NAME, "unite:cache:token:sessions:ann", "unite:cache:everything"])
def test_a_cache_key_of_another_redis_type_is_a_miss(cache: RedisCache, redis: Redis, name: str) -> None:
    redis.rpush(name, "a list")

    look = cache.get("sessions:ann", "session")

    assert look.value is None
    if look != CacheLookup():
        cache.put("sessions:ann", "session", b"1", ticket=look.ticket or "", ttl=MAX_TTL)


@pytest.mark.parametrize(
    "planted",
    [
        {"begun": "9" * 15, "hits": "9" * 15},
        {"begun": "-1", "hits": "9" * 15},
        {"begun": "nan", "hits": "5"},
        {"begun": "inf", "hits": "5"},
        {"hits": "5"},
        {"begun": "soon", "hits": "many"},
        {"begun": "0", "hits": "-5"},
    ],
)
def test_a_counter_with_a_foreign_value_counts_nothing(
    server: RedisServer, redis: Redis, clock: FixedClock, planted: dict[str, str]
) -> None:
    limits = RedisRateLimits(server, clock, LocalRateLimits(clock))
    now = int(clock.now().timestamp() * 1000)
    for key, hits in (("ann", planted.get("hits")), ("ben", "-5"), ("cid", "nan")):
        begun = planted.get("begun", "") if key == "ann" else str(now)
        redis.hset(f"unite:limit:{key}", mapping={"begun": begun, "hits": hits or ""})

        passed = [limits.hit(key, 2).allowed for _ in range(3)]

        assert passed == [True, True, False]


def test_a_counter_of_another_redis_type_counts_locally(server: RedisServer, redis: Redis, clock: FixedClock) -> None:
    limits = RedisRateLimits(server, clock, LocalRateLimits(clock))
    redis.set("unite:limit:ann", "a text")

    assert [limits.hit("ann", 2).allowed for _ in range(3)] == [True, True, False]
