"""Spans of deliveries: each event is delivered in a span that follows from the one in which it was recorded."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from opentelemetry.trace import Link, Span, SpanKind, Tracer

from adapters.otel.context import attached, context_of, span_context, traceparent_of
from adapters.otel.spans import counting_calls, end, fail
from unite_core.errors import UniteError
from unite_core.events import Event
from unite_core.notifications.delivery_reports import DeliveryReport
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import Destination

DELIVER = "deliver"

_MESSAGE_IDS = ("message_id", "sid")
"""What responses call the id that a provider gave a message."""


class TracedDestination(Destination):
    """Passes events on to another destination, each in a span that follows from its `traceparent`.

    What is delivered carries the name of that span. Several events may be delivered by one call: that belongs to the
    first of them that is recorded, to which the others are linked.
    """

    def __init__(self, destination: Destination, tracer: Tracer) -> None:
        self.subscription = destination.subscription
        self._destination = destination
        self._tracer = tracer

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        spans = self._start(events)
        leading = _leading(spans)
        if leading is None:
            return self._destination.deliver(events, again)
        context = counting_calls(leading, context_of(None))
        named = [
            replace(event, traceparent=traceparent_of(span.get_span_context()))
            for event, span in zip(events, spans, strict=True)
        ]
        try:
            with attached(context):
                receipts = self._destination.deliver(named, again)
            for span, receipt in zip(spans, receipts, strict=False):
                _describe(span, receipt)
        except BaseException as error:
            for span in spans:
                fail(span, error.code if isinstance(error, UniteError) else type(error).__name__)
            raise
        finally:
            for span in spans:
                end(span, context if span is leading else context_of(None))
        return receipts

    def ping(self) -> None:
        self._destination.ping()

    def report_of(self, response: Mapping[str, Any]) -> DeliveryReport | None:
        return self._destination.report_of(response)

    def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:
        return self._destination.look_up(message_id, short_timeouts=short_timeouts)

    def follow_up_of(self, response: Mapping[str, Any]) -> Sequence[timedelta]:
        return self._destination.follow_up_of(response)

    def _start(self, events: Sequence[Event]) -> list[Span]:
        job = span_context()
        links = [Link(job)] if job.is_valid else []
        spans: list[Span] = []
        for event in events:
            leading = _leading(spans)
            span = self._tracer.start_span(
                f"{DELIVER} {self.subscription.name}",
                context_of(event.traceparent),
                SpanKind.CONSUMER,
                {
                    "messaging.system": "unite",
                    "messaging.operation.name": DELIVER,
                    "messaging.operation.type": "process",
                    "messaging.destination.name": self.subscription.name,
                    "messaging.message.id": str(event.id),
                    "messaging.batch.message_count": len(events),
                    "unite.event.type": event.type,
                },
                links if leading is None else [*links, Link(leading.get_span_context())],
            )
            spans.append(span)
        return spans


def _leading(spans: Sequence[Span]) -> Span | None:
    """Return the span that the call of a delivery belongs to: the first one that is recorded."""
    return next((span for span in spans if span.is_recording()), None)


def _describe(span: Span, receipt: Receipt) -> None:
    if not span.is_recording():
        return
    message_id = next((receipt.response[name] for name in _MESSAGE_IDS if receipt.response.get(name)), None)
    if message_id is not None:
        span.set_attribute("unite.delivery.message_id", str(message_id))
    if receipt.skipped:
        span.set_attribute("unite.delivery.skipped", str(receipt.response.get("reason", "")))
    elif not receipt.accepted:
        fail(span, str(receipt.response.get("error_code") or receipt.response.get("error") or "refused"))
