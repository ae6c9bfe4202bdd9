"""Connection to Redis, with timeouts and a circuit breaker."""

from collections.abc import Callable
from typing import TypeVar

from circuitbreaker import CircuitBreaker  # type: ignore[import-untyped]  # the package ships no types
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from unite_core.errors import Unavailable

T = TypeVar("T")

TIMEOUT = 0.25
"""Seconds to connect, and again to answer. What is in Redis is not worth waiting longer for."""

FAILURE_THRESHOLD = 3
"""After this many failures in a row the breaker opens."""

OPEN_SECONDS = 5.0
"""Seconds for which the breaker stays open. The next call then tries again, and one failure opens it again."""


class RedisServer:
    """A Redis server behind a circuit breaker, with a timeout for each command.

    While the server is away, only now and then a call takes the timeout, and not every request. Nothing is opened
    before the first call. Threads may share it.
    """

    def __init__(
        self, url: str, *, timeout: float = TIMEOUT, failures: int = FAILURE_THRESHOLD, rest: float = OPEN_SECONDS
    ) -> None:
        """Configure the client; `url` is like `redis://host:6379/0` (`rediss` for TLS), else `ValueError` is raised."""
        self._redis = Redis.from_url(
            url,
            socket_connect_timeout=timeout,
            socket_timeout=timeout,
            # The pool reopens a connection that broke while it was idle. A command that failed is not retried, because
            # a retry would take as long again.
            retry=Retry(NoBackoff(), 0),
            encoding_errors="surrogatepass",
            # Only Redis Enterprise sends these notifications, and they would extend the timeouts to ten seconds.
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
        self._breaker = CircuitBreaker(failure_threshold=failures, recovery_timeout=rest, expected_exception=RedisError)

    @property
    def state(self) -> str:
        """The breaker: `closed` while calls are made, `open` while none is, `half_open` when the next one decides."""
        state: str = self._breaker.state
        return state

    def call(self, command: Callable[[Redis], T]) -> T:
        """Run the command and return its result; raise `Unavailable` if Redis fails or the breaker is open."""
        if self._breaker.opened:
            raise Unavailable("Redis did not answer a moment ago.")
        try:
            with self._breaker:
                return command(self._redis)
        except RedisError as error:
            raise Unavailable("Redis does not answer as it should.") from error

    def ping(self) -> None:
        """Check that Redis answers; raise `Unavailable`."""
        self.call(lambda redis: redis.ping())

    def close(self) -> None:
        """Close all connections."""
        self._redis.close()
