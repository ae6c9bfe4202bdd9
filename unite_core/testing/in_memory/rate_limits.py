"""Rate limits in memory."""

import math
from datetime import datetime, timedelta
from threading import Lock

from unite_core.clock import Clock
from unite_core.rate_limits import RateLimits, RateLimitStatus

_WINDOW = timedelta(minutes=1)


class InMemoryRateLimits(RateLimits):
    """Counts hits per key in a minute that begins with the first hit."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[datetime, int]] = {}
        self._lock = Lock()

    def hit(self, key: str, per_minute: int) -> RateLimitStatus:
        with self._lock:
            started_at, hits = self._window(key)
            allowed = hits < per_minute
            hits += allowed
            self._windows[key] = (started_at, hits)
        return self._allowance(started_at, hits, per_minute, allowed=allowed)

    def peek(self, key: str, per_minute: int) -> RateLimitStatus:
        started_at, hits = self._window(key)
        return self._allowance(started_at, hits, per_minute, allowed=hits < per_minute)

    def _window(self, key: str) -> tuple[datetime, int]:
        now = self._clock.now()
        started_at, hits = self._windows.get(key, (now, 0))
        return (started_at, hits) if now - started_at < _WINDOW else (now, 0)

    def _allowance(self, started_at: datetime, hits: int, per_minute: int, *, allowed: bool) -> RateLimitStatus:
        wait = (started_at + _WINDOW - self._clock.now()).total_seconds() if hits else 0
        return RateLimitStatus(
            allowed=allowed, limit=per_minute, remaining=max(0, per_minute - hits), reset=math.ceil(wait)
        )
