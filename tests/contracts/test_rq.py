"""Contract tests of the job queues in RQ, also while Redis is unavailable."""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from adapters.redis.connection import RedisServer
from adapters.rq.jobs import IMPORTS, RqJobs, queue_name
from adapters.rq.worker import RqQueues
from tests.contracts.outages import redis_unreachable
from tests.contracts.queues_contract import CORRELATION_ID, DESTINATIONS, TRACEPARENT, QueuesContract
from unite_core.jobs import JOB_MODULE
from unite_core.testing.contracts import JobsContract, WakeUp


class TestJobs(JobsContract):
    @pytest.fixture
    def jobs(self, redis_url: str) -> Iterator[RqJobs]:
        server = RedisServer(redis_url)
        yield RqJobs(server, destinations=self.DESTINATIONS)
        server.close()

    @pytest.fixture
    def take(self, redis_url: str) -> Iterator[Callable[[], Collection[WakeUp]]]:
        with Redis.from_url(redis_url) as redis:
            names = [IMPORTS, *(queue_name(destination) for destination in self.DESTINATIONS)]
            queues = [Queue(name, connection=redis, serializer=JSONSerializer) for name in names]

            def take() -> Collection[WakeUp]:
                jobs = [job for queue in queues for job in queue.jobs]
                redis.flushdb()
                return [(str(job.func_name).removeprefix(f"{JOB_MODULE}."), *job.args) for job in jobs]

            yield take

    @pytest.fixture
    def outage(self) -> AbstractContextManager[None]:
        return redis_unreachable()


class TestQueues(QueuesContract):
    @pytest.fixture
    def queues(self, redis_url: str) -> Iterator[RqQueues]:
        server = RedisServer(redis_url)
        jobs = RqJobs(
            server,
            destinations=DESTINATIONS,
            correlation_id=lambda: CORRELATION_ID,
            traceparent=lambda: TRACEPARENT,
        )
        yield RqQueues(redis_url, jobs)
        server.close()
