"""Contract tests of the cache."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from unite_core.cache import MAX_TTL, Cache, CacheEntryType
from unite_core.testing.contracts.database import run_concurrently
from unite_core.testing.contracts.missing import missing_fixture
from unite_core.testing.in_memory.clock_and_ids import FixedClock

_TTL = timedelta(seconds=30)
_STEP = timedelta(seconds=10)

SIMILAR_NAMES = [
    ("a:b", "c"),
    ("a", "b:c"),
    ("a", "c"),
    ("A", "c"),
    ("a ", "c"),
    ("a", " c"),
    ("a*", "c"),
    ("é", "c"),
    ("e\u0301", "c"),
    ("", "ac"),
    ("ac", ""),
    ("n" * 300 + "1", "c"),
    ("n" * 300 + "2", "c"),
    ("a", "k" * 2000 + "1"),
    ("a", "k" * 2000 + "2"),
]
"""Pairs of a namespace and a key that are alike; some are the same text if they are joined."""


class CacheContract:
    """Derive a test class with fixtures `cache`, empty at the start of each test, and `outage`.

    A cache that does not go by the fixture `clock` needs `pass_time` too.
    """

    @pytest.fixture
    def clock(self) -> FixedClock:
        """Return the clock of `cache`."""
        return FixedClock()

    @pytest.fixture
    def cache(self) -> Cache:
        """Return the cache under test."""
        raise missing_fixture(self, "cache", "the `Cache` under test, empty at the start of each test")

    @pytest.fixture
    def pass_time(self, clock: FixedClock) -> Callable[[timedelta], None]:
        """Return a function that lets so much time pass for `cache`; by default it moves `clock`."""
        return clock.advance

    @pytest.fixture
    def outage(self) -> AbstractContextManager[object] | None:
        """Return a context manager inside which the server of `cache` does not respond; None if it has no server."""
        what = "a context manager inside which the server of `cache` fails at every call, or None if it has no server"
        raise missing_fixture(self, "outage", what)

    def test_a_value_is_returned_for_its_namespace_and_key(self, cache: Cache) -> None:
        _put(cache, "leads", "first", b"1")
        _put(cache, "leads", "second", b"2")
        _put(cache, "sessions", "first", b"3")

        values = [cache.get(*place).value for place in (("leads", "first"), ("leads", "second"), ("sessions", "first"))]

        assert values == [b"1", b"2", b"3"]

    def test_an_unknown_key_has_no_value(self, cache: Cache) -> None:
        _put(cache, "leads", "first", b"1")

        assert cache.get("leads", "second").value is None
        assert cache.get("sessions", "first").value is None

    def test_a_cached_value_is_replaced_with_the_ticket_of_its_read(self, cache: Cache) -> None:
        _put(cache, "leads", "first", b"cannot be read")
        _put(cache, "leads", "first", b"1")

        assert cache.get("leads", "first").value == b"1"

    @pytest.mark.parametrize("value", [b"", bytes(range(256)), b"\r\n" * 50_000], ids=["none", "all", "many"])
    def test_any_bytes_come_back_unchanged(self, cache: Cache, value: bytes) -> None:
        _put(cache, "leads", "first", value)

        assert cache.get("leads", "first").value == value

    def test_names_are_any_text(self, cache: Cache) -> None:
        names = ["", "a:b", "a\nb", "Zoë 小明", "\udc80"]
        for name in names:
            _put(cache, name, name, name.encode("utf-8", "surrogatepass"))

        assert [cache.get(name, name).value for name in names] == [
            name.encode("utf-8", "surrogatepass") for name in names
        ]

    def test_no_name_finds_the_value_of_a_similar_one(self, cache: Cache) -> None:
        for number, (namespace, key) in enumerate(SIMILAR_NAMES):
            assert cache.get(namespace, key).value is None
            _put(cache, namespace, key, str(number).encode())
            assert cache.get(namespace, key).value == str(number).encode()

        # A cache may drop a value at any time, but never return another one.
        for number, (namespace, key) in enumerate(SIMILAR_NAMES):
            assert cache.get(namespace, key).value in (None, str(number).encode())

    def test_an_invalidation_leaves_similar_namespaces(self, cache: Cache) -> None:
        similar = ["lead", "leads", "lead:1", "lead:10", "lead*", "Lead:1", "lead:1 "]
        for namespace in similar:
            _put(cache, namespace, "first", namespace.encode())

        cache.invalidate(["lead:1", "lead*", "le"])

        left = [cache.get(namespace, "first").value for namespace in similar]
        assert left == [b"lead", b"leads", None, b"lead:10", None, b"Lead:1", b"lead:1 "]

    def test_a_value_that_was_put_before_an_invalidation_is_not_returned(self, cache: Cache) -> None:
        _put(cache, "leads", "first", b"1")
        _put(cache, "leads", "second", b"2")

        cache.invalidate(["leads"])

        assert [cache.get("leads", key).value for key in ("first", "second")] == [None, None]

    def test_a_value_that_is_put_with_an_old_ticket_is_not_returned(self, cache: Cache) -> None:
        before = cache.get("leads", "first").ticket
        cache.invalidate(["leads"])
        assert before is not None

        cache.put("leads", "first", b"old", ticket=before, ttl=_TTL)

        assert cache.get("leads", "first").value is None

    def test_a_value_that_is_put_with_an_old_ticket_after_another_lookup_is_not_returned(self, cache: Cache) -> None:
        stale = [_ticket(cache, "leads", "first")]
        for number in range(3):
            _put(cache, "leads", "first", b"before")
            cache.invalidate(["leads"])
            fresh = _ticket(cache, "leads", "first")
            for ticket in stale:
                for key in ("first", "never looked up"):
                    cache.put("leads", key, b"stale", ticket=ticket, ttl=_TTL)
                    assert cache.get("leads", key).value is None
            cache.put("leads", "first", str(number).encode(), ticket=fresh, ttl=_TTL)
            assert cache.get("leads", "first").value == str(number).encode()
            for ticket in stale:
                cache.put("leads", "first", b"stale", ticket=ticket, ttl=_TTL)
                assert cache.get("leads", "first").value in (None, str(number).encode())
            stale.append(fresh)

    def test_an_old_ticket_does_not_become_valid_again(self, cache: Cache) -> None:
        tickets = []
        for _ in range(3):
            tickets.append(cache.get("leads", "first").ticket)
            cache.invalidate(["leads"])

        assert len({*tickets, cache.get("leads", "first").ticket}) == 4

    def test_an_old_ticket_stays_invalid_however_late_it_is_used(
        self, cache: Cache, pass_time: Callable[[timedelta], None]
    ) -> None:
        stale = _ticket(cache, "leads", "first")
        cache.invalidate(["leads"])

        for pause in (timedelta(), MAX_TTL, 20 * MAX_TTL, timedelta(days=2)):
            pass_time(pause)
            cache.get("leads", "first")
            cache.put("leads", "first", b"stale", ticket=stale, ttl=_TTL)
            assert cache.get("leads", "first").value is None

    def test_a_value_that_is_put_after_an_invalidation_is_returned(self, cache: Cache) -> None:
        _put(cache, "leads", "first", b"old")
        cache.invalidate(["leads"])

        _put(cache, "leads", "first", b"new")

        assert cache.get("leads", "first").value == b"new"

    def test_several_namespaces_are_invalidated_together(self, cache: Cache) -> None:
        for namespace in ("leads", "lead:1", "lead:2", "sessions"):
            _put(cache, namespace, "first", namespace.encode())

        cache.invalidate({"leads", "lead:1", "never looked into"})

        values = [cache.get(namespace, "first").value for namespace in ("leads", "lead:1", "lead:2", "sessions")]
        assert values == [None, None, b"lead:2", b"sessions"]

    def test_many_namespaces_are_invalidated_together(self, cache: Cache) -> None:
        namespaces = [f"lead:{number}" for number in range(200)]
        for namespace in namespaces:
            _put(cache, namespace, "first", b"1")

        cache.invalidate(namespaces)

        assert {cache.get(namespace, "first").value for namespace in namespaces} == {None}

    def test_invalidating_nothing_removes_nothing(self, cache: Cache) -> None:
        _put(cache, "leads", "first", b"1")

        cache.invalidate([])

        assert cache.get("leads", "first").value == b"1"

    def test_each_value_expires_after_its_own_ttl(self, cache: Cache, pass_time: Callable[[timedelta], None]) -> None:
        _put(cache, "leads", "short", b"1", ttl=3 * _STEP)
        _put(cache, "leads", "long", b"2", ttl=5 * _STEP)

        def found() -> list[bytes | None]:
            return [cache.get("leads", key).value for key in ("short", "long")]

        # The lookups in between do not prolong anything.
        pass_time(2 * _STEP)
        assert found() == [b"1", b"2"]
        pass_time(_STEP)
        assert found() == [None, b"2"]
        pass_time(2 * _STEP)
        assert found() == [None, None]

    def test_a_ttl_is_kept_to_a_fraction_of_a_second(
        self, cache: Cache, pass_time: Callable[[timedelta], None]
    ) -> None:
        _put(cache, "leads", "first", b"1", ttl=timedelta(seconds=10.5))

        pass_time(timedelta(seconds=10.4))
        assert cache.get("leads", "first").value == b"1"
        pass_time(timedelta(seconds=0.1))
        assert cache.get("leads", "first").value is None

    @pytest.mark.parametrize("ttl", [MAX_TTL + timedelta(seconds=1), timedelta(hours=1), timedelta(days=9)], ids=str)
    def test_no_value_lives_longer_than_the_maximum(
        self, cache: Cache, pass_time: Callable[[timedelta], None], ttl: timedelta
    ) -> None:
        _put(cache, "leads", "first", b"1", ttl=ttl)

        pass_time(MAX_TTL - _STEP)
        assert cache.get("leads", "first").value == b"1"
        pass_time(_STEP)
        assert cache.get("leads", "first").value is None

    def test_a_value_that_is_stored_again_expires_later(
        self, cache: Cache, pass_time: Callable[[timedelta], None]
    ) -> None:
        _put(cache, "leads", "first", b"1", ttl=3 * _STEP)
        pass_time(2 * _STEP)
        _put(cache, "leads", "first", b"2", ttl=3 * _STEP)

        pass_time(2 * _STEP)
        assert cache.get("leads", "first").value == b"2"
        pass_time(_STEP)
        assert cache.get("leads", "first").value is None

    def test_an_expired_value_can_be_stored_again(self, cache: Cache, pass_time: Callable[[timedelta], None]) -> None:
        _put(cache, "leads", "first", b"1")
        pass_time(2 * MAX_TTL)

        _put(cache, "leads", "first", b"2")

        assert cache.get("leads", "first").value == b"2"

    def test_nothing_fails_without_the_server(
        self, cache: Cache, outage: AbstractContextManager[object] | None
    ) -> None:
        ticket = _ticket(cache, "leads", "first")
        if outage is None:
            return

        with outage:
            assert cache.get("leads", "second").value is None
            cache.put("leads", "first", b"1", ticket=ticket, ttl=_TTL)
            cache.invalidate([])
            cache.invalidate(["sessions", "never looked into"])

    def test_what_was_invalidated_without_the_server_is_not_returned(
        self, cache: Cache, outage: AbstractContextManager[object] | None
    ) -> None:
        _put(cache, "leads", "first", b"old")
        stale = _ticket(cache, "leads", "first")
        if outage is None:
            return

        with outage:
            cache.invalidate(["leads"])
            assert cache.get("leads", "first").value is None

        assert cache.get("leads", "first").value is None
        cache.put("leads", "first", b"stale", ticket=stale, ttl=_TTL)
        assert cache.get("leads", "first").value is None

    def test_concurrent_reads_get_valid_tickets(self, cache: Cache) -> None:
        tickets = run_concurrently(8, lambda _: cache.get("leads", "first").ticket)

        for number, ticket in enumerate(tickets):
            assert ticket is not None
            cache.put("leads", str(number), b"1", ticket=ticket, ttl=_TTL)
        assert [cache.get("leads", str(number)).value for number in range(8)] == [b"1"] * 8

    def test_a_value_that_was_invalidated_before_a_read_is_not_returned(self, cache: Cache) -> None:
        truth = [0]
        numbers = CacheEntryType[int](int, int)

        def write_and_read(number: int) -> list[tuple[int, int]]:
            seen = []
            for _ in range(30):
                if number == 0:
                    truth[0] += 1
                    cache.invalidate(["leads"])
                    minimum = truth[0]
                else:
                    minimum = 0
                seen.append((minimum, numbers.get(cache, "leads", "first", lambda: truth[0])))
            return seen

        assert [seen for some in run_concurrently(4, write_and_read) for seen in some if seen[1] < seen[0]] == []


def _ticket(cache: Cache, namespace: str, key: str) -> str:
    ticket = cache.get(namespace, key).ticket
    assert ticket is not None
    return ticket


def _put(cache: Cache, namespace: str, key: str, value: bytes, *, ttl: timedelta = _TTL) -> None:
    cache.put(namespace, key, value, ticket=_ticket(cache, namespace, key), ttl=ttl)
