"""Fixtures for RQ: a Redis with queues, and `RqJobs` that enqueue jobs."""

from collections.abc import Callable, Iterator

import pytest
from redis import Redis

from adapters.redis.connection import RedisServer
from adapters.rq.jobs import RqJobs


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def jobs_of() -> Iterator[Callable[[str], RqJobs]]:
    """Return a function that creates `RqJobs` for the Redis at a URL."""
    servers = []

    def made(url: str) -> RqJobs:
        servers.append(RedisServer(url))
        return RqJobs(servers[-1], destinations=["activity", "topic"], correlation_id=lambda: "c0ffee-1234")

    yield made
    for server in servers:
        server.close()


@pytest.fixture
def jobs(redis_url: str, jobs_of: Callable[[str], RqJobs]) -> RqJobs:
    return jobs_of(redis_url)
