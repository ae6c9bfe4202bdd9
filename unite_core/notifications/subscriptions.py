"""A destination's subscription: which events it gets, batch size, retries, status checks; the built-in three."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from unite_core.checks import BatchSize, Checked
from unite_core.errors import FieldError
from unite_core.events import Event
from unite_core.notifications.audience import AUDIENCES, recipient
from unite_core.notifications.model import ACTIVITY, DEFAULT_RETRY, TEXTS, TOPIC, RetryPolicy


def _every_event(_: Event) -> bool:
    return True


_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def name_error(field: str, name: str) -> FieldError | None:
    """Return the error of a name that a destination cannot have."""
    if _NAME.fullmatch(name):
        return None
    detail = "A destination's name is 1 to 32 lower case letters, digits, hyphens and underscores."
    return FieldError(field=field, code="invalid_name", detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription(Checked):
    """The description of a destination: which events it gets, and how they are delivered.

    `name` is its name in deliveries, queues, threads and logs; it is stored, and does not change. `accepts` returns
    whether the destination gets an event. Only the activity log gets events about deliveries: it has
    `delivery_events`. `batch_size` is how many events are delivered at once: few enough for each batch to be delivered
    well within the two minutes of a claim, because the batch of a relay that dies is delivered again. A failed
    delivery is retried by the policy `retry`. `follow_up` are the times since a delivery after which the destination
    is asked for its status, if that was not reported by then.
    """

    name: Annotated[str, name_error]
    accepts: Callable[[Event], bool] = _every_event
    delivery_events: bool = False
    batch_size: BatchSize = 10
    retry: RetryPolicy = DEFAULT_RETRY
    follow_up: tuple[timedelta, ...] = ()

    def includes(self, event: Event) -> bool:
        """Return whether the destination gets the event.

        If an event about a delivery went to that delivery's destination, each would cause another one for ever.
        """
        return (event.delivery_id is None or self.delivery_events) and self.accepts(event)


def recipients_of(event: Event, subscriptions: Sequence[Subscription]) -> list[Subscription]:
    """Return the subscriptions that include the event."""
    return [each for each in subscriptions if each.includes(event)]


ACTIVITY_SUBSCRIPTION = Subscription(name=ACTIVITY, delivery_events=True, batch_size=100)

TOPIC_SUBSCRIPTION = Subscription(name=TOPIC, accepts=lambda event: event.type in AUDIENCES, batch_size=10)

TEXTS_SUBSCRIPTION = Subscription(
    name=TEXTS,
    accepts=lambda event: recipient(event) is not None,
    batch_size=1,
    follow_up=(timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)),
)

BUILT_IN = (ACTIVITY_SUBSCRIPTION, TOPIC_SUBSCRIPTION, TEXTS_SUBSCRIPTION)
"""The subscriptions of the destinations that every installation has."""
