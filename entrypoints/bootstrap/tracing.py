"""Start the tracing of a process, and have the clients of servers traced; nothing is imported for it if it is off."""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from entrypoints.bootstrap.refusal import StartRefused
from entrypoints.capacity import TRACES_SECONDS
from entrypoints.logs import SERVICE, name_spans
from entrypoints.redaction import redacted_value
from entrypoints.settings import Settings
from entrypoints.settings.choices import TraceExporter
from entrypoints.settings.variables import TRACES
from unite_core import __version__

if TYPE_CHECKING:
    from boto3.session import Session
    from pymongo.monitoring import CommandListener
    from redis import Redis
    from requests.adapters import HTTPAdapter
    from sqlalchemy import Engine

    from adapters.otel.tracing import OtelTracing


def require_packages(settings: Settings) -> None:
    """Raise `StartRefused` if the settings say that the service is traced, and the packages for it are missing."""
    if settings.traces is None:
        return
    try:
        import adapters.otel  # noqa: F401 - it raises the error
    except ModuleNotFoundError as error:
        raise StartRefused(
            f"{TRACES.name} is {TraceExporter.OTLP}, and {error.name} is not installed: "
            "pip install --require-hashes -r requirements/otel.txt"
        ) from error


@contextmanager
def tracing_of(settings: Settings, component: str) -> Iterator["OtelTracing | None"]:
    """Trace this process while the block runs, if the settings say so, and name the spans in its log.

    It exports its last spans at the end.

    `component` is the part of the service that the process is. Not for a process that forks others later: it starts
    threads. Raises `StartRefused` if the packages for it are missing.
    """
    traces = settings.traces
    if traces is None:
        yield None
        return
    require_packages(settings)
    from adapters.otel.tracing import OtelTracing, TraceExport

    tracing = OtelTracing(
        TraceExport(
            resource={
                "service.name": SERVICE,
                "service.version": __version__,
                "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
                "unite.component": component,
            },
            endpoint=traces.endpoint,
            headers=traces.headers,
            ratio=traces.ratio,
            redact=redacted_value,
            close_seconds=TRACES_SECONDS,
        )
    )
    name_spans(tracing.log_fields)
    try:
        yield tracing
    finally:
        tracing.close()


def trace_database(engine: "Engine", tracing: "OtelTracing | None") -> None:
    """Have the statements of an engine traced."""
    if tracing is not None:
        from adapters.otel.sql import trace_statements

        trace_statements(engine, tracing.calls)


def redis_client(tracing: "OtelTracing | None") -> "type[Redis]":
    """Return the class of the client of Redis."""
    from redis import Redis

    if tracing is None:
        return Redis
    from adapters.otel.redis import traced_redis

    return traced_redis(tracing.calls)


def mongodb_listeners(tracing: "OtelTracing | None") -> "Sequence[CommandListener]":
    """Return what a client of MongoDB tells of its commands."""
    if tracing is None:
        return ()
    from adapters.otel.mongo import MongoSpans

    return (MongoSpans(tracing.calls),)


def aws_listener(tracing: "OtelTracing | None") -> "Callable[[Session], None] | None":
    """Return what listens to the calls of the clients of a session of boto3."""
    if tracing is None:
        return None
    from adapters.otel.aws import trace_calls

    return partial(trace_calls, spans=tracing.calls)


def twilio_transport(tracing: "OtelTracing | None") -> "Callable[[], HTTPAdapter] | None":
    """Return what creates the transport of the requests to Twilio, if it is not the usual one."""
    if tracing is None:
        return None
    from adapters.otel.http_client import TracedAdapter

    return partial(TracedAdapter, tracing.calls)
