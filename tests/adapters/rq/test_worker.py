"""Tests of the RQ worker: order of jobs, retries, recurring jobs, and outages."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from adapters.rq.jobs import IMPORTS, UPKEEP, RqJobs, queue_name
from adapters.rq.schedule import LOCK, Schedule
from adapters.rq.worker import RqQueues, RqWorker
from tests.servers.own import OwnServer
from unite_core.errors import Unavailable

ONE, OTHER = UUID(int=1), UUID(int=2)
MAX_POLLS = 10
RUN_IMPORT = "entrypoints.worker.jobs.run_import"


@dataclass
class Handler:
    """Writes down what it is to do, and does what a test has it do then.

    Work stops after `until` jobs, or where the worker has looked in vain for longer than it may take.
    """

    until: int = 1
    then: Callable[[], None] = lambda: None
    done: list[tuple[str, ...]] = field(default_factory=list)
    correlation_ids: list[str | None] = field(default_factory=list)
    traceparents: list[str | None] = field(default_factory=list)
    looks: int = 0

    def __call__(self, function: str, *about: str, correlation_id: str | None, traceparent: str | None) -> None:
        self.traceparents.append(traceparent)
        self.done.append((function.rpartition(".")[2], *about))
        self.correlation_ids.append(correlation_id)
        self.then()

    def is_done(self) -> bool:
        self.looks += 1
        return len(self.done) >= self.until or self.looks > MAX_POLLS


def fail_with(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def recurring() -> None:
    """What the schedule enqueues; only its name is used."""


@pytest.fixture
def queues(redis_url: str, jobs: RqJobs) -> RqQueues:
    return RqQueues(redis_url, jobs)


def test_imports_run_in_the_order_in_which_they_were_enqueued(jobs: RqJobs, queues: RqQueues) -> None:
    handler = Handler(until=3)
    jobs.run_import(ONE)
    jobs.undo_import(OTHER)
    jobs.run_import(OTHER)

    queues.run_import_jobs(handler, handler.is_done)

    assert handler.done == [("run_import", str(ONE)), ("undo_import", str(OTHER)), ("run_import", str(OTHER))]
    assert handler.correlation_ids == ["c0ffee-1234"] * 3


def test_a_finished_job_leaves_nothing_in_redis(jobs: RqJobs, queues: RqQueues, redis: Redis) -> None:
    jobs.run_import(ONE)
    handler = Handler()

    queues.run_import_jobs(handler, handler.is_done)

    assert [*redis.scan_iter("rq:job:*")] == []
    assert redis.llen(f"rq:queue:{IMPORTS}:intermediate") == 0


def test_a_job_that_is_enqueued_during_its_run_runs_once_more(jobs: RqJobs, queues: RqQueues) -> None:
    jobs.run_import(ONE)
    handler = Handler(until=2, then=lambda: jobs.run_import(ONE))

    queues.run_import_jobs(handler, handler.is_done)

    assert handler.done == [("run_import", str(ONE))] * 2


def test_a_failed_job_is_scheduled_for_a_retry_and_its_name_is_free(
    jobs: RqJobs, queues: RqQueues, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    jobs.run_import(ONE)
    handler = Handler(then=fail_with(Unavailable("The storage is away.")))

    queues.run_import_jobs(handler, handler.is_done)

    (job_id,) = Queue(IMPORTS, connection=redis, serializer=JSONSerializer).scheduled_job_registry.get_job_ids()
    assert Job.fetch(job_id, connection=redis, serializer=JSONSerializer).args == [str(ONE)]
    assert f"A service does not answer in the job {RUN_IMPORT}: The storage is away." in caplog.text
    assert "Traceback" not in caplog.text
    jobs.run_import(ONE)
    assert len(Queue(IMPORTS, connection=redis, serializer=JSONSerializer)) == 1


def test_an_unexpected_error_is_logged_with_its_traceback(
    jobs: RqJobs, queues: RqQueues, caplog: pytest.LogCaptureFixture
) -> None:
    jobs.run_import(ONE)
    handler = Handler(then=fail_with(ZeroDivisionError("no idea")))

    queues.run_import_jobs(handler, handler.is_done)

    assert "Traceback" in caplog.text
    assert "ZeroDivisionError: no idea" in caplog.text
    [record] = caplog.records
    assert record.getMessage() == f"Something unexpected happened in the job {RUN_IMPORT}."
    assert vars(record)["correlation_id"] == "c0ffee-1234"


def test_a_failed_job_is_retried_when_it_is_due(jobs: RqJobs, queues: RqQueues, redis: Redis) -> None:
    jobs.run_import(ONE)
    failing = Handler(then=fail_with(Unavailable("The storage is away.")))
    queues.run_import_jobs(failing, failing.is_done)
    registry = Queue(IMPORTS, connection=redis, serializer=JSONSerializer).scheduled_job_registry
    (job_id,) = registry.get_job_ids()
    redis.zadd(registry.key, {job_id: 1})  # as if its pause had passed

    schedule = Schedule(redis, queue=UPKEEP, every={}, retried=[IMPORTS])
    schedule.keep()
    schedule.leave()
    again = Handler()
    queues.run_import_jobs(again, again.is_done)

    assert again.done == [("run_import", str(ONE))]


def test_recurring_jobs_and_deliveries_run_beside_imports(jobs: RqJobs, queues: RqQueues) -> None:
    jobs.run_import(ONE)
    jobs.deliver_events()
    recurs, tells = Handler(), Handler()

    queues.run_upkeep_jobs(recurs, recurs.is_done, {recurring: 3600})
    queues.run_delivery_jobs(tells, tells.is_done, "topic")

    assert (recurs.done, tells.done) == ([("recurring",)], [("relay", "topic")])


def test_a_failed_relay_is_retried_when_it_is_due(jobs: RqJobs, queues: RqQueues, redis: Redis) -> None:
    jobs.deliver_events()
    failing = Handler(then=fail_with(Unavailable("The database is away.")))
    queues.run_delivery_jobs(failing, failing.is_done, "topic")
    registry = Queue(queue_name("topic"), connection=redis, serializer=JSONSerializer).scheduled_job_registry
    (job_id,) = registry.get_job_ids()
    redis.zadd(registry.key, {job_id: 1})  # as if its pause had passed

    recurs, again = Handler(), Handler()
    queues.run_upkeep_jobs(recurs, recurs.is_done, {recurring: 3600})
    queues.run_delivery_jobs(again, again.is_done, "topic")

    assert again.done == [("relay", "topic")]


def test_one_worker_at_a_time_runs_the_schedule(redis: Redis) -> None:
    ours, theirs = (Schedule(redis, queue=UPKEEP, every={recurring: 3600}, retried=[IMPORTS]) for _ in range(2))

    for _ in range(3):
        ours.keep()
        theirs.keep()
    assert len(Queue(UPKEEP, connection=redis, serializer=JSONSerializer)) == 1

    ours.leave()
    theirs.keep()
    assert len(Queue(UPKEEP, connection=redis, serializer=JSONSerializer)) == 2
    theirs.leave()


def test_the_schedule_of_a_dead_worker_is_taken_over_by_another(redis: Redis) -> None:
    dead, other = (Schedule(redis, queue=UPKEEP, every={recurring: 3600}, retried=[IMPORTS]) for _ in range(2))
    dead.keep()
    assert redis.pttl(LOCK) > 0
    redis.delete(LOCK)  # as Redis does when its time has run out

    other.keep()

    assert len(Queue(UPKEEP, connection=redis, serializer=JSONSerializer)) == 2
    other.leave()


def test_a_recurring_job_expires_when_its_next_run_is_due(redis: Redis) -> None:
    Schedule(redis, queue=UPKEEP, every={recurring: 5}, retried=[]).keep()

    (job_id,) = Queue(UPKEEP, connection=redis, serializer=JSONSerializer).job_ids
    assert 0 < redis.ttl(Job.key_for(job_id)) <= 5


def test_a_job_that_expires_while_it_is_taken_is_not_run(jobs: RqJobs, redis: Redis) -> None:
    jobs.run_import(ONE)
    queue = Queue(IMPORTS, connection=redis, serializer=JSONSerializer)
    (job,) = queue.jobs
    redis.delete(job.key)
    handler = Handler()

    RqWorker([IMPORTS], redis, handler).execute_job(job, queue)

    assert handler.done == []


def test_without_redis_a_worker_raises_unavailable(private_redis: OwnServer, jobs_of: Callable[[str], RqJobs]) -> None:
    queues = RqQueues(private_redis.url, jobs_of(private_redis.url))
    queues.ping()
    private_redis.stop()

    with pytest.raises(Unavailable):
        queues.ping()
    with pytest.raises(Unavailable):
        queues.run_import_jobs(Handler(), lambda: False)
    with pytest.raises(Unavailable):
        queues.run_delivery_jobs(Handler(), lambda: False, "topic")
    with pytest.raises(Unavailable):
        queues.run_upkeep_jobs(Handler(), lambda: False, {recurring: 1})


def test_a_redis_that_stops_ends_the_run_of_jobs(private_redis: OwnServer, jobs_of: Callable[[str], RqJobs]) -> None:
    jobs = jobs_of(private_redis.url)
    jobs.run_import(ONE)
    handler = Handler(then=private_redis.stop)

    with pytest.raises(Unavailable):
        RqQueues(private_redis.url, jobs).run_import_jobs(handler, lambda: False)

    assert handler.done == [("run_import", str(ONE))]
