"""Tests of the connection to Redis: errors are `Unavailable`, and a circuit breaker limits attempts."""

import time
from collections.abc import Callable, Iterator

import pytest
from redis import Redis
from redis.exceptions import RedisError

from adapters.redis.connection import RedisServer
from tests.adapters.redis.conftest import OwnRedis, server_at
from unite_core.errors import Unavailable


@pytest.fixture
def server(own_redis: OwnRedis) -> Iterator[RedisServer]:
    server = server_at(own_redis.url, timeout=1, failure_threshold=2, recovery_timeout=0.05)
    yield server
    server.close()


def test_a_ping_of_a_running_server_succeeds(server: RedisServer) -> None:
    server.ping()

    assert server.breaker_state == "closed"


@pytest.mark.parametrize("end", [OwnRedis.kill, OwnRedis.freeze], ids=["dead", "silent"])
def test_a_stopped_server_is_unavailable_and_the_circuit_breaker_opens(
    own_redis: OwnRedis, end: Callable[[OwnRedis], None]
) -> None:
    server = server_at(own_redis.url, timeout=0.5, failure_threshold=2, recovery_timeout=600)
    server.ping()
    end(own_redis)
    asked = 0

    def ask(redis: Redis) -> None:
        nonlocal asked
        asked += 1
        redis.ping()

    for _ in range(5):
        with pytest.raises(Unavailable):
            server.call(ask)

    assert asked == 2
    assert server.breaker_state == "open"
    server.close()


def test_after_the_recovery_timeout_one_attempt_opens_or_closes_the_breaker(
    server: RedisServer, own_redis: OwnRedis
) -> None:
    own_redis.kill()
    for _ in range(2):
        with pytest.raises(Unavailable):
            server.ping()
    assert server.breaker_state == "open"

    _rested(server)
    with pytest.raises(Unavailable):
        server.ping()
    assert server.breaker_state == "open"

    own_redis.start()
    _rested(server)
    server.ping()
    assert server.breaker_state == "closed"


def test_a_connection_lost_in_a_restart_is_replaced_without_an_error(own_redis: OwnRedis) -> None:
    server = server_at(own_redis.url, timeout=10, failure_threshold=1, recovery_timeout=600)
    server.ping()

    own_redis.kill()
    own_redis.start()

    server.ping()
    server.close()


def test_an_error_reply_is_unavailable_too(server: RedisServer) -> None:
    server.call(lambda redis: redis.lpush("a list", "first"))

    with pytest.raises(Unavailable) as raised:
        server.call(lambda redis: redis.incr("a list"))

    assert isinstance(raised.value.__cause__, RedisError)


def test_a_url_that_is_not_of_redis_is_refused() -> None:
    with pytest.raises(ValueError, match="redis://"):
        RedisServer("http://127.0.0.1")


def _rested(server: RedisServer) -> None:
    deadline = time.monotonic() + 30
    while server.breaker_state == "open":
        assert time.monotonic() < deadline
        time.sleep(0.01)
