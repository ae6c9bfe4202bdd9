"""The way to the one Redis server that several processes share."""

from collections.abc import Callable
from typing import TypeVar

from circuitbreaker import CircuitBreaker  # type: ignore[import-untyped]  # the library tells no types
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from unite_core.errors import Unavailable

T = TypeVar("T")

TIMEOUT = 0.25
"""How many seconds Redis may take to be reached, and again to answer: what a slow answer costs is not worth more."""

FAILURE_THRESHOLD = 3
"""After so many Redis is left alone for a while."""

OPEN_SECONDS = 5.0
"""How many seconds it is left alone; then the next call tries again, and the first failure makes it another rest."""


class RedisServer:
    """One Redis server, asked with a timeout and left alone for a while when it does not answer.

    So a server that is away costs a timeout now and then, and not one for each request. Nothing is opened before the
    first call. Threads may share it.
    """

    def __init__(
        self, url: str, *, timeout: float = TIMEOUT, failures: int = FAILURE_THRESHOLD, rest: float = OPEN_SECONDS
    ) -> None:
        """`url` is one such as `redis://host:6379/0` (`rediss` for TLS); raises `ValueError` for another kind."""
        self._redis = Redis.from_url(
            url,
            socket_connect_timeout=timeout,
            socket_timeout=timeout,
            # A connection that broke while nobody used it is opened anew by the pool. What failed in use is not tried
            # again: that would take as long once more.
            retry=Retry(NoBackoff(), 0),
            encoding_errors="surrogatepass",
            # They are told by Redis Enterprise alone, and would stretch the timeouts to ten seconds.
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
        self._breaker = CircuitBreaker(failure_threshold=failures, recovery_timeout=rest, expected_exception=RedisError)

    @property
    def state(self) -> str:
        """`closed` while Redis is asked, `open` while it is left alone, `half_open` when it is about to be tried."""
        state: str = self._breaker.state
        return state

    def call(self, command: Callable[[Redis], T]) -> T:
        """What the command returns; raises `Unavailable` where Redis fails, or did a moment ago."""
        if self._breaker.opened:
            raise Unavailable("Redis did not answer a moment ago.")
        try:
            with self._breaker:
                return command(self._redis)
        except RedisError as error:
            raise Unavailable("Redis does not answer as it should.") from error

    def ping(self) -> None:
        """Ask for a sign of life; raises `Unavailable` where none comes."""
        self.call(lambda redis: redis.ping())

    def close(self) -> None:
        """Close every connection."""
        self._redis.close()
