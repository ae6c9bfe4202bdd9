"""Telling others what has happened, and trying again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from unite_core.clock import Clock
from unite_core.errors import NotFound, Unavailable
from unite_core.events import Event
from unite_core.identity.model import Actor, Permission
from unite_core.jobs import Jobs
from unite_core.notifications.model import HELD_FOR, KEPT_FOR, Delivery, Receipt
from unite_core.notifications.ports import ActivityLog, DeliveryFilter, Destination, RelayWork
from unite_core.paging import Page, PageRequest
from unite_core.races import until_won
from unite_core.unit_of_work import Work

HASTENED_AT_ONCE = 1000


@dataclass(frozen=True)
class RelayEvents:
    """Hand over what waits for one destination, until nothing is due or the worker has to stop.

    Each destination has its own attempts, so that one which does not answer delays no other. Deliveries are claimed in
    one transaction and settled in another: a relay that dies between the two leaves what it held to the next one, which
    hands it over again, under the same id. Safe to run side by side.

    Returns how many were delivered. Raises `NotFound` for a destination that there is not; `Unavailable` of the
    database passes through, that of the destination does not. Whatever else a destination raises passes through once
    it is counted as a failed attempt: else what makes it fail would come first again and again, and never be given up.
    """

    work: Work[RelayWork]
    destinations: Mapping[str, Destination]
    clock: Clock

    def __call__(self, destination: str, *, should_stop: Callable[[], bool] = lambda: False) -> int:
        if destination not in self.destinations:
            raise NotFound(f"There is no destination {destination}.")
        to = self.destinations[destination]
        delivered = 0
        while not should_stop():
            claimed = until_won(lambda: self._claim(destination, to.at_once))
            if not claimed:
                break
            deliveries = [delivery for delivery, _ in claimed]
            try:
                receipts = to.deliver([event for _, event in claimed])
                settled = [*zip(deliveries, receipts, strict=True)]
            except Unavailable as error:
                self._postpone(destination, deliveries, {"error": error.code, "detail": error.detail})
                break
            except Exception:
                self._postpone(destination, deliveries, {"error": "internal_error"})
                raise
            delivered += self._settle(destination, settled)
        return delivered

    def _claim(self, destination: str, limit: int) -> Sequence[tuple[Delivery, Event]]:
        now = self.clock.now()
        with self.work() as work:
            claimed = work.deliveries.claim(destination, now=now, until=now + HELD_FOR, limit=limit)
            work.commit()
        return claimed

    def _postpone(self, destination: str, deliveries: Sequence[Delivery], response: dict[str, Any]) -> None:
        self._settle(destination, [(delivery, Receipt(taken=False, response=response)) for delivery in deliveries])

    def _settle(self, destination: str, settled: Sequence[tuple[Delivery, Receipt]]) -> int:
        now = self.clock.now()
        for delivery, receipt in settled:
            if receipt.taken:
                delivery.succeed(receipt.response, now)
            elif receipt.refused:
                delivery.refuse(receipt.response)
            else:
                delivery.postpone(receipt.response, now)
        # It answers again: what waits for a later attempt need not wait any longer. Where it answered only in part,
        # what failed just now would be back at once.
        recovered = any(delivery.attempts > 1 and receipt.taken for delivery, receipt in settled) and all(
            receipt.taken or receipt.refused for _, receipt in settled
        )
        until_won(lambda: self._store(destination, [delivery for delivery, _ in settled], now, recovered=recovered))
        return sum(receipt.taken for _, receipt in settled)

    def _store(self, destination: str, deliveries: Sequence[Delivery], now: datetime, *, recovered: bool) -> None:
        with self.work() as work:
            for delivery in deliveries:
                work.deliveries.save(delivery)
            if recovered:
                work.deliveries.hasten(destination, now=now, limit=HASTENED_AT_ONCE)
            work.commit()


@dataclass(frozen=True)
class ListDeliveries:
    """List deliveries of events, newest first. Admins and managers only.

    Raises `Forbidden`.
    """

    reads: Work[RelayWork]

    def __call__(self, actor: Actor, wanted: DeliveryFilter, request: PageRequest) -> Page[Delivery]:
        actor.must(Permission.LIST_DELIVERIES)
        with self.reads() as reads:
            return reads.deliveries.page(wanted, request)


@dataclass(frozen=True)
class ReplayDelivery:
    """Try a dead letter again: at once, and then for three days as if it were new. Admins only.

    Raises `Forbidden`, `NotFound` and `Conflict` (`not_dead`).
    """

    work: Work[RelayWork]
    jobs: Jobs
    clock: Clock

    def __call__(self, actor: Actor, delivery_id: UUID) -> Delivery:
        with self.work() as work:
            actor.must(Permission.REPLAY_DELIVERIES)
            dead = work.deliveries.get(delivery_id)
            dead.replay(self.clock.now())
            work.deliveries.put_back(dead)
            work.after_commit(self.jobs.deliver_events)
            work.commit(dead)
        return dead


@dataclass(frozen=True)
class PurgeDeliveries:
    """Forget deliveries that arrived a week ago or more. Returns how many there were; run by a schedule."""

    work: Work[RelayWork]
    clock: Clock

    def __call__(self, *, limit: int = 500) -> int:
        with self.work() as work:
            purged = work.deliveries.purge(before=self.clock.now() - KEPT_FOR, limit=limit)
            work.commit(purged)
        return purged


@dataclass(frozen=True)
class PurgeActivity:
    """Forget what happened longer ago than the owner of the installation wants to know. Returns how many events.

    With `kept_for` None nothing is ever forgotten.
    """

    activity: ActivityLog
    clock: Clock
    kept_for: timedelta | None

    def __call__(self, *, limit: int = 500) -> int:
        if self.kept_for is None:
            return 0
        return self.activity.purge(before=self.clock.now() - self.kept_for, limit=limit)
