"""Tracing of a process: its provider, the spans of its requests, jobs and deliveries, and the names of spans."""

import os
import weakref
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import requests
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id

from adapters.otel.context import attached, context_of, span_context, traceparent_of
from adapters.otel.destinations import TracedDestination
from adapters.otel.export import Flusher, Redact, RedactingExporter, limit_log
from adapters.otel.http_server import RouteOf, TracedWsgi, WsgiApplication
from adapters.otel.spans import CallSpans, counting_calls, end, fail
from unite_core.notifications.ports import Destination

PROCESS_JOB = "process"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceExport:
    """Where spans are sent, and how many.

    `endpoint` is the whole address at which a collector takes traces by OTLP over HTTP, and `headers` are for requests
    to it. `ratio` is the share of traces, from 0 to 1, that are recorded. `resource` describes the process; what
    OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say takes precedence. `redact` returns the value of an attribute, by
    its name, without secrets and personal data. At its end the process waits for at most `close_seconds` for its last
    spans to be exported. The exporter's other standard variables count as well.
    """

    endpoint: str
    resource: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ratio: float = 1.0
    redact: Redact = lambda _, value: value
    close_seconds: float = 2.0


class OtelTracing:
    """The tracing of one process, which begins now; close it at its end.

    A trace that begins here is recorded at the given ratio, and everything that follows from it is recorded if it is.
    """

    def __init__(self, export: TraceExport) -> None:
        limit_log()
        self._ratio = export.ratio
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(export.ratio)),
            resource=_resource(export.resource),
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(endpoint=export.endpoint, headers=export.headers, session=_session())
        self._provider.add_span_processor(BatchSpanProcessor(RedactingExporter(exporter, export.redact)))
        self._tracer = self._provider.get_tracer("unite")
        self._flusher = Flusher(self._provider, exporter, export.close_seconds)
        self.calls = CallSpans(self._tracer)

    def traced(self, application: WsgiApplication, route_of: RouteOf) -> WsgiApplication:
        """Return a WSGI application that runs `application` in a span for each request.

        `route_of` returns the template of the route that a request took, given its environment, or None.
        """
        return TracedWsgi(application, self._tracer, ratio=self._ratio, route_of=route_of)

    @contextmanager
    def job(
        self, function: str, arguments: tuple[str, ...], traceparent: str | None, *, begins_trace: bool
    ) -> Iterator[None]:
        """Run a job in a span that follows from the span `traceparent`, and export the spans at its end.

        A job without one has a span of its own if it `begins_trace`, and none otherwise.
        """
        parent = context_of(traceparent)
        has_span = begins_trace or span_context(parent).is_valid
        try:
            with self._job_span(function, arguments, parent) if has_span else attached(parent):
                yield
        finally:
            self._flusher.flush_soon()

    @contextmanager
    def _job_span(self, function: str, arguments: tuple[str, ...], parent: Context) -> Iterator[None]:
        name = function.rpartition(".")[2]
        attributes = {
            "messaging.system": "unite",
            "messaging.operation.name": PROCESS_JOB,
            "messaging.operation.type": PROCESS_JOB,
            "messaging.destination.name": name,
            "unite.job.arguments": arguments,
        }
        span = self._tracer.start_span(f"{PROCESS_JOB} {name}", parent, SpanKind.CONSUMER, attributes)
        context = counting_calls(span, parent)
        try:
            with attached(context):
                yield
        except BaseException as error:
            fail(span, type(error).__name__)
            raise
        finally:
            end(span, context)

    def following(self, traceparent: str | None) -> AbstractContextManager[None]:
        """Have what the block leaves to workers follow from the span `traceparent`; from none if that is None."""
        return attached(context_of(traceparent))

    def around(self, destination: Destination) -> Destination:
        """Return a destination that passes events on to this one, each in a span that follows from its own."""
        return TracedDestination(destination, self._tracer)

    def traceparent(self) -> str | None:
        """Return the name of the current span (W3C Trace Context), for what follows from it; None outside of any."""
        return traceparent_of(span_context())

    def log_fields(self) -> Mapping[str, str]:
        """Return `trace_id` and `span_id` of the current span, as OpenTelemetry writes them; empty outside of any."""
        current = span_context()
        if not current.is_valid:
            return {}
        return {"trace_id": format_trace_id(current.trace_id), "span_id": format_span_id(current.span_id)}

    def close(self) -> None:
        """Export the spans that have ended, for a bounded time, and none from now on."""
        self._flusher.close()


def _resource(described: Mapping[str, str]) -> Resource:
    return Resource.create({**described, **OTELResourceDetector().detect().attributes})


def _session() -> requests.Session:
    """Return a session for exports, whose connections a forked process does not share: two would write to the same."""
    session = requests.Session()
    reference = weakref.ref(session)

    def close_inherited() -> None:
        inherited = reference()
        if inherited is not None:
            inherited.close()

    os.register_at_fork(after_in_child=close_inherited)
    return session
