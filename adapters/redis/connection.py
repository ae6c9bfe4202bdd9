"""Connection to Redis, through the guard."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from adapters.outbound import CallPolicy, CallTimeouts, OutboundGuard
from unite_core.errors import Unavailable

T = TypeVar("T")

POLICY = CallPolicy(
    timeouts=CallTimeouts(connect=timedelta(seconds=0.25), read=timedelta(seconds=0.25)),
    attempts=1,
    failure_threshold=3,
    recovery_timeout=timedelta(seconds=5),
)
"""What is in Redis is not worth waiting longer for."""


class RedisServer:
    """A Redis server behind a circuit breaker, with a timeout for each command.

    While the server is away, only now and then a call takes the timeout, and not every request. Nothing is opened
    before the first call. Threads may share it.
    """

    def __init__(self, url: str, policy: CallPolicy = POLICY, client: type[Redis] = Redis) -> None:
        """Configure the client; `url` is like `redis://host:6379/0` (`rediss` for TLS), else `ValueError` is raised.

        `client` is its class, such as one that traces commands.
        """
        self._redis = client.from_url(
            url,
            socket_connect_timeout=policy.timeouts.connect.total_seconds(),
            socket_timeout=policy.timeouts.read.total_seconds(),
            # The pool reopens a connection that broke while it was idle. A command that failed is not retried, because
            # a retry would take as long again.
            retry=Retry(NoBackoff(), 0),
            encoding_errors="surrogatepass",
            # Only Redis Enterprise sends these notifications, and they would extend the timeouts to ten seconds.
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
        self._guard = OutboundGuard("Redis", policy, errors=(RedisError,), translate=_translate)

    @property
    def breaker_state(self) -> str:
        """The breaker: `closed` while calls are made, `open` while none is, `half_open` when the next one decides."""
        return self._guard.breaker_state

    def call(self, command: Callable[[Redis], T]) -> T:
        """Run the command and return its result; raise `Unavailable` if Redis fails or the breaker is open."""
        return self._guard.call(lambda: command(self._redis))

    def ping(self) -> None:
        """Check that Redis answers; raise `Unavailable`."""
        self.call(lambda redis: redis.ping())

    def close(self) -> None:
        """Close all connections."""
        self._redis.close()


def _translate(_: RedisError) -> Unavailable:
    return Unavailable("Redis does not answer as it should.")
