"""Names of spans as text (W3C Trace Context), and contexts of OpenTelemetry for them."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import SpanContext, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

HEADER = "traceparent"

_PROPAGATOR = TraceContextTextMapPropagator()


def context_of(traceparent: str | None) -> Context:
    """Return a context whose current span is the one that is named; an empty one for None and for a malformed name."""
    return _PROPAGATOR.extract({HEADER: traceparent}, Context()) if traceparent else Context()


def span_context(context: Context | None = None) -> SpanContext:
    """Return what names the current span of the context, by default of the current one; invalid if there is none."""
    return get_current_span(context).get_span_context()


def traceparent_of(span: SpanContext) -> str | None:
    """Return the name of the span; None if it is invalid."""
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}" if span.is_valid else None


@contextmanager
def attached(context: Context) -> Iterator[None]:
    """Make the context the current one while the block runs."""
    token = attach(context)
    try:
        yield
    finally:
        detach(token)
