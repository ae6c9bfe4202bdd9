"""Spans of commands to Redis: their names alone."""

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from adapters.otel.redis import traced_redis
from adapters.redis.connection import RedisServer
from adapters.rq.jobs import RqJobs
from tests.adapters.otel.conftest import Traced


@pytest.fixture
def server(redis_url: str, traced: Traced) -> RedisServer:
    return RedisServer(redis_url, client=traced_redis(traced.tracing.calls))


def test_a_command_is_a_span_without_keys_and_values(server: RedisServer, traced: Traced) -> None:
    with traced.job():
        server.call(lambda redis: redis.set("user:ann@example.com", "+12025550187"))
        assert server.call(lambda redis: redis.get("user:ann@example.com")) == b"+12025550187"

    job, *calls = traced.spans()
    assert [(span.name, span.kind, span.parent) for span in calls] == [
        ("SET", "client", job.id),
        ("GET", "client", job.id),
    ]
    assert calls[0].attributes.keys() == {
        "db.system.name", "db.operation.name", "db.namespace", "server.address", "server.port",
    }  # fmt: skip
    assert calls[0].attributes["db.system.name"] == "redis"
    assert b"ann@" not in traced.sent()
    assert b"2025550187" not in traced.sent()


@pytest.mark.parametrize(("transaction", "name"), [(True, "MULTI"), (False, "PIPELINE")])
def test_commands_that_are_sent_together_are_one_span(
    server: RedisServer, traced: Traced, *, transaction: bool, name: str
) -> None:
    def write(redis: Redis) -> None:
        with redis.pipeline(transaction=transaction) as pipeline:
            pipeline.set("a", 1)
            pipeline.set("b", 2)
            pipeline.execute()

    with traced.job():
        server.call(write)

    (span,) = traced.calls()
    assert (span.name, span.attributes["db.operation.batch.size"]) == (name, 2)


def test_a_command_that_fails_says_by_what_kind_of_error(redis_url: str, traced: Traced) -> None:
    with traced_redis(traced.tracing.calls).from_url(redis_url) as redis, traced.job():
        redis.set("name", "Ann")
        with pytest.raises(ResponseError):
            redis.incr("name")

    failed = traced.calls()[-1]
    assert (failed.name, failed.failed, failed.attributes["error.type"]) == ("INCRBY", True, "ResponseError")


def test_a_job_can_be_enqueued_by_a_traced_client(server: RedisServer, traced: Traced) -> None:
    jobs = RqJobs(server, destinations=["activity"], traceparent=traced.tracing.traceparent)

    with traced.job():
        jobs.deliver_events()

    assert all(span.attributes["db.system.name"] == "redis" for span in traced.calls())
    assert len(traced.calls()) >= 1


def test_outside_of_a_span_commands_have_none(server: RedisServer, traced: Traced) -> None:
    server.ping()

    assert traced.spans() == []
