"""Tests of workers with a Redis that somebody else can write to: only known jobs run, and no worker crashes."""

import json
import logging
import os
import pickle
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from rq.command import send_shutdown_command
from rq.job import Job
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer

from adapters.rq.job_format import MAX_DATA_BYTES, ValidatedJob
from adapters.rq.jobs import IMPORTS, UPKEEP, RqJobs
from adapters.rq.schedule import Schedule
from adapters.rq.worker import RqQueues, RqWorker
from tests.adapters.rq.test_worker import Handler, fail_with, recurring
from unite_core.errors import Unavailable

ONE = UUID(int=1)
RUN_IMPORT = "entrypoints.worker.jobs.run_import"
TOO_DEEP = b"[" * 1000


class Bomb:
    """An object that creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.path),)


def packed(*job: object) -> bytes:
    return zlib.compress(json.dumps(job).encode())


def plant(redis: Redis, job_id: str = "planted", **fields: Any) -> None:
    """Put a job into the queue as anybody may; it is a good one but for the fields."""
    good = {"data": packed(RUN_IMPORT, None, [str(ONE)], {}), "origin": IMPORTS, "status": "queued"}
    mapping: dict[Any, Any] = {**good, **fields}
    redis.hset(Job.key_for(job_id), mapping=mapping)
    redis.rpush(f"rq:queue:{IMPORTS}", job_id)


@pytest.fixture
def queues(redis_url: str, jobs: RqJobs) -> RqQueues:
    return RqQueues(redis_url, jobs)


def worked(queues: RqQueues, jobs: RqJobs) -> list[tuple[str, ...]]:
    """What is done of all that waits, and of a good job that waits behind it."""
    jobs.undo_import(ONE)
    handler = Handler(until=99)
    queues.run_import_jobs(handler, lambda: ("undo_import", str(ONE)) in handler.done or handler.is_done())
    return handler.done


def test_a_pickled_job_is_neither_unpickled_nor_run_and_is_dropped_with_a_log_line(
    redis: Redis, queues: RqQueues, jobs: RqJobs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    planted = tmp_path / "planted"
    pickled = pickle.dumps(Bomb(planted))
    plant(redis, data=zlib.compress(pickled))
    plant(redis, "by-meta", meta=pickled)
    plant(redis, "by-result", result=pickled)
    redis.xadd("rq:results:by-result", {"type": "1", "return_value": pickled.hex()})

    done = worked(queues, jobs)

    assert not planted.exists()
    assert done == [("run_import", str(ONE))] * 2 + [("undo_import", str(ONE))]
    assert "does not have this version's format: it is dropped" in caplog.text
    assert not redis.exists(Job.key_for("planted"))


def test_a_job_of_an_earlier_version_is_dropped(
    redis: Redis, queues: RqQueues, jobs: RqJobs, caplog: pytest.LogCaptureFixture
) -> None:
    Queue(IMPORTS, connection=redis).enqueue_call(
        RUN_IMPORT, args=(str(ONE),), job_id=f"run_import-{ONE}", meta={"correlation_id": "c0ffee"}
    )

    assert worked(queues, jobs) == [("undo_import", str(ONE))]

    assert "The sweep finds its work." in caplog.text
    jobs.run_import(ONE)
    assert Queue(IMPORTS, connection=redis).job_ids == [f"run_import-{ONE}"], "its name is free again"


def test_a_failed_job_of_an_earlier_version_is_dropped_before_its_retry(redis: Redis, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    plant(redis, data=zlib.compress(pickle.dumps(Bomb(planted))), meta=pickle.dumps(Bomb(planted)))
    plant(redis, "malformed", status="no such status")
    redis.delete(f"rq:queue:{IMPORTS}")
    registry = Queue(IMPORTS, connection=redis).scheduled_job_registry
    waiting: dict[Any, Any] = {"planted": 1, "malformed": 1, "not there": 1, b"\xff": 1, "plan ted": 1}
    redis.zadd(registry.key, waiting)

    schedule = Schedule(redis, queue=UPKEEP, every={}, retried=[IMPORTS])
    schedule.keep()
    schedule.leave()

    assert not planted.exists()
    assert redis.zcard(registry.key) == 0
    assert redis.llen(f"rq:queue:{IMPORTS}") == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"data": b""},
        {"data": b"not compressed"},
        {"data": zlib.compress(b"\x80")},
        {"data": zlib.compress(b"7")},
        {"data": zlib.compress(TOO_DEEP)},
        {"data": packed(RUN_IMPORT, None, [str(ONE)], {})[:-1]},
        {"data": packed(RUN_IMPORT, None, [str(ONE)], {}) + b"more"},
        {"data": packed(RUN_IMPORT, "an instance", [str(ONE)], {})},
        {"data": packed(RUN_IMPORT, None, [str(ONE)], {"import_id": str(ONE)})},
        {"data": packed(RUN_IMPORT, None, {"0": str(ONE)}, {})},
        {"data": packed(RUN_IMPORT, None, [{"a": 1}], {})},
        {"data": packed(None, None, [], {})},
        {"data": packed("x" * MAX_DATA_BYTES, None, [], {})},
        {"data": zlib.compress(b" " * 100_000_000, level=9)[:MAX_DATA_BYTES]},
        {"meta": b"x" * 10_000},
        {"status": "no such status"},
        {"created_at": "yesterday"},
        {"retries_left": "many"},
        {"ttl": "long"},
        {"origin": b"\xff"},
        {b"\xff": "a name that is no text"},
    ],
    ids=repr,
)
def test_a_malformed_job_is_dropped_and_the_next_one_runs(
    redis: Redis, queues: RqQueues, jobs: RqJobs, fields: dict[Any, Any]
) -> None:
    plant(redis)
    redis.hset(Job.key_for("planted"), mapping=fields)

    assert worked(queues, jobs) == [("undo_import", str(ONE))]

    assert not redis.exists(Job.key_for("planted"))


@pytest.mark.parametrize("job_id", [b"", b"two words", b"\xff\xfe", b"x" * 10_000, b"../x", b"not-there"])
def test_an_invalid_job_id_is_skipped(redis: Redis, queues: RqQueues, jobs: RqJobs, job_id: bytes) -> None:
    redis.rpush(f"rq:queue:{IMPORTS}", job_id)
    redis.rpush(f"rq:queue:{IMPORTS}:intermediate", job_id)

    assert worked(queues, jobs) == [("undo_import", str(ONE))]


@pytest.mark.parametrize(
    "meta", [b"\x80\x04", b"7", b'{"correlation_id": 7}', b'{"correlation_id": "a\\nb"}', TOO_DEEP]
)
def test_an_invalid_correlation_id_is_ignored(redis: Redis, queues: RqQueues, meta: bytes) -> None:
    plant(redis, meta=meta)
    handler = Handler()

    queues.run_import_jobs(handler, handler.is_done)

    assert handler.correlation_ids in ([None], [])


@pytest.mark.parametrize(
    "meta", [b"7", b'{"traceparent": 7}', b'{"traceparent": "a\\nb"}', b'{"traceparent": "%s"}' % (b"0" * 56)]
)
def test_a_traceparent_that_is_none_is_left_out(redis: Redis, queues: RqQueues, meta: bytes) -> None:
    plant(redis, meta=meta)
    handler = Handler()

    queues.run_import_jobs(handler, handler.is_done)

    assert handler.traceparents == [None]


def test_callbacks_and_webhooks_planted_in_a_job_are_ignored(redis: Redis, queues: RqQueues, tmp_path: Path) -> None:
    (tmp_path / "planted_module.py").write_text(f"open({str(tmp_path / 'planted')!r}, 'w').close()")
    hook = {"url": "http://127.0.0.1:9/", "job_status": "finished", "method": "GET"}
    plant(
        redis,
        success_callback_name="planted_module.f",
        failure_callback_name="planted_module.f",
        stopped_callback_name="planted_module.f",
        webhooks=json.dumps([hook, {**hook, "job_status": "failed"}]),
        repeats_left=1000,
        repeat_intervals="[0]",
        group_id="a-group",
        rate_limit_key="a-key",
        rate_limit_concurrency=1,
        dependency_ids='["other"]',
        timeout=1,
        result_ttl=9999,
        retry_intervals="[0]",
        retries_left=10**9,
    )

    job = ValidatedJob.fetch("planted", redis)

    assert (job.success_callback, job.failure_callback, job.stopped_callback) == (None, None, None)
    assert (job.webhooks, job.repeats_left, job.group_id, job.has_rate_limit) == ([], None, None, False)
    assert (job.timeout, job.result_ttl, job.retries_left, job.retry_intervals) == (-1, 0, 4, [1, 3, 10, 30])
    handler = Handler()
    queues.run_import_jobs(handler, handler.is_done)
    assert handler.done == [("run_import", str(ONE))]
    assert not (tmp_path / "planted").exists()


def test_planted_callbacks_are_removed_when_a_job_is_stored_for_its_retry(redis: Redis, queues: RqQueues) -> None:
    plant(redis, failure_callback_name="os.getcwd", retries_left=1)
    handler = Handler(then=fail_with(Unavailable("The storage is away.")))

    queues.run_import_jobs(handler, handler.is_done)

    (job_id,) = Queue(IMPORTS, connection=redis).scheduled_job_registry.get_job_ids()
    assert redis.hget(Job.key_for(job_id), "failure_callback_name") == b""


def test_maintenance_of_the_registries_unpickles_nothing(
    redis: Redis, queues: RqQueues, jobs: RqJobs, tmp_path: Path
) -> None:
    planted = tmp_path / "planted"
    pickled = zlib.compress(pickle.dumps(Bomb(planted)))
    for job_id in ("abandoned", "failed", "lost"):
        plant(redis, job_id, data=pickled, status="started", failure_callback_name="os.getcwd")
    redis.delete(f"rq:queue:{IMPORTS}")
    redis.zadd(StartedJobRegistry.key_template.format(IMPORTS), {"abandoned:1": 1, "two words:1": 1})
    redis.zadd(FailedJobRegistry.key_template.format(IMPORTS), {"failed": 1})
    redis.rpush(f"rq:queue:{IMPORTS}:intermediate", "lost")
    redis.set(f"rq:queue:{IMPORTS}:intermediate:first_seen:lost", time.time() - 3600)

    assert worked(queues, jobs) == [("undo_import", str(ONE))]

    assert not planted.exists()


def test_commands_to_workers_are_ignored(redis: Redis, queues: RqQueues, jobs: RqJobs) -> None:
    jobs.run_import(ONE)

    def command() -> None:
        workers = SimpleWorker.all_keys(redis)
        assert len(workers) == 1
        send_shutdown_command(redis, workers[0].removeprefix("rq:worker:"))
        assert redis.pubsub_numpat() == 0
        assert redis.pubsub_channels() == []

    handler = Handler(then=command)

    queues.run_import_jobs(handler, handler.is_done)

    assert handler.done == [("run_import", str(ONE))]


def test_everything_that_is_written_to_redis_is_json(jobs: RqJobs, redis: Redis) -> None:
    jobs.run_import(ONE)
    jobs.deliver_events()
    Schedule(redis, queue=UPKEEP, every={recurring: 5}, retried=[]).keep()

    written: list[Any] = [redis.hgetall(key) for key in redis.scan_iter("rq:job:*")]

    assert len(written) == 4
    for fields in written:
        function, instance, arguments, named = json.loads(zlib.decompress(fields[b"data"]))
        assert (instance, named) == (None, {})
        assert isinstance(function, str)
        assert isinstance(arguments, list)
        json.loads(fields.get(b"meta", b"{}"))


def test_a_worker_reads_jobs_only_as_validated_json(redis: Redis) -> None:
    worker = RqWorker([IMPORTS], redis, Handler())

    assert {worker.serializer, *(queue.serializer for queue in worker.queues)} == {JSONSerializer}
    assert {queue.job_class for queue in worker.queues} == {ValidatedJob}
    assert logging.getLogger("rq.worker").name == worker.log.name
