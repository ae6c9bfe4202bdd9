"""Spans of jobs and deliveries: each follows from what caused it, also where several are done at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.adapters.otel.conftest import Begin, Traced
from unite_core.errors import NotFound, Unavailable
from unite_core.events import Event
from unite_core.notifications.delivery_reports import DeliveryReport, MessageProgress
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import Destination
from unite_core.notifications.subscriptions import TOPIC_SUBSCRIPTION
from unite_core.testing.builders import an_event

TRACES = ("4b" * 16, "5c" * 16)
SPANS = ("f0" * 8, "e1" * 8)
NAMES = tuple(f"00-{trace}-{span}-01" for trace, span in zip(TRACES, SPANS, strict=True))


@dataclass
class Recipient(Destination):
    """Answers with the receipts of a test, and calls a server before."""

    traced: Traced
    receipts: Sequence[Receipt] = ()
    error: Exception | None = None
    subscription = TOPIC_SUBSCRIPTION
    got: list[Event] = field(default_factory=list)
    again: Collection[UUID] = ()

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        self.got += events
        self.again = again
        if self.traced.tracing.calls.is_due():
            self.traced.tracing.calls.start("call", {}).end()
        if self.error is not None:
            raise self.error
        return self.receipts or [Receipt(accepted=True) for _ in events]


def test_an_event_is_delivered_in_a_span_that_follows_from_its_own(traced: Traced) -> None:
    recipient = Recipient(traced, [Receipt(accepted=True, response={"message_id": "m-1"})])
    event = an_event(type="lead.created", traceparent=NAMES[0])

    receipts = traced.tracing.around(recipient).deliver([event], {event.id})

    delivered, called = traced.spans()
    assert (delivered.name, delivered.kind) == ("deliver topic", "consumer")
    assert (delivered.trace_id, delivered.parent) == (TRACES[0], SPANS[0])
    assert (called.parent, called.trace_id) == (delivered.id, TRACES[0])
    assert delivered.attributes == {
        "messaging.system": "unite",
        "messaging.operation.name": "deliver",
        "messaging.operation.type": "process",
        "messaging.destination.name": "topic",
        "messaging.message.id": str(event.id),
        "messaging.batch.message_count": 1,
        "unite.event.type": "lead.created",
        "unite.delivery.message_id": "m-1",
    }
    assert receipts == recipient.receipts
    assert (recipient.got, recipient.again) == ([event], {event.id})
    assert delivered.is_named(recipient.got[0].traceparent)


def test_events_of_two_traces_that_are_delivered_at_once_are_linked_to_one_call(traced: Traced) -> None:
    recipient = Recipient(traced)
    events = [an_event(traceparent=name) for name in NAMES]

    traced.tracing.around(recipient).deliver(events)

    spans = traced.spans()
    first, second = (next(span for span in spans if span.parent == parent) for parent in SPANS)
    (call,) = (span for span in spans if span.name == "call")
    assert (first.trace_id, second.trace_id) == TRACES
    assert call.parent == first.id
    assert (first.links, second.links) == ((), (first.id,))
    assert first.is_named(recipient.got[0].traceparent)
    assert second.is_named(recipient.got[1].traceparent)


def test_the_call_belongs_to_the_first_event_that_is_recorded(traced: Traced) -> None:
    unsampled = NAMES[0].removesuffix("1") + "0"

    traced.tracing.around(Recipient(traced)).deliver([an_event(traceparent=unsampled), an_event(traceparent=NAMES[1])])

    delivered, call = traced.spans()
    assert (delivered.parent, call.parent) == (SPANS[1], delivered.id)


def test_events_that_are_not_recorded_are_delivered_as_they_are(begin: Begin) -> None:
    traced = begin(ratio=0.0)
    recipient = Recipient(traced)
    unsampled = NAMES[0].removesuffix("1") + "0"
    events = [an_event(traceparent=unsampled), an_event()]

    traced.tracing.around(recipient).deliver(events)

    assert [event.traceparent for event in recipient.got] == [unsampled, None]
    assert traced.spans() == []


def test_an_event_without_a_span_begins_a_trace(traced: Traced) -> None:
    traced.tracing.around(Recipient(traced)).deliver([an_event()])

    assert [span.parent == "" for span in traced.spans()] == [True, False]


@pytest.mark.parametrize(
    ("receipt", "attributes", "failed"),
    [
        (
            Receipt(accepted=False, skipped=True, response={"reason": "no_phone"}),
            {"unite.delivery.skipped": "no_phone"},
            False,
        ),
        (Receipt(accepted=False, refused=True, response={"error_code": 21211}), {"error.type": "21211"}, True),
        (Receipt(accepted=False, response={"error": "not_taken"}), {"error.type": "not_taken"}, True),
        (Receipt(accepted=False), {"error.type": "refused"}, True),
        (Receipt(accepted=True, response={"sid": "SM1"}), {"unite.delivery.message_id": "SM1"}, False),
    ],
)
def test_a_span_says_what_became_of_its_event(
    traced: Traced, receipt: Receipt, attributes: dict[str, str], *, failed: bool
) -> None:
    traced.tracing.around(Recipient(traced, [receipt])).deliver([an_event(traceparent=NAMES[0])])

    delivered = traced.spans()[0]
    assert attributes.items() <= delivered.attributes.items()
    assert delivered.failed is failed


@pytest.mark.parametrize(
    ("error", "kind"), [(Unavailable("Twilio does not answer."), "unavailable"), (KeyError("+12025550187"), "KeyError")]
)
def test_all_events_of_a_delivery_that_fails_have_failed(traced: Traced, error: Exception, kind: str) -> None:
    recipient = Recipient(traced, error=error)

    with pytest.raises(type(error)):
        traced.tracing.around(recipient).deliver([an_event(traceparent=name) for name in NAMES])

    delivered = [span for span in traced.spans() if span.name == "deliver topic"]
    assert [(span.failed, span.attributes["error.type"]) for span in delivered] == [(True, kind)] * 2
    assert b"2025550187" not in traced.sent()


def test_all_else_is_asked_of_the_destination_itself(traced: Traced) -> None:
    report = DeliveryReport(message_id="m-1", progress=MessageProgress.DELIVERED, response={})

    class Reporting(Recipient):
        def ping(self) -> None:
            raise Unavailable("It does not answer.")

        def report_of(self, response: Any) -> DeliveryReport | None:
            return report if response else None

        def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:
            raise NotFound(f"{message_id} {short_timeouts}")

        def follow_up_of(self, response: Any) -> Sequence[timedelta]:
            return [timedelta(minutes=len(response))]

    around = traced.tracing.around(Reporting(traced))

    assert around.subscription is TOPIC_SUBSCRIPTION
    assert around.report_of({"a": 1}) is report
    assert around.follow_up_of({"a": 1}) == [timedelta(minutes=1)]
    with pytest.raises(Unavailable):
        around.ping()
    with pytest.raises(NotFound, match="m-1 True"):
        around.look_up("m-1", short_timeouts=True)


def test_a_job_follows_from_what_enqueued_it(traced: Traced) -> None:
    with traced.tracing.job("entrypoints.worker.jobs.run_import", ("0190",), NAMES[0], begins_trace=True):
        fields = traced.tracing.log_fields()

    (job,) = traced.spans()
    assert (job.name, job.kind, job.trace_id, job.parent) == ("process run_import", "consumer", TRACES[0], SPANS[0])
    assert job.attributes["unite.job.arguments"] == ["0190"]
    assert fields == {"trace_id": job.trace_id, "span_id": job.id}


def test_a_delivery_in_a_job_of_another_trace_is_linked_to_it(traced: Traced) -> None:
    with traced.tracing.job("entrypoints.worker.jobs.relay", ("topic",), NAMES[1], begins_trace=False):
        traced.tracing.around(Recipient(traced)).deliver([an_event(traceparent=NAMES[0])])

    job, delivered = (next(span for span in traced.spans() if span.parent == parent) for parent in reversed(SPANS))
    assert (job.trace_id, delivered.trace_id, delivered.links) == (TRACES[1], TRACES[0], (job.id,))


def test_a_recurring_job_has_no_span_and_nor_has_what_it_calls(traced: Traced) -> None:
    with traced.tracing.job("entrypoints.worker.jobs.sweep", (), None, begins_trace=False):
        assert traced.tracing.traceparent() is None
        assert not traced.tracing.calls.is_due()

    assert traced.spans() == []


def test_a_job_that_fails_says_by_what_kind_of_error(traced: Traced) -> None:
    with pytest.raises(ZeroDivisionError), traced.job():
        raise ZeroDivisionError("+12025550187")

    (job,) = traced.spans()
    assert (job.failed, job.attributes["error.type"], job.description) == (True, "ZeroDivisionError", "")
    assert b"2025550187" not in traced.sent()


@pytest.mark.parametrize("name", [NAMES[0], None, "nothing of the kind"])
def test_what_a_block_leaves_follows_from_the_span_that_it_names(traced: Traced, name: str | None) -> None:
    with traced.job():
        with traced.tracing.following(name):
            inside = traced.tracing.traceparent()
        outside = traced.tracing.traceparent()

    assert inside == (name if name == NAMES[0] else None)
    assert traced.spans()[0].is_named(outside)
