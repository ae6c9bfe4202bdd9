"""Tests of the service's account on Redis, with the users that the secrets of the containers define."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from adapters.rate_limits import LocalRateLimits
from adapters.redis.cache import RedisCache
from adapters.redis.connection import RedisServer
from adapters.redis.rate_limits import RedisRateLimits
from adapters.rq.jobs import IMPORTS, RqJobs
from adapters.rq.worker import RqQueues
from adapters.system_clock import SystemClock
from tests.adapters.redis.conftest import server_at
from tests.conftest import CHECKOUT
from tests.service_process import free_port
from unite_core.errors import Unavailable

TIMEOUT = 30.0


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the Redis, as the service has it."""
    folder = tmp_path_factory.mktemp("secrets")
    subprocess.run(["sh", str(CHECKOUT / "infra" / "compose" / "make-secrets.sh"), str(folder)], check=True)
    program = shutil.which("redis-server")
    assert program is not None, "The tests of the Redis adapters need redis-server."
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen([*command, "--aclfile", str(folder / "redis_users")], stdout=subprocess.DEVNULL)
    given = (folder / "redis_service_url").read_text().strip()
    url = given.replace("@redis:6379", f"@127.0.0.1:{port}")
    assert url != given
    until = time.monotonic() + TIMEOUT
    with Redis.from_url(url) as redis:
        while True:
            try:
                redis.ping()
            except RedisError:
                assert time.monotonic() < until, "redis-server does not answer."
            else:
                break
    yield url
    process.terminate()
    process.wait(TIMEOUT)


@pytest.fixture
def server(url: str) -> Iterator[RedisServer]:
    server = server_at(url, timeout=10)
    yield server
    assert server.breaker_state == "closed"
    server.close()


def test_the_cache_and_the_rate_limits_work_with_the_account(server: RedisServer) -> None:
    clock = SystemClock()
    cache = RedisCache(server, secret=b"secret", clock=clock)
    limits = RedisRateLimits(server, clock, LocalRateLimits(clock))

    ticket = cache.get("leads", "key").ticket
    assert ticket is not None
    cache.put("leads", "key", b"1", ticket=ticket, ttl=timedelta(seconds=10))
    assert cache.get("leads", "key").value == b"1"
    cache.invalidate(["leads"])
    assert cache.get("leads", "key").value is None
    assert [limits.hit("ann", 1).allowed, limits.hit("ann", 1).allowed, limits.peek("ann", 1).allowed] == [
        True,
        False,
        False,
    ]


def test_jobs_are_enqueued_run_retried_and_maintained_with_the_account(url: str, server: RedisServer) -> None:
    jobs = RqJobs(server, destinations=["activity", "topic"])
    queues = RqQueues(url, jobs)
    done: list[str] = []

    def handler(function: str, *_about: str, correlation_id: str | None, traceparent: str | None) -> None:  # noqa: ARG001 - called by its name
        done.append(function.rpartition(".")[2])
        if len(done) == 1:
            raise Unavailable("The storage is away.")
        if len(done) == 2:
            raise ZeroDivisionError

    def until(count: int) -> Callable[[], bool]:
        return lambda: len(done) >= count

    for number in range(3):
        jobs.run_import(UUID(int=number))
    jobs.run_import(UUID(int=2))
    jobs.deliver_events()
    with Redis.from_url(url) as redis:
        # What a worker finds that comes after one that was killed.
        redis.zadd(f"rq:wip:{IMPORTS}", {"lost:1": 1})
        redis.rpush(f"rq:queue:{IMPORTS}:intermediate", "lost")

    queues.run_import_jobs(handler, until(3))
    queues.run_delivery_jobs(handler, until(4), "topic")
    queues.run_upkeep_jobs(handler, until(6), {test_the_cache_and_the_rate_limits_work_with_the_account: 1})

    assert done == ["run_import"] * 3 + ["relay"] + ["test_the_cache_and_the_rate_limits_work_with_the_account"] * 2
    queues.ping()


@pytest.mark.parametrize(
    "command",
    [
        "GET other",
        "SET other x",
        "RENAME unite:x other",
        "COPY unite:x other",
        "KEYS *",
        "SCAN 0",
        "RANDOMKEY",
        "DBSIZE",
        "FLUSHALL",
        "FLUSHDB",
        "SWAPDB 0 1",
        "CONFIG GET *",
        "CONFIG SET dir /tmp",
        "ACL LIST",
        "ACL SETUSER me on",
        "EVAL return 0",
        "SCRIPT FLUSH",
        "FUNCTION LIST",
        "MODULE LIST",
        "PUBLISH rq:pubsub:x y",
        "SUBSCRIBE rq:pubsub:x",
        "MONITOR",
        "CLIENT LIST",
        "CLIENT KILL ID 1",
        "REPLICAOF 127.0.0.1 1",
        "MIGRATE h 1 unite:x 0 1",
        "SORT unite:x",
        "SAVE",
        "SHUTDOWN",
    ],
)
def test_the_account_can_run_no_other_command(url: str, command: str) -> None:
    with Redis.from_url(url) as redis, pytest.raises(NoPermissionError):
        redis.execute_command(*command.split())


def test_a_script_cannot_access_other_keys(url: str) -> None:
    with Redis.from_url(url) as redis:
        script = redis.register_script("return redis.call('GET', 'other')")
        with pytest.raises(RedisError, match="can't access"):
            script()


def test_without_a_password_only_a_ping_is_allowed(url: str) -> None:
    address = "redis://" + url.partition("@")[2]
    with Redis.from_url(address) as redis, pytest.raises(AuthenticationError):
        redis.ping()
    with Redis.from_url(address, username="health", password="none") as redis:
        assert redis.ping()
        with pytest.raises(NoPermissionError):
            redis.get("unite:x")
