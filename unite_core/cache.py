"""What was worked out a moment ago is not worked out again, and is never shown once it is no longer so."""

import json
from abc import abstractmethod
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")

MAX_TTL = timedelta(seconds=60)
"""For this long at the most something old can be shown, when the cache was out of reach of whoever changed it."""


@dataclass(frozen=True, slots=True)
class CacheLookup:
    """What a look into the cache found: `value` is None where that was nothing.

    `ticket` is handed to `put` with what is worked out instead; None where there is nowhere to put it.
    """

    value: bytes | None = None
    ticket: str | None = None


class Cache(Protocol):
    """Holds for a short time what was worked out. It may forget anything at any time, and it never fails.

    What changes together shares a namespace.
    """

    @abstractmethod
    def look(self, namespace: str, key: str) -> CacheLookup:
        """What was put under this key of the namespace, unless it has run out or was forgotten.

        Look first, and then read what the value is worked out from: the ticket tells `put` from when that is.
        """

    @abstractmethod
    def put(self, namespace: str, key: str, value: bytes, *, ticket: str, ttl: timedelta) -> None:
        """Hold the value for up to `ttl`, which is cut to `MAX_TTL`.

        It is not found where the namespace was forgotten after the look that gave the ticket.
        """

    @abstractmethod
    def forget(self, namespaces: Collection[str]) -> None:
        """Find nothing any more of what was put into these namespaces, nor of what is put there with an older ticket.

        Call it once a change is committed and before anybody is told of it. Whoever looks through the same object
        finds nothing old from then on; others may, for as long as its lifetime, where the cache is out of reach.
        """


class NoCache(Cache):
    """Finds nothing and keeps nothing: for a single process beside its database, which is quick enough."""

    def look(self, namespace: str, key: str) -> CacheLookup:  # noqa: ARG002 - whatever is looked for, it is not here
        return CacheLookup()

    def put(self, namespace: str, key: str, value: bytes, *, ticket: str, ttl: timedelta) -> None:
        pass

    def forget(self, namespaces: Collection[str]) -> None:
        pass


@dataclass(frozen=True)
class CacheEntryType(Generic[T]):
    """How things of one kind are written into a cache, as plain values that JSON has, and for how long they stay."""

    to_plain: Callable[[T], object]
    from_plain: Callable[[Any], T]
    ttl: timedelta = MAX_TTL

    def get(self, cache: Cache, namespace: str, key: str, compute: Callable[[], T]) -> T:
        """The thing from the cache, or else what `compute` returns, which is then put there.

        What `compute` raises passes through and is not remembered. A value that cannot be read, because another
        version of Unite put it there, counts as none.
        """
        return self.look(cache, namespace, key).get(compute)

    def look(self, cache: Cache, namespace: str, key: str) -> "CacheSlot[T]":
        """What the cache has under the key, and where to put what is worked out where it has nothing.

        Look first, and then read what the thing is worked out from. To get several things as they were at one moment,
        look for all of them, and where one is missing work out all of them.
        """
        look = cache.look(namespace, key)
        found: T | None = None
        if look.value is not None:
            # One that cannot be read is worked out and put anew.
            with suppress(ValueError, LookupError, TypeError, AttributeError):
                found = self.from_plain(json.loads(look.value))

        def put(thing: T) -> None:
            if look.ticket is not None:
                value = json.dumps(self.to_plain(thing), separators=(",", ":")).encode()
                cache.put(namespace, key, value, ticket=look.ticket, ttl=self.ttl)

        return CacheSlot(found, put)


@dataclass(frozen=True, slots=True)
class CacheSlot(Generic[T]):
    """What a cache has of something, None where it has nothing; `put` puts it there."""

    found: T | None
    put: Callable[[T], None]

    def get(self, compute: Callable[[], T]) -> T:
        """What was found, or else what `compute` returns, which is put there."""
        if self.found is not None:
            return self.found
        thing = compute()
        self.put(thing)
        return thing
