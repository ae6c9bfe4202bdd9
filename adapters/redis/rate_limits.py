"""Rate limits in Redis, counted for all processes together."""

import math
from datetime import UTC, datetime, timedelta

from adapters.redis.connection import RedisServer
from unite_core.clock import Clock
from unite_core.errors import Unavailable
from unite_core.rate_limits import RateLimits, RateLimitStatus

PREFIX = "unite"
WINDOW = timedelta(minutes=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Redis runs a script atomically. The key expires by Redis's own time when the window ends, so that no client is locked
# out for longer if the clock of a process is set back or is wrong. A value that this script cannot have written counts
# as no hits.
_SCRIPT = """
local now, limit, counts, window = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1', tonumber(ARGV[4])
local begun = tonumber(redis.call('HGET', KEYS[1], 'begun'))
local hits = tonumber(redis.call('HGET', KEYS[1], 'hits'))
if not begun or not hits or not (now - begun < window and begun - now <= window and hits >= 0) then
    begun, hits = now, 0
end
local allowed = hits < limit
if allowed and counts then
    hits = hits + 1
    redis.call('HSET', KEYS[1], 'begun', begun, 'hits', hits)
    if hits == 1 then
        redis.call('PEXPIRE', KEYS[1], window)
    end
end
return {allowed and 1 or 0, hits, math.min(window, begun + window - now)}
"""


class RedisRateLimits(RateLimits):
    """Rate limits over a fixed window of a minute, which begins with the first hit of a key.

    While Redis does not answer, each process counts for itself with `meanwhile`, so that the limit is multiplied by the
    number of processes.
    """

    def __init__(self, server: RedisServer, clock: Clock, meanwhile: RateLimits, *, prefix: str = PREFIX) -> None:
        self._server = server
        self._clock = clock
        self._meanwhile = meanwhile
        self._prefix = prefix

    def hit(self, key: str, per_minute: int) -> RateLimitStatus:
        try:
            return self._count(key, per_minute, counts=True)
        except Unavailable:
            return self._meanwhile.hit(key, per_minute)

    def peek(self, key: str, per_minute: int) -> RateLimitStatus:
        try:
            return self._count(key, per_minute, counts=False)
        except Unavailable:
            return self._meanwhile.peek(key, per_minute)

    def _count(self, key: str, per_minute: int, *, counts: bool) -> RateLimitStatus:
        now = _milliseconds(self._clock.now() - _EPOCH)
        arguments = [now, per_minute, int(counts), _milliseconds(WINDOW)]
        name = f"{self._prefix}:limit:{key}"
        allowed, hits, left_ms = self._server.call(lambda redis: redis.register_script(_SCRIPT)([name], arguments))
        return RateLimitStatus(
            allowed=bool(allowed),
            limit=per_minute,
            remaining=max(0, per_minute - hits),
            reset=math.ceil(left_ms / 1000) if hits else 0,
        )


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
