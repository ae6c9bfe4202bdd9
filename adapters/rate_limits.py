"""Rate limits counted in the memory of one process."""

import math
import time
from threading import Lock

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from unite_core.rate_limits import Allowance, RateLimits

HITS_BETWEEN_SWEEPS = 1000


class LocalRateLimits(RateLimits):
    """A window of a minute that moves with the time: there is no moment at which a whole allowance comes back at once.

    So `reset` is when the oldest hit leaves the window, and with it the first bit of allowance comes back.
    What was counted is gone when the process ends.
    """

    def __init__(self) -> None:
        self._storage = MemoryStorage()
        self._window = MovingWindowRateLimiter(self._storage)
        self._lock = Lock()
        self._hits = 0

    def hit(self, key: str, per_minute: int) -> Allowance:
        item = RateLimitItemPerMinute(per_minute)
        with self._lock:
            allowed = self._window.hit(item, key)
            self._sweep()
            return self._allowance(item, key, allowed=allowed)

    def peek(self, key: str, per_minute: int) -> Allowance:
        item = RateLimitItemPerMinute(per_minute)
        with self._lock:
            return self._allowance(item, key, allowed=self._window.test(item, key))

    def _allowance(self, item: RateLimitItemPerMinute, key: str, *, allowed: bool) -> Allowance:
        stats = self._window.get_window_stats(item, key)
        reset = max(1, math.ceil(stats.reset_time - time.time()))
        return Allowance(allowed, item.amount, max(0, stats.remaining), reset)

    def _sweep(self) -> None:
        """Forget keys without hits: the library keeps their names for ever, and anybody can make up new ones."""
        self._hits += 1
        if self._hits % HITS_BETWEEN_SWEEPS == 0:
            for key in [key for key, hits in list(self._storage.events.items()) if not hits]:
                self._storage.events.pop(key, None)
