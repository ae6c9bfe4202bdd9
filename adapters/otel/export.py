"""Export spans by OTLP over HTTP, without secrets and personal data."""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

LOG_INTERVAL = 60.0
"""Seconds between two lines of the log that say the same of a collector, which fails at every export."""

Redact = Callable[[str, Any], Any]
"""A function that returns the value of an attribute, given its name, without secrets and personal data."""


_LOGGERS = ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk._shared_internal")


class RedactingExporter(SpanExporter):
    """Passes spans on to another exporter, without secrets and personal data in what they say."""

    def __init__(self, exporter: SpanExporter, redact: Redact) -> None:
        self._exporter = exporter
        self._redact = redact

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([self._redacted(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._exporter.force_flush(timeout_millis)

    def _redacted(self, span: ReadableSpan) -> ReadableSpan:
        return ReadableSpan(
            name=self._redact("name", span.name),
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=self._attributes(span.attributes),
            events=[
                Event(self._redact("name", event.name), self._attributes(event.attributes), event.timestamp)
                for event in span.events
            ],
            links=span.links,
            kind=span.kind,
            status=Status(span.status.status_code, self._redact("description", span.status.description)),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    def _attributes(self, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
        return {name: self._redact(name, value) for name, value in (attributes or {}).items()}


class ExportLog(logging.Filter):
    """Lets pass what the SDK logs of exports as warnings, and a message of a kind once a minute.

    To lose spans is no error of the service, and errors alarm people.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._logged_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = self._clock()
        if now - self._logged_at.get(record.msg, -LOG_INTERVAL) < LOG_INTERVAL:
            return False
        self._logged_at[record.msg] = now
        if record.levelno > logging.WARNING:
            record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
        return True


def limit_log() -> None:
    """Have the SDK log failed exports as warnings, and each of them once a minute."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, ExportLog) for each in logger.filters):
            logger.addFilter(ExportLog())


class Flusher:
    """Exports what spans a process has, while nobody waits, or for at most some `seconds` at its end.

    The provider's own ways wait as long as the collector takes: `force_flush` for every batch that is queued.
    """

    def __init__(self, provider: TracerProvider, exporter: SpanExporter, seconds: float) -> None:
        self._provider = provider
        self._exporter = exporter
        self._seconds = seconds
        self._process = os.getpid()
        self._due = threading.Event()
        threading.Thread(target=self._flush_when_due, name="trace flush", daemon=True).start()

    def flush_soon(self) -> None:
        """Export the spans that have ended, and return at once.

        A forked process waits for them: it may end by `os._exit`, and exports nothing after that.
        """
        if os.getpid() == self._process:
            self._due.set()
        else:
            _run(self._provider.force_flush, self._seconds)

    def close(self) -> None:
        """Export the spans that have ended, and none from now on."""
        if not _run(self._provider.shutdown, self._seconds):
            self._exporter.shutdown()  # it tries no more

    def _flush_when_due(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            self._provider.force_flush()


def _run(function: Callable[[], object], seconds: float) -> bool:
    """Run the function, and return whether it ended within some seconds; otherwise it ends with the process."""
    thread = threading.Thread(target=function, name="trace export", daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()
