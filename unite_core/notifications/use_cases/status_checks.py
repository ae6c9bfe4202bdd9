"""The use case that checks the status of deliveries without a final report."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from unite_core.checks import BatchSize, UseCase
from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import NotFound, Unavailable
from unite_core.ids import Ids
from unite_core.notifications.delivery_reports import DeliveryReport, MessageProgress
from unite_core.notifications.model import Delivery, DeliveryStatus
from unite_core.notifications.ports import Destination, RelayUnitOfWork
from unite_core.notifications.use_cases.reporting import record_report
from unite_core.unit_of_work import UnitOfWorkFactory

STATUS_CHECK_BATCH_SIZE = 10
"""How many deliveries are reserved in one transaction before the status of each is checked."""

STATUS_CHECK_RETRY_AFTER = timedelta(minutes=5)
"""How long after a status check without a response the next one follows."""

MAX_DURATION = timedelta(seconds=15)
"""The maximum duration of a run, because other scheduled jobs wait for it."""


def _ignore(_: Delivery) -> None:
    pass


@dataclass(frozen=True)
class CheckDeliveryStatuses(UseCase):
    """Check the status of deliveries without a final report; return the number of deliveries checked.

    Each destination states when its deliveries are checked (`Subscription.follow_up`). A report can be lost on its way
    to Unite, and the cost of a text message is known late. So the status of a text message is checked 5 minutes, an
    hour and a day after the provider accepted it, unless all details are known by then. The result counts like a
    report. If a destination does not respond, the rest of its deliveries wait for the next run.

    `on_dead` is called with each delivery that becomes a dead letter because of the check.
    """

    work: UnitOfWorkFactory[RelayUnitOfWork]
    destinations: Mapping[str, Destination]
    clock: Clock
    ids: Ids

    def __call__(
        self,
        *,
        limit: BatchSize = 100,
        should_stop: Callable[[], bool] = lambda: False,
        on_dead: Callable[[Delivery], None] = _ignore,
    ) -> int:
        latest = self.clock.now() + MAX_DURATION
        asked = 0
        for destination in self.destinations.values():
            if destination.subscription.follow_up:
                run = _Run(self, destination, latest, should_stop, on_dead)
                asked += run(limit - asked)
        return asked


@dataclass(frozen=True)
class _Run:
    """One run for one destination."""

    following: CheckDeliveryStatuses
    destination: Destination
    latest: datetime
    should_stop: Callable[[], bool]
    on_dead: Callable[[Delivery], None]

    def __call__(self, limit: BatchSize) -> int:
        asked = 0
        while asked < limit and (due := self._due(min(STATUS_CHECK_BATCH_SIZE, limit - asked))):
            for delivery in due:
                if self.should_stop() or self.following.clock.now() >= self.latest or not self._follow(delivery):
                    return asked
                asked += 1
        return asked

    def _due(self, limit: int) -> Sequence[Delivery]:
        return retry_on_deadlock(lambda: self._set_apart(limit))

    def _set_apart(self, limit: int) -> Sequence[Delivery]:
        now = self.following.clock.now()
        with self.following.work() as work:
            due = work.deliveries.due_for_status_check(self.destination.subscription.name, now=now, limit=limit)
            for delivery in due:
                delivery.await_answer(now + STATUS_CHECK_RETRY_AFTER)
                work.deliveries.update(delivery)
            work.commit()
        return due

    def _follow(self, delivery: Delivery) -> bool:
        """Check the status of one delivery; return whether the destination responded."""
        known = self.destination.report_of(delivery.response)
        found = None
        if known is not None:
            try:
                found = self.destination.look_up(known.message_id)
            except NotFound:
                pass
            except Unavailable:
                return False
        dead = retry_on_deadlock(lambda: self._store(delivery, known, found))
        if dead is not None:
            self.on_dead(dead)
        return True

    def _store(self, asked: Delivery, known: DeliveryReport | None, found: DeliveryReport | None) -> Delivery | None:
        """Store the result, unless the delivery now has another message; return the delivery if it is dead now."""
        following, to = self.following, self.destination
        with following.work() as work:
            try:
                delivery = work.deliveries.get(asked.id)
            except NotFound:
                return None
            current = to.report_of(delivery.response)
            if delivery.status is not DeliveryStatus.DELIVERED or _message_id(current) != _message_id(known):
                return None
            recorded = (
                found is not None
                and found.progress is not MessageProgress.UNKNOWN
                and record_report(work, delivery, found, to, following.clock, following.ids)
            )
            if not recorded:
                delivery.follow(delivery.response, following.clock.now(), to.follow_up_of(delivery.response))
                work.deliveries.update(delivery)
            work.commit()
        return delivery if delivery.is_dead else None


def _message_id(report: DeliveryReport | None) -> str | None:
    return None if report is None else report.message_id
