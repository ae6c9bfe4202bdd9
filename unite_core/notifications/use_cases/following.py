"""Asking what became of text messages, where nobody has told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import NotFound, Unavailable
from unite_core.ids import Ids
from unite_core.notifications.model import TEXTS, Delivery, DeliveryStatus
from unite_core.notifications.ports import TextMessages, TextsUnitOfWork
from unite_core.notifications.webhooks import LOST, PROGRESS, TextStatus, keep_status
from unite_core.unit_of_work import UnitOfWorkFactory

STATUS_CHECK_BATCH_SIZE = 10
"""How many are set apart in one transaction, before each of them is asked after."""

STATUS_CHECK_RETRY_AFTER = timedelta(minutes=5)
"""When a message is asked after again, where there was no answer."""

STATUS_CHECK_TIMEOUT = timedelta(seconds=15)
"""How long a run goes on; what else is done by a schedule waits for it."""


def _not_minded(_: Delivery) -> None:
    pass


@dataclass(frozen=True)
class FollowTexts:
    """Ask what became of text messages of which nothing final was told, or no price. Returns how many were asked after.

    What is told of a message can be lost on its way here, and its price is known late. So it is asked after 5 minutes
    after it was taken, an hour after and a day after, unless all is known by then. What is found counts as if it had
    been told (`ReceiveTextStatus`). Where the other side does not answer, the rest is left to the next run.

    `on_dead` is told of each delivery that has become a dead letter by that.
    """

    work: UnitOfWorkFactory[TextsUnitOfWork]
    messages: TextMessages
    clock: Clock
    ids: Ids

    def __call__(
        self,
        *,
        limit: int = 100,
        should_stop: Callable[[], bool] = lambda: False,
        on_dead: Callable[[Delivery], None] = _not_minded,
    ) -> int:
        latest = self.clock.now() + STATUS_CHECK_TIMEOUT
        asked = 0
        while asked < limit and (due := self._due(min(STATUS_CHECK_BATCH_SIZE, limit - asked))):
            for delivery in due:
                if should_stop() or self.clock.now() >= latest or not self._follow(delivery, on_dead):
                    return asked
                asked += 1
        return asked

    def _due(self, limit: int) -> Sequence[Delivery]:
        return retry_on_deadlock(lambda: self._set_apart(limit))

    def _set_apart(self, limit: int) -> Sequence[Delivery]:
        now = self.clock.now()
        with self.work() as work:
            due = work.deliveries.to_follow(TEXTS, now=now, limit=limit)
            for delivery in due:
                delivery.await_answer(now + STATUS_CHECK_RETRY_AFTER)
                work.deliveries.put_back(delivery)
            work.commit()
        return due

    def _follow(self, asked: Delivery, on_dead: Callable[[Delivery], None]) -> bool:
        """Ask after one; whether there was an answer."""
        try:
            found = self.messages.look_up(asked.response["sid"])
        except NotFound:
            found = {}
        except Unavailable:
            return False
        dead = retry_on_deadlock(lambda: self._keep(asked, found))
        if dead is not None:
            on_dead(dead)
        return True

    def _keep(self, asked: Delivery, found: Mapping[str, Any]) -> Delivery | None:
        """Store what was found, unless the delivery goes by another message by now; the delivery if it is dead now."""
        sid, now = asked.response["sid"], self.clock.now()
        status = TextStatus(
            delivery_id=asked.id, sid=sid, status=str(found.get("status")), error_code=found.get("error_code")
        )
        with self.work() as work:
            try:
                delivery = work.deliveries.get(asked.id)
            except NotFound:
                return None
            if delivery.status is not DeliveryStatus.DELIVERED or delivery.response.get("sid") != sid:
                return None
            known = status.status in PROGRESS and keep_status(work, delivery, status, found, now=now, ids=self.ids)
            if not known:
                delivery.follow(delivery.response, now)
                work.deliveries.put_back(delivery)
            work.commit()
        return delivery if known and status.status in LOST else None
