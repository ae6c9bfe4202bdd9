"""Rate limits counted in the memory of one process."""

import math
from collections import deque
from datetime import datetime, timedelta
from threading import Lock

from unite_core.clock import Clock
from unite_core.rate_limits import RateLimits, RateLimitStatus

WINDOW = timedelta(minutes=1)
HITS_BETWEEN_SWEEPS = 1000


class LocalRateLimits(RateLimits):
    """A window of a minute that moves with the time: in no 60 seconds there are more hits than the limit.

    The allowance comes back hit by hit, and `reset` is when the oldest hit leaves the window: that early another one
    fits. What was counted is gone when the process ends.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hits: dict[str, deque[datetime]] = {}
        self._turn = Lock()
        self._until_sweep = HITS_BETWEEN_SWEEPS

    def hit(self, key: str, per_minute: int) -> RateLimitStatus:
        with self._turn:
            now = self._clock.now()
            hits = self._recent(key, now)
            allowed = len(hits) < per_minute
            if allowed:
                hits.append(now)
                self._hits[key] = hits
            self._sweep(now)
            return _allowance(hits, now, per_minute, allowed=allowed)

    def peek(self, key: str, per_minute: int) -> RateLimitStatus:
        with self._turn:
            now = self._clock.now()
            hits = self._recent(key, now)
            return _allowance(hits, now, per_minute, allowed=len(hits) < per_minute)

    def _recent(self, key: str, now: datetime) -> deque[datetime]:
        hits = self._hits.get(key, deque())
        # A hit that lies in the future was counted before the clock was set back; it would count for too long.
        while hits and not now - WINDOW < hits[0] <= now:
            hits.popleft()
        return hits

    def _sweep(self, now: datetime) -> None:
        """Forget who has not come for a minute: anybody can make up new names."""
        self._until_sweep -= 1
        if self._until_sweep == 0:
            self._until_sweep = HITS_BETWEEN_SWEEPS
            self._hits = {key: hits for key, hits in self._hits.items() if hits and now - hits[-1] < WINDOW}


def _allowance(hits: deque[datetime], now: datetime, per_minute: int, *, allowed: bool) -> RateLimitStatus:
    reset = max(1, math.ceil((hits[0] + WINDOW - now).total_seconds())) if hits else 0
    return RateLimitStatus(allowed, per_minute, max(0, per_minute - len(hits)), reset)
