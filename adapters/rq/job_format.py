"""Format of jobs in Redis: JSON, strictly validated, because anyone with access to Redis can write there.

RQ's own format is pickle, which runs code chosen by the writer when it is read. Its jobs also name functions to import
and URLs to call. None of that is read here: docs/decisions/0026-what-comes-from-redis-is-not-trusted.md.
"""

import logging
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Self

from redis import Redis
from rq.exceptions import DeserializationError, NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from adapters.rq.jobs import FAILED_JOB_TTL, NO_TIMEOUT, RETRIES
from unite_core.jobs import JobHandler

log = logging.getLogger(__name__)

MAX_DATA_BYTES = 1024
"""Limit of the name of a function and its arguments, after decompression."""

MAX_META_BYTES = 1024
MAX_CORRELATION_ID_LENGTH = 128
TRACEPARENT_LENGTH = 55
MAX_LOGGED_LENGTH = 100

_FIELDS = frozenset(
    {
        "created_at",
        "data",
        "ended_at",
        "enqueued_at",
        "last_heartbeat",
        "meta",
        "origin",
        "retries_left",
        "started_at",
        "status",
        "ttl",
        "worker_name",
    }
)
"""The fields of a job that are read. RQ's other fields name callbacks to import, webhooks to call, or other jobs."""

# The errors of reading a malformed value. JSON that is nested too deeply is a `RecursionError`.
MALFORMED = (ValueError, TypeError, LookupError, OverflowError, RecursionError, zlib.error, DeserializationError)


class ValidatedJob(Job):
    """A job that `handler` executes. Its function is only a name, which is never imported.

    A malformed job, such as one of an earlier version, is treated as missing: reading it raises `NoSuchJobError`,
    removes it from Redis and logs a warning. Its work is recorded in the database.
    """

    handler: JobHandler

    def __init__(self, id: str | None = None, connection: Redis | None = None, serializer: object = None) -> None:  # noqa: A002 - RQ's name
        del serializer  # it is always the one for JSON
        super().__init__(id, connection, JSONSerializer)

    @classmethod
    def fetch(cls, id: str, connection: Redis | None = None, serializer: object = None) -> Self:  # noqa: A002 - RQ's name
        try:
            job: Self = super().fetch(id, connection, serializer)  # type: ignore[assignment]  # RQ names its own class
        except MALFORMED as error:
            log.warning("The id of a job in Redis is malformed: it is dropped.", extra={"job_id": _logged(id)})
            raise NoSuchJobError(_logged(id)) from error
        return job

    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        """Read the job from its fields in Redis; raise `NoSuchJobError` if they are malformed."""
        try:
            self._restore(raw_data)
        except MALFORMED as error:
            self.connection.delete(self.key)
            log.warning(
                "A job in Redis does not have this version's format: it is dropped. The sweep finds its work.",
                extra={"job_id": self.id, "reason": type(error).__name__},
            )
            raise NoSuchJobError(self.id) from error

    def _restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        fields = {name: value for key, value in raw_data.items() if (name := key.decode()) in _FIELDS}
        super().restore(
            {
                **fields,
                "data": _unpacked(fields["data"]),
                "meta": _bounded(fields.get("meta", b""), MAX_META_BYTES),
            }
        )
        _check(self.func_name, self.instance, self.args, self.kwargs)
        self.meta = {
            "correlation_id": _text(self.meta, "correlation_id", MAX_CORRELATION_ID_LENGTH),
            "traceparent": _text(self.meta, "traceparent", TRACEPARENT_LENGTH),
        }
        # Timeouts and retries are the same for all jobs, whatever is in Redis.
        self.timeout = NO_TIMEOUT
        self.result_ttl = 0
        self.failure_ttl = FAILED_JOB_TTL
        self.retry_intervals = [*RETRIES]
        if self.retries_left is not None:
            self.retries_left = min(self.retries_left, len(RETRIES))

    @property
    def func(self) -> Callable[..., None]:
        return partial(
            self.handler,
            str(self.func_name),
            correlation_id=self.meta.get("correlation_id"),
            traceparent=self.meta.get("traceparent"),
        )


def _unpacked(data: bytes) -> bytes:
    """Decompress the data of a job; raise `ValueError` if it is larger than `MAX_DATA_BYTES`."""
    decompressor = zlib.decompressobj()
    unpacked = decompressor.decompress(_bounded(data, MAX_DATA_BYTES), MAX_DATA_BYTES)
    if not decompressor.eof or decompressor.unused_data:
        raise ValueError("The data is too large, or incomplete.")
    return unpacked


def _bounded(value: bytes, max_bytes: int) -> bytes:
    if len(value) > max_bytes:
        raise ValueError(f"There are more than {max_bytes} bytes.")
    return value


def _check(function: object, instance: object, arguments: object, named: object) -> None:
    """Raise `TypeError` unless a job is a name with text arguments. `handler` checks whether the name is known."""
    if not isinstance(function, str) or instance is not None or named != {}:
        raise TypeError("A job is the name of a function and its arguments.")
    if not isinstance(arguments, list) or not all(isinstance(argument, str) for argument in arguments):
        raise TypeError("The arguments of a job are a list of texts.")


def _text(meta: object, name: str, max_length: int) -> str | None:
    """Return what the metadata of a job says about the request that enqueued it; None if that is malformed."""
    value = meta.get(name) if isinstance(meta, dict) else None
    if isinstance(value, str) and len(value) <= max_length and value.isascii() and value.isprintable():
        return value
    return None


def _logged(value: Any) -> str:
    return repr(value)[:MAX_LOGGED_LENGTH]
