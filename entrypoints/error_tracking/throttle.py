"""Let the first of several equal things pass within a time."""

import time
from collections.abc import Callable, Hashable
from threading import Lock

MAX_KEYS = 1_000


class Throttle:
    """Lets one thing of each key pass within so many seconds. Threads may share it."""

    def __init__(self, *, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._passed: dict[Hashable, float] = {}
        self._lock = Lock()

    def passes(self, key: Hashable) -> bool:
        """Return whether this is the first with its key for so many seconds."""
        now = self._clock()
        with self._lock:
            if now - self._passed.get(key, now - self._seconds) < self._seconds:
                return False
            if len(self._passed) >= MAX_KEYS:
                self._passed.clear()
            self._passed[key] = now
            return True
