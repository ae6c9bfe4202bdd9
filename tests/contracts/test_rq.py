"""Jobs in queues of RQ keep the contract, and keep it without their Redis too."""

from collections.abc import Iterator

import pytest

from adapters.redis.connection import RedisServer
from adapters.rq.jobs import RqJobs
from adapters.rq.worker import RqQueues
from tests.contracts.queues_contract import CORRELATION_ID, DESTINATIONS, QueuesContract
from tests.servers.own import OwnServer
from unite_core.testing.contracts import JobsContract


class TestJobs(JobsContract):
    @pytest.fixture
    def jobs(self, redis_url: str) -> Iterator[RqJobs]:
        server = RedisServer(redis_url)
        yield RqJobs(server, destinations=["activity"])
        server.close()


class TestJobsWithoutRedis(JobsContract):
    @pytest.fixture
    def jobs(self, private_redis: OwnServer) -> Iterator[RqJobs]:
        server = RedisServer(private_redis.url)
        private_redis.stop()
        yield RqJobs(server, destinations=["activity"])
        server.close()


class TestQueues(QueuesContract):
    @pytest.fixture
    def queues(self, redis_url: str) -> Iterator[RqQueues]:
        server = RedisServer(redis_url)
        yield RqQueues(redis_url, RqJobs(server, destinations=DESTINATIONS, correlation_id=lambda: CORRELATION_ID))
        server.close()
