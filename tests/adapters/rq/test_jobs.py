"""Tests of the jobs that are enqueued in Redis: arguments, names, retries, and the circuit breaker."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from adapters.redis.connection import POLICY, RedisServer
from adapters.rq.jobs import DONE_JOB_TTL, IMPORTS, RETRIES, RqJobs, queue_name
from tests.servers.own import OwnServer

ONE, OTHER = UUID(int=1), UUID(int=2)


def test_a_job_has_an_id_as_its_argument_and_the_correlation_id_of_its_request(jobs: RqJobs, redis: Redis) -> None:
    jobs.run_import(ONE)
    jobs.undo_import(OTHER)

    first, second = Queue(IMPORTS, connection=redis, serializer=JSONSerializer).jobs
    assert (first.func_name, first.args) == ("entrypoints.worker.jobs.run_import", [str(ONE)])
    assert (second.func_name, second.args) == ("entrypoints.worker.jobs.undo_import", [str(OTHER)])
    assert first.meta == {"correlation_id": "c0ffee-1234", "traceparent": None}


def test_a_failed_job_is_retried_after_growing_pauses(jobs: RqJobs, redis: Redis) -> None:
    jobs.run_import(ONE)

    (job,) = Queue(IMPORTS, connection=redis, serializer=JSONSerializer).jobs
    assert (job.retries_left, job.retry_intervals) == (len(RETRIES), [*RETRIES])
    assert [*RETRIES] == sorted(RETRIES)


def test_each_destination_has_a_job_in_its_own_queue(jobs: RqJobs, redis: Redis) -> None:
    for _ in range(3):
        jobs.deliver_events()

    assert [told(redis, name) for name in ("activity", "topic")] == [[("activity",)], [("topic",)]]


def test_only_the_named_destinations_get_a_job(jobs: RqJobs, redis: Redis) -> None:
    jobs.deliver_events({"topic", "nobody"})

    assert [told(redis, name) for name in ("activity", "topic", "nobody")] == [[], [("topic",)], []]


def told(redis: Redis, destination: str) -> list[tuple[str, ...]]:
    """What the jobs are about that wait for one destination."""
    return [tuple(job.args) for job in Queue(queue_name(destination), connection=redis, serializer=JSONSerializer).jobs]


def test_an_import_has_at_most_one_queued_job(jobs: RqJobs, redis: Redis) -> None:
    for _ in range(3):
        jobs.run_import(ONE)
        jobs.run_import(OTHER)

    assert [job.args for job in Queue(IMPORTS, connection=redis, serializer=JSONSerializer).jobs] == [
        [str(ONE)],
        [str(OTHER)],
    ]


def test_a_lost_job_can_be_enqueued_again_after_a_minute(jobs: RqJobs, redis: Redis) -> None:
    jobs.run_import(ONE)
    redis.delete(f"rq:queue:{IMPORTS}")  # as if a worker had taken it, and died before it began

    assert 0 < redis.ttl(f"rq:job:run_import-{ONE}") <= DONE_JOB_TTL
    redis.delete(f"rq:job:run_import-{ONE}")  # as Redis does then
    jobs.run_import(ONE)

    assert [job.args for job in Queue(IMPORTS, connection=redis, serializer=JSONSerializer).jobs] == [[str(ONE)]]


@pytest.fixture
def away(private_redis: OwnServer) -> Iterator[RedisServer]:
    server = RedisServer(
        private_redis.url, replace(POLICY, failure_threshold=2, recovery_timeout=timedelta(seconds=60))
    )
    private_redis.stop()
    yield server
    server.close()


def test_the_circuit_breaker_opens_after_some_failures(away: RedisServer) -> None:
    jobs = RqJobs(away, destinations=["activity"])

    for _ in range(2):
        assert away.breaker_state == "closed"
        jobs.run_import(ONE)

    assert away.breaker_state == "open"
    jobs.run_import(ONE)
