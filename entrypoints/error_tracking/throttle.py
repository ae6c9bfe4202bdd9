"""A throttle: of equal events, lets the first pass and drops the others until an interval has passed."""

import time
from collections.abc import Callable, Hashable
from threading import Lock

MAX_KEYS = 1_000


class Throttle:
    """Lets one event per key pass in each interval of `seconds`. Threads may share it."""

    def __init__(self, *, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._passed: dict[Hashable, float] = {}
        self._lock = Lock()

    def passes(self, key: Hashable) -> bool:
        """Return whether this is the first event with its key in `seconds`, and start a new interval if so."""
        now = self._clock()
        with self._lock:
            if now - self._passed.get(key, now - self._seconds) < self._seconds:
                return False
            if len(self._passed) >= MAX_KEYS:
                self._passed.clear()
            self._passed[key] = now
            return True
