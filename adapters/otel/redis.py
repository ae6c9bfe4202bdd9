"""Spans of the commands of redis-py (semantic conventions for database clients), without keys and values."""

from collections.abc import Callable
from typing import Any

from opentelemetry.semconv.attributes.db_attributes import (
    DB_NAMESPACE,
    DB_OPERATION_BATCH_SIZE,
    DB_OPERATION_NAME,
    DB_SYSTEM_NAME,
)
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from redis import Redis
from redis.client import Pipeline

from adapters.otel.spans import CallSpans, fail


def traced_redis(spans: CallSpans) -> type[Redis]:
    """Return the class of a client whose commands are recorded."""

    class OwnRedis(_TracedRedis):
        calls = spans

    return OwnRedis


class _TracedRedis(Redis):
    calls: CallSpans

    def execute_command(self, *args: Any, **options: Any) -> Any:
        execute: Callable[..., Any] = super().execute_command
        return _in_span(self, self.calls, str(args[0]), 1, lambda: execute(*args, **options))

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:
        pipeline = _TracedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipeline.calls = self.calls
        pipeline.operation = "MULTI" if transaction else "PIPELINE"
        return pipeline


class _TracedPipeline(Pipeline):
    calls: CallSpans
    operation: str

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        execute = super().execute
        results: list[Any] = _in_span(self, self.calls, self.operation, len(self), lambda: execute(raise_on_error))
        return results


def _in_span(client: Redis, spans: CallSpans, command: str, count: int, execute: Callable[[], Any]) -> Any:
    if not spans.is_due():
        return execute()
    where = client.connection_pool.connection_kwargs
    attributes: dict[str, str | int] = {
        DB_SYSTEM_NAME: "redis",
        DB_OPERATION_NAME: command,
        DB_NAMESPACE: str(where.get("db", 0)),
        SERVER_ADDRESS: str(where.get("host", "localhost")),
        SERVER_PORT: int(where.get("port", 6379)),
    }
    if count > 1:
        attributes[DB_OPERATION_BATCH_SIZE] = count
    span = spans.start(command, attributes)
    try:
        return execute()
    except Exception as error:
        fail(span, type(error).__name__)
        raise
    finally:
        span.end()
