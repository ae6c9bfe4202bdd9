"""Use cases of deliveries: list, read, replay and purge."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from unite_core.batches import in_batches
from unite_core.checks import BatchSize, UseCase
from unite_core.clock import Clock
from unite_core.events import Event
from unite_core.identity.model import Actor, Permission
from unite_core.jobs import Jobs
from unite_core.notifications.model import DEFAULT_RETRY, DELIVERY_RETENTION, Delivery
from unite_core.notifications.ports import ActivityLog, DeliveryFilter, Destination, RelayUnitOfWork
from unite_core.paging import Page, PageRequest
from unite_core.unit_of_work import UnitOfWorkFactory

MAX_COUNTED = 1000
"""The maximum count of dead letters: beyond that, the exact number does not matter."""


@dataclass(frozen=True)
class ListDeliveries(UseCase):
    """List deliveries of events, newest first. Admins and managers only.

    Raises `Forbidden`.
    """

    reads: UnitOfWorkFactory[RelayUnitOfWork]

    def __call__(self, actor: Actor, filters: DeliveryFilter, request: PageRequest) -> Page[Delivery]:
        actor.must(Permission.LIST_DELIVERIES)
        with self.reads() as reads:
            return reads.deliveries.page(filters, request)


@dataclass(frozen=True)
class GetDelivery(UseCase):
    """Read one delivery. Admins and managers only.

    Raises `Forbidden` and `NotFound`.
    """

    reads: UnitOfWorkFactory[RelayUnitOfWork]

    def __call__(self, actor: Actor, delivery_id: UUID) -> Delivery:
        actor.must(Permission.LIST_DELIVERIES)
        with self.reads() as reads:
            return reads.deliveries.get(delivery_id)


@dataclass(frozen=True)
class ReplayDelivery(UseCase):
    """Replay a dead letter: retry it at once, and then for three days as if it were new. Admins only.

    A delivery that was skipped for lack of a recipient can be replayed too.

    Raises `Forbidden`, `NotFound` and `Conflict` (`not_dead`).
    """

    permission: ClassVar[Permission] = Permission.REPLAY_DELIVERIES
    work: UnitOfWorkFactory[RelayUnitOfWork]
    destinations: Mapping[str, Destination]
    jobs: Jobs
    clock: Clock

    def __call__(self, actor: Actor, delivery_id: UUID) -> Delivery:
        return self.work.run(lambda work: self._replay(work, actor, delivery_id))

    def _replay(self, work: RelayUnitOfWork, actor: Actor, delivery_id: UUID) -> Delivery:
        actor.must(self.permission)
        dead = work.deliveries.get(delivery_id)
        to = self.destinations.get(dead.destination)
        dead.replay(self.clock.now(), to.subscription.retry if to else DEFAULT_RETRY)
        work.deliveries.update(dead)
        work.after_commit(lambda: self.jobs.deliver_events([dead.destination]))
        return dead


@dataclass(frozen=True)
class GetDeliveryActivity(UseCase):
    """Read the activity of a delivery, newest first: each response of the destination, and its later reports.

    Admins and managers only. The activity can be read for as long as the delivery is stored. Events reach the log after
    the change, usually within seconds.

    Raises `Forbidden` and `NotFound`, and `Unavailable` if the log cannot be read.
    """

    reads: UnitOfWorkFactory[RelayUnitOfWork]
    activity: ActivityLog

    def __call__(self, actor: Actor, delivery_id: UUID, request: PageRequest) -> Page[Event]:
        actor.must(Permission.LIST_DELIVERIES)
        with self.reads() as reads:
            reads.deliveries.get(delivery_id)
        return self.activity.of_delivery(delivery_id, request)


@dataclass(frozen=True)
class CountDeadLetters(UseCase):
    """Count the dead letters, up to 1,000."""

    reads: UnitOfWorkFactory[RelayUnitOfWork]

    def __call__(self) -> int:
        with self.reads() as reads:
            return reads.deliveries.dead(limit=MAX_COUNTED)


@dataclass(frozen=True)
class PurgeDeliveries(UseCase):
    """Delete deliveries that were delivered a week ago or earlier; return their number. Run by a schedule.

    They are deleted in up to a hundred transactions of `limit` deliveries each.
    """

    work: UnitOfWorkFactory[RelayUnitOfWork]
    clock: Clock

    def __call__(self, *, limit: BatchSize = 500, should_stop: Callable[[], bool] = lambda: False) -> int:
        before = self.clock.now() - DELIVERY_RETENTION
        return in_batches(lambda: self._purge(before, limit), limit=limit, should_stop=should_stop)

    def _purge(self, before: datetime, limit: int) -> int:
        with self.work() as work:
            purged = work.deliveries.purge(before=before, limit=limit)
            work.commit()
        return purged


@dataclass(frozen=True)
class PurgeActivity(UseCase):
    """Delete the events of the activity log that are older than `retention`; return their number.

    With `retention` None nothing is ever deleted. The events are deleted `limit` at a time, up to a hundred times.
    """

    activity: ActivityLog
    clock: Clock
    retention: timedelta | None

    def __call__(self, *, limit: BatchSize = 500, should_stop: Callable[[], bool] = lambda: False) -> int:
        if self.retention is None:
            return 0
        before = self.clock.now() - self.retention
        return in_batches(lambda: self.activity.purge(before=before, limit=limit), limit=limit, should_stop=should_stop)
