"""Broken caches."""

import unicodedata
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from tests.contracts.broken.making import Port, doing_nothing, returning, with_methods
from unite_core.cache import MAX_TTL, Cache, CacheLookup, NoCache
from unite_core.clock import Clock
from unite_core.testing.contracts import CacheContract
from unite_core.testing.in_memory import FixedClock, InMemoryCache


class CacheWithServer(InMemoryCache):
    """A cache in memory with a server that can be unavailable; invalidations are pending meanwhile."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.away = False

    def get(self, namespace: str, key: str) -> CacheLookup:
        return CacheLookup() if self.away else super().get(namespace, key)

    def put(self, namespace: str, key: str, value: bytes, *, ticket: str, ttl: timedelta) -> None:
        if not self.away:
            super().put(namespace, key, value, ticket=ticket, ttl=ttl)


def suite(make: Callable[[Clock], Cache]) -> type:
    class Suite(CacheContract):
        @pytest.fixture
        def cache(self, clock: FixedClock) -> Cache:
            return make(clock)

        @pytest.fixture
        def outage(self, cache: Any) -> AbstractContextManager[None]:
            @contextmanager
            def outage() -> Iterator[None]:
                cache.away = True
                yield
                cache.away = False

            return outage()

    return Suite


def _named(rename: Callable[[str, str], tuple[str, str]]) -> Any:
    """Return a cache that stores a value under other names than those that it is given."""

    def get(self: Any, namespace: str, key: str) -> CacheLookup:
        return CacheWithServer.get(self, *rename(namespace, key))

    def put(self: Any, namespace: str, key: str, value: bytes, *, ticket: str, ttl: timedelta) -> None:
        CacheWithServer.put(self, *rename(namespace, key), value, ticket=ticket, ttl=ttl)

    def invalidate(self: Any, namespaces: Collection[str]) -> None:
        CacheWithServer.invalidate(self, [rename(namespace, "")[0] for namespace in namespaces])

    return with_methods(CacheWithServer, get=get, put=put, invalidate=invalidate)


def _put(change: Callable[..., dict[str, Any]]) -> Any:
    """Return a cache that puts something else than what it is given."""

    def put(self: Any, namespace: str, key: str, value: bytes, *, ticket: str, ttl: timedelta) -> None:
        changed: dict[str, Any] = {"value": value, "ticket": ticket, "ttl": ttl} | change(
            self, namespace, value, ticket, ttl
        )
        CacheWithServer.put(self, namespace, key, changed["value"], ticket=changed["ticket"], ttl=changed["ttl"])

    return with_methods(CacheWithServer, put=put)


def _invalidating(choose: Callable[[Any, list[str]], Collection[str]]) -> Any:
    """Return a cache that invalidates other namespaces than those that it is given."""
    return with_methods(
        CacheWithServer,
        invalidate=lambda self, namespaces: CacheWithServer.invalidate(self, choose(self, [*namespaces])),
    )


def _raising(name: str) -> Any:
    original = getattr(CacheWithServer, name)

    def call(self: Any, *given: Any, **named: Any) -> Any:
        if self.away:
            raise ConnectionError("Connection refused.")
        return original(self, *given, **named)

    return with_methods(CacheWithServer, **{name: call})


class _Prolonging(CacheWithServer):
    def get(self, namespace: str, key: str) -> CacheLookup:
        found = super().get(namespace, key)
        if found.value is not None and found.ticket is not None:
            self.put(namespace, key, found.value, ticket=found.ticket, ttl=timedelta(seconds=30))
        return found


class _UnboundedTtl(CacheWithServer):
    def put(self, namespace: str, key: str, value: bytes, *, ticket: str, ttl: timedelta) -> None:
        self._values[namespace, key] = (ticket, value, self._clock.now() + ttl)


class _Alternating(CacheWithServer):
    """Its tickets are two that alternate."""

    def get(self, namespace: str, key: str) -> CacheLookup:
        self._tickets[namespace] = str(int(self._turns.get(namespace, 0)) % 2)
        return super().get(namespace, key)

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._turns: dict[str, int] = {}

    def invalidate(self, namespaces: Collection[str]) -> None:
        super().invalidate(namespaces)
        for namespace in namespaces:
            self._turns[namespace] = self._turns.get(namespace, 0) + 1


class _Forgetful(_Alternating):
    """Its tickets count from the beginning again after ten minutes without an invalidation."""

    def get(self, namespace: str, key: str) -> CacheLookup:
        turn, at = self._counted.get(namespace, (0, self._clock.now()))
        if self._clock.now() - at > 10 * MAX_TTL:
            turn = 0
        self._tickets[namespace] = str(turn)
        return InMemoryCache.get(self, namespace, key) if not self.away else CacheLookup()

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._counted: dict[str, tuple[int, Any]] = {}

    def invalidate(self, namespaces: Collection[str]) -> None:
        for namespace in namespaces:
            self._counted[namespace] = (self._counted.get(namespace, (0, None))[0] + 1, self._clock.now())


class _Deleting(CacheWithServer):
    """Invalidates by deleting values, and has no tickets."""

    def get(self, namespace: str, key: str) -> CacheLookup:
        self._tickets[namespace] = "always"
        return super().get(namespace, key)

    def invalidate(self, namespaces: Collection[str]) -> None:
        for name in [name for name in self._values if name[0] in namespaces]:
            del self._values[name]


class _OneTicketPerLookup(CacheWithServer):
    def get(self, namespace: str, key: str) -> CacheLookup:
        found = super().get(namespace, key)
        if found.value is None:
            self._tickets.pop(namespace, None)
            found = super().get(namespace, key)
        return found


PORT = Port(
    name="Cache",
    suite=suite,
    right=CacheWithServer,
    broken={
        "it stores nothing": lambda _: NoCache(),
        "put does nothing": doing_nothing(CacheWithServer, "put"),
        "invalidate does nothing": doing_nothing(CacheWithServer, "invalidate"),
        "a stale value is put with the ticket of a later lookup": _put(
            lambda self, namespace, *_: {"ticket": self._tickets.get(namespace, "none")}
        ),
        "invalidating deletes values, and old tickets stay valid": _Deleting,
        "old tickets become valid again": _Alternating,
        "old tickets become valid again after ten minutes": _Forgetful,
        "a lookup makes the tickets of other lookups invalid": _OneTicketPerLookup,
        "the first namespace alone is invalidated": _invalidating(lambda _, names: names[:1]),
        "the last namespace alone is invalidated": _invalidating(lambda _, names: names[-1:]),
        "at most a hundred namespaces are invalidated": _invalidating(lambda _, names: names[:100]),
        "namespaces are invalidated by their beginning": _invalidating(
            lambda self, names: [known for known in self._tickets if any(known.startswith(it) for it in names)]
        ),
        "names are patterns in an invalidation": _invalidating(
            lambda self, names: [
                known for known in self._tickets for it in names if known == it or known.startswith(it.rstrip("*"))
            ]
        ),
        "invalidating nothing invalidates everything": _invalidating(lambda self, names: names or [*self._tickets]),
        "values may live for days": _UnboundedTtl,
        "values never expire at all": with_methods(
            _UnboundedTtl,
            put=lambda self, namespace, key, value, *, ticket, ttl: _UnboundedTtl.put(  # noqa: ARG005 - that is broken
                self, namespace, key, value, ticket=ticket, ttl=timedelta(days=9)
            ),
        ),
        "values live twice as long": _put(lambda _, __, ___, ____, ttl: {"ttl": 2 * ttl}),
        "every value lives for the maximum": _put(lambda *_: {"ttl": MAX_TTL}),
        "values live half as long": _put(lambda _, __, ___, ____, ttl: {"ttl": ttl / 2}),
        "every value expires after a moment": _put(lambda *_: {"ttl": timedelta(seconds=1)}),
        "a lookup prolongs the life of a value": _Prolonging,
        "a value put again expires as the one before": with_methods(
            CacheWithServer,
            put=lambda self, namespace, key, value, *, ticket, ttl: (
                CacheWithServer.put(self, namespace, key, value, ticket=ticket, ttl=ttl)
                if (namespace, key) not in self._values
                else self._values.__setitem__((namespace, key), (ticket, value, self._values[namespace, key][2]))
            ),
        ),
        "the namespace is ignored": _named(lambda _, key: ("", key)),
        "the key is ignored": _named(lambda namespace, _: (namespace, "")),
        "namespace and key are joined": with_methods(
            CacheWithServer,
            get=lambda self, namespace, key: CacheWithServer.get(self, "all", f"{namespace}:{key}"),
            put=lambda self, namespace, key, value, *, ticket, ttl: CacheWithServer.put(
                self, "all", f"{namespace}:{key}", value, ticket=ticket, ttl=ttl
            ),
            invalidate=lambda self, namespaces: [
                self._values.pop(name) for name in [*self._values] for it in namespaces if name[1].startswith(f"{it}:")
            ],
        ),
        "names are cut": _named(lambda namespace, key: (namespace[:250], key[:250])),
        "keys are cut": _named(lambda namespace, key: (namespace, key[:1024])),
        "names are compared without case": _named(lambda namespace, key: (namespace.lower(), key.lower())),
        "names are stripped": _named(lambda namespace, key: (namespace.strip(), key.strip())),
        "names are normalized": _named(lambda namespace, key: (unicodedata.normalize("NFC", namespace), key)),
        "names are ASCII": _named(lambda namespace, key: (namespace, key.encode("ascii").decode())),
        "times are rounded up to seconds": _put(
            lambda _, __, ___, ____, ttl: {"ttl": timedelta(seconds=-(-ttl // timedelta(seconds=1)))}
        ),
        "times are rounded up to minutes": _put(
            lambda _, __, ___, ____, ttl: {"ttl": timedelta(minutes=-(-ttl // timedelta(minutes=1)))}
        ),
        "times are rounded down to seconds": _put(
            lambda _, __, ___, ____, ttl: {"ttl": timedelta(seconds=ttl // timedelta(seconds=1))}
        ),
        "values are stripped": _put(lambda _, __, value, *___: {"value": value.strip()}),
        "values are texts": _put(lambda _, __, value, *___: {"value": value.decode("utf-8", "replace").encode()}),
        "values end at a zero": _put(lambda _, __, value, *___: {"value": value.partition(b"\0")[0]}),
        "values are cut": _put(lambda _, __, value, *___: {"value": value[:65_535]}),
        "an empty value counts as none": returning(
            CacheWithServer, "get", lambda found: CacheLookup(found.value or None, found.ticket)
        ),
        "a value counts as there by its key alone": returning(
            CacheWithServer, "get", lambda found: CacheLookup(found.value or b"", found.ticket)
        ),
        "lookups have no ticket": returning(CacheWithServer, "get", lambda found: CacheLookup(found.value)),
        "a lookup raises without the server": _raising("get"),
        "put raises without the server": _raising("put"),
        "invalidate raises without the server": _raising("invalidate"),
        "what is invalidated without the server is lost": with_methods(
            CacheWithServer,
            invalidate=lambda self, names: None if self.away else CacheWithServer.invalidate(self, names),
        ),
    },
)
