"""Tests of cached values: computed once, and again if they are missing, unreadable or invalidated."""

from datetime import timedelta

import pytest

from unite_core.cache import CacheEntryType, NoCache
from unite_core.errors import NotFound
from unite_core.testing.in_memory import FixedClock, InMemoryCache

NUMBERS = CacheEntryType[int](lambda number: {"number": number}, lambda plain: int(plain["number"]))


@pytest.fixture
def cache() -> InMemoryCache:
    return InMemoryCache(FixedClock())


def test_a_value_is_computed_once(cache: InMemoryCache) -> None:
    numbers = iter([1, 2])

    got = [NUMBERS.get(cache, "numbers", "first", lambda: next(numbers)) for _ in range(2)]

    assert got == [1, 1]


def test_without_a_cache_a_value_is_computed_each_time() -> None:
    cache = NoCache()
    numbers = iter([1, 2])
    cache.put("numbers", "first", b'{"number":3}', ticket="", ttl=timedelta(seconds=1))
    cache.invalidate(["numbers"])

    got = [NUMBERS.get(cache, "numbers", "first", lambda: next(numbers)) for _ in range(2)]

    assert got == [1, 2]


@pytest.mark.parametrize("value", [b"", b"\xff", b"{}", b"[]", b"null", b'{"number":"one"}', b'{"number":null}'])
def test_an_unreadable_value_is_computed_and_stored_again(cache: InMemoryCache, value: bytes) -> None:
    ticket = cache.get("numbers", "first").ticket
    assert ticket is not None
    cache.put("numbers", "first", value, ticket=ticket, ttl=timedelta(seconds=10))

    assert NUMBERS.get(cache, "numbers", "first", lambda: 1) == 1
    assert cache.get("numbers", "first").value == b'{"number":1}'


def test_an_error_is_not_cached(cache: InMemoryCache) -> None:
    def fail() -> int:
        raise NotFound("There is no such number.")

    with pytest.raises(NotFound):
        NUMBERS.get(cache, "numbers", "first", fail)

    assert NUMBERS.get(cache, "numbers", "first", lambda: 1) == 1


def test_a_value_that_is_invalidated_while_it_is_computed_is_not_cached(cache: InMemoryCache) -> None:
    def read_before_a_change() -> int:
        cache.invalidate(["numbers"])
        return 1

    assert NUMBERS.get(cache, "numbers", "first", read_before_a_change) == 1
    assert NUMBERS.get(cache, "numbers", "first", lambda: 2) == 2


def test_a_value_is_cached_for_its_ttl() -> None:
    clock = FixedClock()
    cache = InMemoryCache(clock)
    short = CacheEntryType(NUMBERS.to_plain, NUMBERS.from_plain, ttl=timedelta(seconds=10))
    short.get(cache, "numbers", "first", lambda: 1)

    clock.advance(timedelta(seconds=9))
    assert short.get(cache, "numbers", "first", lambda: 2) == 1
    clock.advance(timedelta(seconds=1))
    assert short.get(cache, "numbers", "first", lambda: 2) == 2
