"""Use cases that record reports on text messages, and opt-outs and opt-ins of their recipients."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

from unite_core.checks import Input, UseCase
from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import NotFound, Unavailable
from unite_core.ids import Ids
from unite_core.notifications.delivery_reports import DeliveryReport, MessageProgress
from unite_core.notifications.destinations import opt_out_by_refusal
from unite_core.notifications.events import delivery_reported
from unite_core.notifications.model import Delivery, DeliveryStatus
from unite_core.notifications.ports import Consent, Destination, RelayUnitOfWork, TextsUnitOfWork
from unite_core.phone import phone_error
from unite_core.text import line
from unite_core.unit_of_work import UnitOfWorkFactory

MAX_CONSENT_SOURCE_LENGTH = 64
"""Characters of the id of a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReport(Input):
    """A report of the provider about the text message of a delivery.

    `response` is the provider's report in plain values, unchanged. `phone` is the number that the message went to
    (E.164), None if the report does not name it.
    """

    delivery_id: UUID
    response: Mapping[str, Any]
    phone: Annotated[str | None, phone_error] = field(default=None, repr=False)


@dataclass(frozen=True)
class RecordTextReport(UseCase):
    """Record the progress of a text message; return the delivery if it becomes a dead letter.

    Reports may come late, twice and in any order. A report has no effect if its progress is not beyond the known one,
    or if it is about another message than the delivery's current one. If a relay died before it stored the response,
    the first report on its message marks the delivery as delivered. A message that failed makes its delivery a dead
    letter, and if the reason is an opt-out, the opt-out is stored.
    """

    work: UnitOfWorkFactory[TextsUnitOfWork]
    texts: Destination
    clock: Clock
    ids: Ids

    def __call__(self, command: TextReport) -> Delivery | None:
        report = self.texts.report_of(command.response)
        if report is None or report.progress is MessageProgress.UNKNOWN:
            return None
        detailed = self._with_details(report)
        return retry_on_deadlock(lambda: self._record(command, detailed))

    def _with_details(self, report: DeliveryReport) -> DeliveryReport:
        """Return the report; if its progress is final, add the details of the message: its cost and its segments.

        The provider waits for Unite's response. `CheckDeliveryStatuses` asks later for details that are not known yet.
        """
        if not report.progress.final:
            return report
        try:
            return report.with_details_of(self.texts.look_up(report.message_id, short_timeouts=True))
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
    """Change the delivery by the report and return True; return False if the report has nothing new."""
    known = to.report_of(delivery.response)
    if not _is_news(report, known, delivery):
        return False
    is_same = known is not None and known.message_id == report.message_id
    response = {**(delivery.response if is_same else {}), **report.response}
    now = clock.now()
    if report.progress is MessageProgress.FAILED:
        delivery.refuse(response)
    elif delivery.status is DeliveryStatus.DELIVERED:
        delivery.follow(response, now, to.follow_up_of(response))
    else:
        delivery.succeed(response, now, to.follow_up_of(response))
    work.deliveries.update(delivery)
    work.record(delivery_reported(ids.new(), now, delivery))
    return True


def _is_news(report: DeliveryReport, known: DeliveryReport | None, delivery: Delivery) -> bool:
    """Return whether the report says more than is known about the delivery's current message.

    While a delivery is pending, its current message is the one that was sent last.
    """
    if known is None or known.message_id != report.message_id:
        return known is None or delivery.status is DeliveryStatus.PENDING
    if known.progress is report.progress and delivery.status is DeliveryStatus.DELIVERED:
        return report.complete and not known.complete
    return report.progress.is_beyond(known.progress)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConsent(Input):
    """An opt-out (`opted_out`) or a new opt-in by the owner of a number.

    `source` is the id of the message by which the owner opted out or in.
    """

    source: Annotated[str, line(MAX_CONSENT_SOURCE_LENGTH)]
    phone: Annotated[str, phone_error] = field(repr=False)
    opted_out: bool


@dataclass(frozen=True)
class RecordConsent(UseCase):
    """Record that the owner of a number opted out of text messages, or opted in again.

    The same message takes effect once, even if it is reported several times.
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
