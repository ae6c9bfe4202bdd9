"""Rate limits, counted in the memory of one process."""

import math
from collections import deque
from datetime import datetime, timedelta
from threading import Lock

from unite_core.clock import Clock
from unite_core.rate_limits import RateLimits, RateLimitStatus

__all__ = ["LocalRateLimits"]

WINDOW = timedelta(minutes=1)
HITS_BETWEEN_SWEEPS = 1000


class LocalRateLimits(RateLimits):
    """Rate limits over a sliding window of a minute: no 60 seconds have more hits than the limit.

    Each hit leaves the window after a minute. `reset` is when the oldest one does, and so the earliest moment at which
    another hit is allowed. The counts are lost when the process ends.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hits: dict[str, deque[datetime]] = {}
        self._lock = Lock()
        self._until_sweep = HITS_BETWEEN_SWEEPS

    def hit(self, key: str, per_minute: int) -> RateLimitStatus:
        with self._lock:
            now = self._clock.now()
            hits = self._recent(key, now)
            allowed = len(hits) < per_minute
            if allowed:
                hits.append(now)
                self._hits[key] = hits
            self._sweep(now)
            return _allowance(hits, now, per_minute, allowed=allowed)

    def peek(self, key: str, per_minute: int) -> RateLimitStatus:
        with self._lock:
            now = self._clock.now()
            hits = self._recent(key, now)
            return _allowance(hits, now, per_minute, allowed=len(hits) < per_minute)

    def _recent(self, key: str, now: datetime) -> deque[datetime]:
        hits = self._hits.get(key, deque())
        # A hit in the future was counted before the clock was set back. It would count for too long.
        while hits and not now - WINDOW < hits[0] <= now:
            hits.popleft()
        return hits

    def _sweep(self, now: datetime) -> None:
        """Remove keys without a hit in the last minute, so that clients which invent keys do not fill the memory."""
        self._until_sweep -= 1
        if self._until_sweep == 0:
            self._until_sweep = HITS_BETWEEN_SWEEPS
            self._hits = {key: hits for key, hits in self._hits.items() if hits and now - hits[-1] < WINDOW}


def _allowance(hits: deque[datetime], now: datetime, per_minute: int, *, allowed: bool) -> RateLimitStatus:
    reset = max(1, math.ceil((hits[0] + WINDOW - now).total_seconds())) if hits else 0
    return RateLimitStatus(allowed, per_minute, max(0, per_minute - len(hits)), reset)
