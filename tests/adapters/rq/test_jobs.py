"""What stands in the queues."""

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


def test_a_job_carries_an_id_and_which_request_it_follows_from(jobs: RqJobs, redis: Redis) -> None:
    jobs.run_import(ONE)
    jobs.undo_import(OTHER)

    first, second = Queue(IMPORTS, connection=redis, serializer=JSONSerializer).jobs
    assert (first.func_name, first.args) == ("entrypoints.worker.jobs.run_import", [str(ONE)])
    assert (second.func_name, second.args) == ("entrypoints.worker.jobs.undo_import", [str(OTHER)])
    assert first.meta == {"correlation_id": "c0ffee-1234"}


def test_a_job_that_fails_is_tried_again_after_ever_longer_pauses(jobs: RqJobs, redis: Redis) -> None:
    jobs.run_import(ONE)

    (job,) = Queue(IMPORTS, connection=redis, serializer=JSONSerializer).jobs
    assert (job.retries_left, job.retry_intervals) == (len(RETRIES), [*RETRIES])
    assert [*RETRIES] == sorted(RETRIES)


def test_events_have_a_job_for_each_destination_in_a_queue_of_its_own(jobs: RqJobs, redis: Redis) -> None:
    for _ in range(3):
        jobs.deliver_events()

    assert [told(redis, name) for name in ("activity", "topic")] == [[("activity",)], [("topic",)]]


def test_only_who_is_told_of_something_is_woken(jobs: RqJobs, redis: Redis) -> None:
    jobs.deliver_events({"topic", "nobody"})

    assert [told(redis, name) for name in ("activity", "topic", "nobody")] == [[], [("topic",)], []]


def told(redis: Redis, destination: str) -> list[tuple[str, ...]]:
    """What the jobs are about that wait for one destination."""
    return [tuple(job.args) for job in Queue(queue_name(destination), connection=redis, serializer=JSONSerializer).jobs]


def test_of_one_import_one_job_waits_however_often_it_is_asked_for(jobs: RqJobs, redis: Redis) -> None:
    for _ in range(3):
        jobs.run_import(ONE)
        jobs.run_import(OTHER)

    assert [job.args for job in Queue(IMPORTS, connection=redis, serializer=JSONSerializer).jobs] == [
        [str(ONE)],
        [str(OTHER)],
    ]


def test_the_name_of_a_job_that_was_lost_on_its_way_is_free_again_after_a_minute(jobs: RqJobs, redis: Redis) -> None:
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


def test_a_redis_that_is_away_is_left_alone_after_some_failures(away: RedisServer) -> None:
    jobs = RqJobs(away, destinations=["activity"])

    for _ in range(2):
        assert away.breaker_state == "closed"
        jobs.run_import(ONE)

    assert away.breaker_state == "open"
    jobs.run_import(ONE)
