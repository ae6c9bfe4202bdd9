"""Spans for calls to servers, begun only inside of a span that is recorded, and only so many in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry.context import Context, create_key, get_value, set_value
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, get_current_span, set_span_in_context

MAX_CALLS = 500
"""Spans of calls inside of one request, job or delivery; a large import makes hundreds of thousands of statements."""

LEFT_OUT = "unite.spans_left_out"
"""The attribute that says how many calls of a request, job or delivery have no span."""

_COUNT_KEY = create_key("unite-calls")

Attributes = Mapping[str, str | int]


@dataclass(slots=True)
class _CallCount:
    calls: int = 0


def counting_calls(span: Span, parent: Context) -> Context:
    """Return the context of a request, job or delivery, in which calls are counted from now on."""
    return set_span_in_context(span, set_value(_COUNT_KEY, _CallCount(), parent))


def end(span: Span, context: Context) -> None:
    """End the span of a request, job or delivery whose context this is."""
    count = get_value(_COUNT_KEY, context)
    if isinstance(count, _CallCount) and count.calls > MAX_CALLS:
        span.set_attribute(LEFT_OUT, count.calls - MAX_CALLS)
    span.end()


def fail(span: Span, error_type: str) -> None:
    """Mark what the span is of as failed, by a class of errors or a code: messages may quote what somebody entered."""
    span.set_attribute(ERROR_TYPE, error_type)
    span.set_status(Status(StatusCode.ERROR))


@dataclass(frozen=True, slots=True)
class CallSpans:
    """The spans of calls to servers."""

    tracer: Tracer

    def is_due(self) -> bool:
        """Return whether a call that begins now is to have a span, and count it."""
        if not get_current_span().is_recording():
            return False
        count = get_value(_COUNT_KEY)
        if not isinstance(count, _CallCount):
            return True
        count.calls += 1
        return count.calls <= MAX_CALLS

    def start(self, name: str, attributes: Attributes, kind: SpanKind = SpanKind.CLIENT) -> Span:
        """Start the span of a call that is due."""
        return self.tracer.start_span(name, kind=kind, attributes=attributes)
