"""Contract tests of `Deliveries.pending_events`: the events that a destination has not received yet."""

from datetime import timedelta

from unite_core.events import Event
from unite_core.notifications.model import ACTIVITY, TOPIC
from unite_core.testing.builders import an_event
from unite_core.testing.contracts.database import DatabaseContract, Units
from unite_core.testing.contracts.deliveries import DeliveriesUnit
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

_NOW = A_MONDAY_MORNING
_HOUR = timedelta(hours=1)
_TYPES = {"call_task.completed", "call_task.missed"}


class PendingEventsContract(DatabaseContract[DeliveriesUnit]):
    """The events that a destination has not received yet; the destination of `work` is the activity log."""

    repositories = "`deliveries`, a `Deliveries`, and `record(event)` for the activity log"

    def test_pending_events_of_given_types_are_listed_from_the_oldest_on(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        late, early, middle = (
            an_event(type=what, at=_NOW + hours * _HOUR, data={"task_id": "1", "assigned_to": None, "created_by": None})
            for what, hours in (("call_task.missed", 2), ("call_task.completed", 0), ("call_task.completed", 1))
        )
        _record(work, late, early, middle, an_event(at=_NOW - _HOUR))

        with reads() as unit:
            pending = unit.deliveries.pending_events
            assert pending(ACTIVITY, _TYPES) == [early, middle, late]
            assert pending(ACTIVITY, _TYPES, limit=1) == [early]
            assert pending(ACTIVITY, _TYPES, since=middle.at, until=middle.at) == [middle]
            assert pending(ACTIVITY, _TYPES, since=late.at + _HOUR) == []
            assert pending(ACTIVITY, _TYPES, until=early.at - _HOUR) == []
            assert pending(TOPIC, _TYPES) == []

    def test_an_event_is_pending_until_it_is_delivered(
        self, work: Units[DeliveriesUnit], reads: Units[DeliveriesUnit]
    ) -> None:
        event = an_event(type="call_task.missed")
        _record(work, event)
        with work() as unit:
            [(delivery, _)] = unit.deliveries.claim(ACTIVITY, now=_NOW, until=_NOW + _HOUR, limit=1)
            unit.commit()
        with reads() as unit:
            assert unit.deliveries.pending_events(ACTIVITY, _TYPES) == [event]

        delivery.succeed({}, _NOW)
        with work() as unit:
            unit.deliveries.save(delivery)
            unit.commit()

        with reads() as unit:
            assert unit.deliveries.pending_events(ACTIVITY, _TYPES) == []


def _record(work: Units[DeliveriesUnit], *events: Event) -> None:
    with work() as unit:
        for event in events:
            unit.record(event)
        unit.commit()
