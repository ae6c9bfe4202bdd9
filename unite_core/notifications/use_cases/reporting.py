"""Recording what is reported about text messages, and what their recipients answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import NotFound, Unavailable
from unite_core.ids import Ids
from unite_core.notifications.delivery_reports import DeliveryReport, Progress
from unite_core.notifications.destinations import opt_out_by_refusal
from unite_core.notifications.events import delivery_reported
from unite_core.notifications.model import Delivery, DeliveryStatus
from unite_core.notifications.ports import Consent, Destination, RelayUnitOfWork, TextsUnitOfWork
from unite_core.unit_of_work import UnitOfWorkFactory


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReport:
    """A report of the provider about the text message of a delivery.

    `response` is the report in the provider's own words, in plain values. `phone` is the number that the message went
    to (E.164), None where the report does not name it.
    """

    delivery_id: UUID
    response: Mapping[str, Any]
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class RecordTextReport:
    """Record how far a text message has come. Returns the delivery where that makes it a dead letter.

    Reports come late, twice and in any order: one that is not further than what is known has no effect, nor has one of
    a message that the delivery does not go by. The first report of a message whose relay died before it stored the
    answer makes the delivery a delivered one. A message that did not arrive makes its delivery a dead letter, and where
    the reason is an opt-out, the opt-out is stored.
    """

    work: UnitOfWorkFactory[TextsUnitOfWork]
    texts: Destination
    clock: Clock
    ids: Ids

    def __call__(self, command: TextReport) -> Delivery | None:
        report = self.texts.report_of(command.response)
        if report is None or report.progress is Progress.UNKNOWN:
            return None
        detailed = self._with_details(report)
        return retry_on_deadlock(lambda: self._record(command, detailed))

    def _with_details(self, report: DeliveryReport) -> DeliveryReport:
        """The report with the details of a message that has come to its end: its cost and its segments.

        The provider waits for us. What is not known by now is asked for later, by `FollowDeliveries`.
        """
        if not report.progress.final:
            return report
        try:
            return report.with_details_of(self.texts.look_up(report.message_id, hurried=True))
        except (NotFound, Unavailable):
            return report

    def _record(self, command: TextReport, report: DeliveryReport) -> Delivery | None:
        with self.work() as work:
            try:
                delivery = work.deliveries.get(command.delivery_id)
            except NotFound:
                return None
            if delivery.destination != self.texts.subscription.name:
                return None
            if not record_report(work, delivery, report, self.texts, self.clock, self.ids):
                return None
            if report.opted_out and command.phone is not None:
                work.consents.add(opt_out_by_refusal(delivery.id, command.phone, self.ids, self.clock))
            work.commit()
        return delivery if delivery.is_dead else None


def record_report(
    work: RelayUnitOfWork, delivery: Delivery, report: DeliveryReport, to: Destination, clock: Clock, ids: Ids
) -> bool:
    """Change the delivery as the report says, where that is news; whether it is."""
    known = to.report_of(delivery.response)
    if not _is_news(report, known, delivery):
        return False
    is_same = known is not None and known.message_id == report.message_id
    response = {**(delivery.response if is_same else {}), **report.response}
    now = clock.now()
    if report.progress is Progress.FAILED:
        delivery.refuse(response)
    elif delivery.status is DeliveryStatus.DELIVERED:
        delivery.follow(response, now, to.follow_up_of(response))
    else:
        delivery.succeed(response, now, to.follow_up_of(response))
    work.deliveries.put_back(delivery)
    work.record(delivery_reported(ids.new(), now, delivery))
    return True


def _is_news(report: DeliveryReport, known: DeliveryReport | None, delivery: Delivery) -> bool:
    """Whether the report says more than is known of the message that the delivery goes by.

    While a delivery is pending, it goes by the message that was sent last.
    """
    if known is None or known.message_id != report.message_id:
        return known is None or delivery.status is DeliveryStatus.PENDING
    if known.progress is report.progress and delivery.status is DeliveryStatus.DELIVERED:
        return report.complete and not known.complete
    return report.progress.is_beyond(known.progress)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConsent:
    """What the owner of a number said: no more messages (`opted_out`), or messages again.

    `source` is the id of the message in which they said so.
    """

    source: str
    phone: str = field(repr=False)
    opted_out: bool


@dataclass(frozen=True)
class RecordConsent:
    """Record that the owner of a number wants no more messages, or wants them again.

    The same message has its effect once, however often it is reported.
    """

    work: UnitOfWorkFactory[TextsUnitOfWork]
    clock: Clock
    ids: Ids

    def __call__(self, said: NewConsent) -> None:
        consent = Consent(
            id=self.ids.new(),
            phone=said.phone,
            opted_out=said.opted_out,
            at=self.clock.now(),
            source=said.source,
        )
        with self.work() as work:
            work.consents.add(consent)
            work.commit()
