"""Port of the cache, a cache that stores nothing, and typed entries that are computed if they are not cached."""

import json
from abc import abstractmethod
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar

from unite_core.checks import Checked

T = TypeVar("T")

MAX_TTL = timedelta(seconds=60)
"""The longest time for which an outdated value can be served, if the cache was unreachable when it changed."""


@dataclass(frozen=True, slots=True)
class CacheLookup(Checked):
    """The result of a cache lookup: `value` is None if there is none.

    `ticket` is passed to `put` with the value that is computed instead; None if it cannot be stored.
    """

    value: bytes | None = field(default=None, repr=False)
    ticket: str | None = None


class Cache(Protocol):
    """Stores computed values for a short time. It may drop anything at any time, and it never fails.

    Values that change together share a namespace.
    """

    @abstractmethod
    def get(self, namespace: str, key: str) -> CacheLookup:
        """Return the value under this key of the namespace, unless it has expired or was invalidated.

        Call `get` before reading the data that the value is computed from: its ticket tells `put` how old that data is.
        """

    @abstractmethod
    def put(self, namespace: str, key: str, value: bytes, *, ticket: str, ttl: timedelta) -> None:
        """Store the value for `ttl`, at most `MAX_TTL`.

        It is not returned later if the namespace was invalidated after the lookup that gave the ticket.
        """

    @abstractmethod
    def invalidate(self, namespaces: Collection[str]) -> None:
        """Invalidate everything in these namespaces, and everything that is put there with an older ticket.

        Call it after a change is committed and before anybody is informed of it. From then on, lookups through the same
        object return nothing old; lookups elsewhere may, until the entry expires, if the cache is unreachable.
        """


class NoCache(Cache):
    """A cache that stores nothing: for a single process beside its database, which is quick enough."""

    def get(self, namespace: str, key: str) -> CacheLookup:  # noqa: ARG002 - the lookup never succeeds
        return CacheLookup()

    def put(self, namespace: str, key: str, value: bytes, *, ticket: str, ttl: timedelta) -> None:
        pass

    def invalidate(self, namespaces: Collection[str]) -> None:
        pass


@dataclass(frozen=True)
class CacheEntryType(Generic[T]):
    """A cached kind of value: its conversion to and from plain values that JSON has, and its time to live."""

    to_plain: Callable[[T], object]
    from_plain: Callable[[Any], T]
    ttl: timedelta = MAX_TTL

    def get(self, cache: Cache, namespace: str, key: str, compute: Callable[[], T]) -> T:
        """Return the value from the cache, or else the result of `compute`, which is then cached.

        An exception from `compute` passes through and nothing is cached. A value that cannot be read, because another
        version of Unite stored it, counts as none.
        """
        return self.slot(cache, namespace, key).get(compute)

    def slot(self, cache: Cache, namespace: str, key: str) -> "CacheSlot[T]":
        """Return the cached value, if there is one, and a function to store it.

        Call this before reading the data from which the value is computed. To get several values as they were at one
        moment, read the slots of all of them, and if one is missing compute all of them.
        """
        lookup = cache.get(namespace, key)
        cached: T | None = None
        if lookup.value is not None:
            # A value that cannot be read is computed and stored again.
            with suppress(ValueError, LookupError, TypeError, AttributeError):
                cached = self.from_plain(json.loads(lookup.value))

        def put(value: T) -> None:
            if lookup.ticket is not None:
                encoded = json.dumps(self.to_plain(value), separators=(",", ":")).encode()
                cache.put(namespace, key, encoded, ticket=lookup.ticket, ttl=self.ttl)

        return CacheSlot(cached, put)


@dataclass(frozen=True, slots=True)
class CacheSlot(Generic[T]):
    """A place for one value in a cache: `found` is the value, None if there is none; `put` stores it."""

    found: T | None
    put: Callable[[T], None]

    def get(self, compute: Callable[[], T]) -> T:
        """Return the cached value, or else the result of `compute`, which is then cached."""
        if self.found is not None:
            return self.found
        value = compute()
        self.put(value)
        return value
