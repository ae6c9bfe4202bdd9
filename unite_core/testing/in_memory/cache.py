"""Cache in memory."""

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import count
from threading import Lock

from unite_core.cache import MAX_TTL, Cache, CacheLookup
from unite_core.clock import Clock


class InMemoryCache(Cache):
    """Stores computed values for a short time, as long as the object lives."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tickets: dict[str, str] = {}
        self._values: dict[tuple[str, str], tuple[str, bytes, datetime]] = {}
        # No ticket is lost here before it is invalidated, so counting up is enough to never repeat one.
        self._made = count(1)
        self._lock = Lock()

    def get(self, namespace: str, key: str) -> CacheLookup:
        with self._lock:
            ticket = self._tickets.setdefault(namespace, str(next(self._made)))
            put_with, value, until = self._values.get((namespace, key), ("", b"", self._clock.now()))
            valid = put_with == ticket and self._clock.now() < until
            return CacheLookup(value if valid else None, ticket)

    def put(self, namespace: str, key: str, value: bytes, *, ticket: str, ttl: timedelta) -> None:
        until = self._clock.now() + min(ttl, MAX_TTL)
        with self._lock:
            self._values[namespace, key] = (ticket, value, until)

    def invalidate(self, namespaces: Collection[str]) -> None:
        with self._lock:
            for namespace in namespaces:
                self._tickets.pop(namespace, None)
