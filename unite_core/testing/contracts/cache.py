"""Contract tests of the cache."""

from abc import abstractmethod
from datetime import timedelta

import pytest

from unite_core.cache import Cache, CacheEntryType
from unite_core.testing.contracts.database import run_concurrently

_TTL = timedelta(seconds=30)


class CacheContract:
    """Derive a test class with a fixture `cache`, empty at the start of each test. Expiry is not tested here."""

    @pytest.fixture
    @abstractmethod
    def cache(self) -> Cache:
        """Return the cache under test."""

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

    def test_an_old_ticket_does_not_become_valid_again(self, cache: Cache) -> None:
        tickets = []
        for _ in range(3):
            tickets.append(cache.get("leads", "first").ticket)
            cache.invalidate(["leads"])

        assert len({*tickets, cache.get("leads", "first").ticket}) == 4

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

    def test_invalidating_nothing_removes_nothing(self, cache: Cache) -> None:
        _put(cache, "leads", "first", b"1")

        cache.invalidate([])

        assert cache.get("leads", "first").value == b"1"

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


def _put(cache: Cache, namespace: str, key: str, value: bytes) -> None:
    ticket = cache.get(namespace, key).ticket
    assert ticket is not None
    cache.put(namespace, key, value, ticket=ticket, ttl=_TTL)
