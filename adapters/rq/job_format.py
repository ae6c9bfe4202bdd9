"""The form that jobs have in Redis: JSON, strictly checked, because anybody with access to Redis can write there.

RQ's own form is pickle, which runs code of the writer's choice as it is read, and its jobs name functions to import
and addresses to call. Nothing of that is read here: docs/decisions/0026-what-comes-from-redis-is-not-trusted.md.
"""

import logging
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, Self

from redis import Redis
from rq.exceptions import DeserializationError, NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from adapters.rq.jobs import FAILED_JOB_TTL, NO_TIMEOUT, RETRIES

log = logging.getLogger(__name__)

MAX_DATA_BYTES = 1024
"""The most that the name of a function and its arguments take, unpacked."""

MAX_META_BYTES = 1024
MAX_CORRELATION_ID_LENGTH = 128
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
"""What is read of a job. The rest of what RQ knows names callbacks to import, webhooks to call, or other jobs."""

# What reading a value raises that is not of its form. A `RecursionError` is JSON that is nested too deeply.
MALFORMED = (ValueError, TypeError, LookupError, OverflowError, RecursionError, zlib.error, DeserializationError)


class JobHandler(Protocol):
    """Carries a job out, given the name of its function and what it is about."""

    def __call__(self, function: str, *about: str, correlation_id: str | None) -> None: ...


class ValidatedJob(Job):
    """A job that a hand carries out: its function is a name, which is never imported.

    A job that is not of this form, as one of an earlier version is not, does not exist: reading it raises
    `NoSuchJobError`, removes it from Redis, and says so in the log. What it was for stands in the database.
    """

    hand: JobHandler

    def __init__(self, id: str | None = None, connection: Redis | None = None, serializer: object = None) -> None:  # noqa: A002 - RQ calls it so
        del serializer  # there is one
        super().__init__(id, connection, JSONSerializer)

    @classmethod
    def fetch(cls, id: str, connection: Redis | None = None, serializer: object = None) -> Self:  # noqa: A002 - RQ calls it so
        try:
            job: Self = super().fetch(id, connection, serializer)  # type: ignore[assignment]  # RQ names its own class
        except MALFORMED as error:
            log.warning("The id of a job in Redis is not of its form: it is dropped.", extra={"job_id": _logged(id)})
            raise NoSuchJobError(_logged(id)) from error
        return job

    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        """Take what Redis holds of the job; raises `NoSuchJobError` where that is not of its form."""
        try:
            self._restore(raw_data)
        except MALFORMED as error:
            self.connection.delete(self.key)
            log.warning(
                "A job in Redis is not of this version's form: it is dropped. The sweep finds what it was for.",
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
        self.meta = {"correlation_id": _correlation_id(self.meta)}
        # What an attempt may take and leave is the same for all jobs, whatever Redis says.
        self.timeout = NO_TIMEOUT
        self.result_ttl = 0
        self.failure_ttl = FAILED_JOB_TTL
        self.retry_intervals = [*RETRIES]
        if self.retries_left is not None:
            self.retries_left = min(self.retries_left, len(RETRIES))

    @property
    def func(self) -> Callable[..., None]:
        return partial(self.hand, str(self.func_name), correlation_id=self.meta.get("correlation_id"))


def _unpacked(data: bytes) -> bytes:
    """The data of a job, which RQ compresses; raises `ValueError` where it is larger than any job's."""
    unpacking = zlib.decompressobj()
    unpacked = unpacking.decompress(_bounded(data, MAX_DATA_BYTES), MAX_DATA_BYTES)
    if not unpacking.eof or unpacking.unused_data:
        raise ValueError("The data is too large, or not whole.")
    return unpacked


def _bounded(value: bytes, maximum: int) -> bytes:
    if len(value) > maximum:
        raise ValueError(f"There are more than {maximum} bytes.")
    return value


def _check(function: object, instance: object, arguments: object, named: object) -> None:
    """Raise `TypeError` where a job is anything but a name and texts: whether they are known ones, its hand knows."""
    if not isinstance(function, str) or instance is not None or named != {}:
        raise TypeError("A job is the name of a function and its arguments.")
    if not isinstance(arguments, list) or not all(isinstance(argument, str) for argument in arguments):
        raise TypeError("The arguments of a job are a list of texts.")


def _correlation_id(meta: object) -> str | None:
    """The id of the request that the job follows from; None where there is none, or something else is in its place."""
    found = meta.get("correlation_id") if isinstance(meta, dict) else None
    if isinstance(found, str) and len(found) <= MAX_CORRELATION_ID_LENGTH and found.isascii() and found.isprintable():
        return found
    return None


def _logged(value: Any) -> str:
    return repr(value)[:MAX_LOGGED_LENGTH]
