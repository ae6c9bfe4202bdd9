"""Broken stores of deliveries."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.contracts.broken.making import (
    Port,
    doing_nothing,
    pages_of,
    returning,
    uncopied,
    with_methods,
    with_value,
    without_microseconds,
)
from tests.contracts.broken.small_units import SmallUnit
from unite_core.notifications.model import DeliveryStatus
from unite_core.notifications.subscriptions import ACTIVITY_SUBSCRIPTION, Subscription
from unite_core.testing.contracts import DeliveriesContract, PendingEventsContract
from unite_core.testing.in_memory.deliveries import InMemoryDeliveries, record
from unite_core.testing.in_memory.tables import Store

_MICROSECOND = timedelta(microseconds=1)


class _RecordingUnit(SmallUnit):
    def __init__(self, store: Store, make: Callable[..., Any], subscriptions: tuple[Subscription, ...]) -> None:
        super().__init__(store, deliveries=make)
        self._subscriptions = subscriptions
        self._record = getattr(make, "record_event", record)

    def record(self, event: Any) -> None:
        """Store the event with its deliveries."""
        self._record(self._tables, event, self._subscriptions)


def suite(make: Callable[..., Any]) -> type:
    class Suite(DeliveriesContract, PendingEventsContract):
        one_writer = True
        SUBSCRIPTIONS = DeliveriesContract.SUBSCRIPTIONS

        @pytest.fixture
        def work(self, request: pytest.FixtureRequest) -> Any:
            store = Store()
            only_activity = hasattr(PendingEventsContract, request.function.__name__)
            subscriptions = (ACTIVITY_SUBSCRIPTION,) if only_activity else self.SUBSCRIPTIONS
            return lambda: _RecordingUnit(store, make, subscriptions)

    return Suite


def _broken(**methods: Any) -> Any:
    return with_methods(InMemoryDeliveries, **methods)


def _given(name: str, **changes: Callable[[Any], Any]) -> Any:
    """Return a store whose method gets changed arguments."""
    original = getattr(InMemoryDeliveries, name)
    return _broken(
        **{
            name: lambda self, *given, **named: original(
                self, *given, **{key: changes.get(key, lambda it: it)(value) for key, value in named.items()}
            )
        }
    )


def _filtered(change: Callable[[Any], Any]) -> Any:
    return _broken(page=lambda self, filters, request: InMemoryDeliveries.page(self, change(filters), request))


def _recording(change: Callable[[Any, Any, Any], None]) -> Any:
    return _broken(record_event=staticmethod(change))


def _claiming(change: Callable[[Any], Any]) -> Any:
    """Return a store that changes a delivery after claiming it, in what it stores."""

    def claim(self: Any, destination: str, **named: Any) -> Any:
        claimed = InMemoryDeliveries.claim(self, destination, **named)
        for delivery, _ in claimed:
            self._deliveries[delivery.id] = change(self._deliveries[delivery.id])
        return claimed

    return _broken(claim=claim)


def _claim_unstored(self: Any, destination: str, *, now: Any, until: Any, limit: int) -> Any:
    before = dict(self._deliveries)
    claimed = InMemoryDeliveries.claim(self, destination, now=now, until=until, limit=limit)
    self._deliveries.update(before)
    return claimed


def _claim_any(self: Any, destination: str, *, now: Any, until: Any, limit: int) -> Any:
    original, self._pending = (
        self._pending,
        lambda _: [it for it in self._deliveries.values() if it.status is DeliveryStatus.PENDING],
    )
    try:
        return InMemoryDeliveries.claim(self, destination, now=now, until=until, limit=limit)
    finally:
        self._pending = original


def _claim_youngest(self: Any, destination: str, *, now: Any, until: Any, limit: int) -> Any:
    every = [it for it in self._pending(destination) if it.next_attempt_at <= now]
    youngest = {it.id for it in sorted(every, key=lambda it: (it.next_attempt_at, it.id), reverse=True)[:limit]}
    hidden = {it.id: self._deliveries.pop(it.id) for it in every if it.id not in youngest}
    claimed = InMemoryDeliveries.claim(self, destination, now=now, until=until, limit=limit)
    self._deliveries.update(hidden)
    return claimed


def _save_any(self: Any, *settled: Any) -> None:
    self._deliveries.update({it.id: deepcopy(it) for it in settled})


def _save_unheld(self: Any, *settled: Any) -> None:
    for it in settled:
        if it.id in self._deliveries and self._deliveries[it.id].attempts == it.attempts:
            self._deliveries[it.id] = deepcopy(it)


def _save_held(self: Any, *settled: Any) -> None:
    for it in settled:
        if it.id in self._deliveries and self._deliveries[it.id].held:
            self._deliveries[it.id] = deepcopy(it)


def _save_changed(change: Callable[[Any], Any]) -> Any:
    return _broken(
        save=lambda self, *settled: InMemoryDeliveries.save(self, *(change(deepcopy(it)) for it in settled)),
        update=lambda self, delivery: InMemoryDeliveries.update(self, change(deepcopy(delivery))),
    )


def _make_due_where(matches: Callable[[Any, Any], bool]) -> Any:
    def make_due(self: Any, destination: str, *, now: Any, limit: int) -> int:
        waiting = [it for it in self._pending(destination) if matches(it, now)]
        for it in sorted(waiting, key=lambda it: (it.next_attempt_at, it.id))[:limit]:
            self._deliveries[it.id] = replace(deepcopy(it), next_attempt_at=now)
        return len(waiting[:limit])

    return _broken(make_due=make_due)


def _purge_where(matches: Callable[[Any, Any], bool]) -> Any:
    def purge(self: Any, *, before: Any, limit: int) -> int:
        old = [it for it in self._deliveries.values() if matches(it, before)][:limit]
        for it in old:
            del self._deliveries[it.id]
        return len(old)

    return _broken(purge=purge)


def _over(delivery: Any) -> bool:
    return delivery.status in (DeliveryStatus.DELIVERED, DeliveryStatus.SKIPPED)


def _purge_with_event(self: Any, *, before: Any, limit: int) -> int:
    ids = set(self._deliveries)
    events = {it.id: it.event_id for it in self._deliveries.values()}
    count = InMemoryDeliveries.purge(self, before=before, limit=limit)
    gone = {events[it] for it in ids - set(self._deliveries)}
    for delivery in [it for it in self._deliveries.values() if it.event_id in gone]:
        del self._deliveries[delivery.id]
    return count


def _record_for_all(tables: Any, event: Any, subscriptions: Any) -> None:
    record(tables, event, tuple(replace(it, accepts=lambda _: True) for it in subscriptions))


def _record_about_deliveries(tables: Any, event: Any, subscriptions: Any) -> None:
    record(tables, event, tuple(replace(it, delivery_events=True) for it in subscriptions))


PORT = Port(
    name="Deliveries",
    suite=suite,
    right=InMemoryDeliveries,
    broken={
        "nothing is claimed": doing_nothing(InMemoryDeliveries, "claim", result=()),
        "save does nothing": doing_nothing(InMemoryDeliveries, "save"),
        "update does nothing": doing_nothing(InMemoryDeliveries, "update"),
        "purge does nothing": doing_nothing(InMemoryDeliveries, "purge", result=0),
        "nothing is made due": doing_nothing(InMemoryDeliveries, "make_due", result=0),
        "no status is due": doing_nothing(InMemoryDeliveries, "due_for_status_check", result=()),
        "no event is pending": doing_nothing(InMemoryDeliveries, "pending_events", result=[]),
        "no letter is dead": doing_nothing(InMemoryDeliveries, "dead", result=0),
        "a claim is not stored": _broken(claim=_claim_unstored),
        "a claim counts no attempt": _claiming(lambda it: replace(it, attempts=it.attempts - 1)),
        "a claim does not hold the delivery": _claiming(lambda it: replace(it, held=False)),
        "what a relay that died has held is not claimed again": _broken(
            _pending=lambda self, destination: (
                it for it in InMemoryDeliveries._pending(self, destination) if not it.held
            )
        ),
        "a claim ends at once": _claiming(lambda it: replace(it, next_attempt_at=it.created_at)),
        "deliveries to other destinations are claimed": _broken(claim=_claim_any),
        "the youngest are claimed first": _broken(claim=_claim_youngest),
        "claims are in no order": returning(InMemoryDeliveries, "claim", lambda claimed: [*claimed][::-1]),
        "claims have no limit": _given("claim", limit=lambda limit: limit + 1000),
        "what is due a moment later is claimed": _given("claim", now=lambda now: now + _MICROSECOND),
        "what is due now is not claimed": _given("claim", now=lambda now: now - _MICROSECOND),
        "claimed events have no leads": returning(
            InMemoryDeliveries, "claim", lambda it: [(delivery, replace(event, lead_ids=())) for delivery, event in it]
        ),
        "claimed events have at most a thousand leads": returning(
            InMemoryDeliveries,
            "claim",
            lambda it: [(delivery, replace(event, lead_ids=event.lead_ids[:1000])) for delivery, event in it],
        ),
        "claimed events have no actor": returning(
            InMemoryDeliveries,
            "claim",
            lambda it: [(delivery, replace(event, actor_id=None)) for delivery, event in it],
        ),
        "claimed events have no correlation id": returning(
            InMemoryDeliveries,
            "claim",
            lambda it: [(delivery, replace(event, correlation_id=None)) for delivery, event in it],
        ),
        "claimed events do not name their delivery": returning(
            InMemoryDeliveries,
            "claim",
            lambda it: [(delivery, replace(event, delivery_id=None)) for delivery, event in it],
        ),
        "moments of claimed events are cut to seconds": returning(
            InMemoryDeliveries,
            "claim",
            lambda it: [(delivery, replace(event, at=event.at.replace(microsecond=0))) for delivery, event in it],
        ),
        "every result is stored": _broken(save=_save_any),
        "results of an attempt that is over are stored": _broken(save=_save_unheld),
        "results of attempts of other relays are stored": _broken(save=_save_held),
        "the first result alone is stored": _broken(
            save=lambda self, *settled: InMemoryDeliveries.save(self, *settled[:1])
        ),
        "moments are cut to seconds": _save_changed(without_microseconds),
        "responses are not stored": _save_changed(lambda it: with_value(it, "response", lambda _: {})),
        "responses are cut": _save_changed(
            lambda it: with_value(
                it, "response", lambda r: {key: v[:255] if isinstance(v, str) else v for key, v in r.items()}
            )
        ),
        "values of responses are texts": _save_changed(
            lambda it: with_value(it, "response", lambda r: {key: str(value) for key, value in r.items()})
        ),
        "the time of a delivery is not stored": _save_changed(
            lambda it: with_value(it, "delivered_at", lambda _: None)
        ),
        "the end of retries is not stored": _save_changed(
            lambda it: with_value(it, "give_up_at", lambda _: it.created_at)
        ),
        "updating one updates all": _broken(
            update=lambda self, delivery: self._deliveries.update(
                {it.id: replace(delivery, id=it.id, event_id=it.event_id) for it in [*self._deliveries.values()]}
            )
        ),
        "an unknown delivery is None": _broken(get=lambda self, it: deepcopy(self._deliveries.get(it))),
        "an unknown delivery is a KeyError": _broken(get=lambda self, it: deepcopy(self._deliveries[it])),
        "a read delivery is the stored one": uncopied(InMemoryDeliveries, "get"),
        "the filter by status is ignored": _filtered(lambda it: replace(it, status=None)),
        "the filter by destination is ignored": _filtered(lambda it: replace(it, destination=None)),
        "the filter by event is ignored": _filtered(lambda it: replace(it, event_id=None)),
        "what was never tried is made due": _make_due_where(lambda it, now: not it.held and it.next_attempt_at > now),
        "what a relay holds is made due": _make_due_where(lambda it, now: it.attempts > 0 and it.next_attempt_at > now),
        "what is due is made due": _make_due_where(lambda it, _: it.attempts > 0 and not it.held),
        "deliveries are made due without a limit": _given("make_due", limit=lambda limit: limit + 1000),
        "made due, they are due a moment later": _given("make_due", now=lambda now: now + _MICROSECOND),
        "statuses are asked for a moment early": _given("due_for_status_check", now=lambda now: now + _MICROSECOND),
        "statuses are asked for a moment late": _given("due_for_status_check", now=lambda now: now - _MICROSECOND),
        "statuses are asked for without a limit": _given("due_for_status_check", limit=lambda limit: limit + 1000),
        "statuses are asked for in no order": returning(
            InMemoryDeliveries, "due_for_status_check", lambda found: [*found][::-1]
        ),
        "statuses of pending deliveries are asked for": _broken(
            due_for_status_check=lambda self, destination, *, now, limit: deepcopy(
                sorted(
                    (
                        it
                        for it in self._deliveries.values()
                        if it.destination == destination and it.next_attempt_at <= now
                    ),
                    key=lambda it: (it.next_attempt_at, it.id),
                )[:limit]
            )
        ),
        "statuses of other destinations are asked for": _broken(
            due_for_status_check=lambda self, _, *, now, limit: deepcopy(
                sorted(
                    (
                        it
                        for it in self._deliveries.values()
                        if it.status is DeliveryStatus.DELIVERED and it.next_attempt_at <= now
                    ),
                    key=lambda it: (it.next_attempt_at, it.id),
                )[:limit]
            )
        ),
        "events of all types are pending": _broken(
            pending_events=lambda self, destination, _, **named: InMemoryDeliveries.pending_events(
                self, destination, {it.type for it in self._events.values()}, **named
            )
        ),
        "delivered events are pending": _broken(
            pending_events=lambda self, destination, types, **_: sorted(
                (
                    self._events[it.event_id]
                    for it in self._deliveries.values()
                    if it.destination == destination and self._events[it.event_id].type in types
                ),
                key=lambda event: (event.at, event.id),
            )
        ),
        "pending events come newest first": returning(InMemoryDeliveries, "pending_events", lambda it: [*it][::-1]),
        "pending events have no limit": _given("pending_events", limit=lambda _: None),
        "pending events have no end": _given("pending_events", until=lambda _: None),
        "pending events have no beginning": _given("pending_events", since=lambda _: None),
        "pending events begin after the moment": _given(
            "pending_events", since=lambda since: since and since + _MICROSECOND
        ),
        "pending events end before the moment": _given(
            "pending_events", until=lambda until: until and until - _MICROSECOND
        ),
        "held deliveries have no pending event": _broken(
            pending_events=lambda self, destination, types, **named: [
                event
                for event in InMemoryDeliveries.pending_events(self, destination, types, **named)
                if not any(it.held for it in self._deliveries.values() if it.event_id == event.id)
            ]
        ),
        "dead letters are purged": _purge_where(
            lambda it, before: (_over(it) or it.is_dead) and (it.delivered_at or it.created_at) < before
        ),
        "pending deliveries are purged": _purge_where(lambda it, before: (it.delivered_at or it.created_at) < before),
        "skipped deliveries are not purged": _purge_where(
            lambda it, before: it.status is DeliveryStatus.DELIVERED and it.delivered_at < before
        ),
        "deliveries are purged by the time of their event": _purge_where(
            lambda it, before: _over(it) and it.created_at < before
        ),
        "deliveries of the moment are purged": _purge_where(
            lambda it, before: _over(it) and (it.delivered_at or it.created_at) <= before
        ),
        "a purge has no limit": _given("purge", limit=lambda limit: limit + 1000),
        "a purged delivery takes the others of its event with it": _broken(purge=_purge_with_event),
        "a purge counts what it could delete": _given("purge", limit=lambda limit: limit * 2),
        "dead letters are counted without a limit": _given("dead", limit=lambda limit: limit + 1000),
        "skipped deliveries count as dead": _broken(
            dead=lambda self, *, limit: min(
                limit,
                sum(it.status in (DeliveryStatus.DEAD, DeliveryStatus.SKIPPED) for it in self._deliveries.values()),
            )
        ),
        "events are recorded for all destinations": _recording(_record_for_all),
        "events about deliveries are recorded for all destinations": _recording(_record_about_deliveries),
        "events are recorded for one destination": _recording(
            lambda tables, event, subscriptions: record(tables, event, subscriptions[:1])
        ),
        "events are not recorded": _recording(lambda *_: None),
        "events are recorded with the usual retries": _recording(
            lambda tables, event, subscriptions: record(
                tables, event, tuple(replace(it, retry=ACTIVITY_SUBSCRIPTION.retry) for it in subscriptions)
            )
        ),
        "recorded moments are cut to seconds": _recording(
            lambda tables, event, subscriptions: record(
                tables, replace(event, at=event.at.replace(microsecond=0)), subscriptions
            )
        ),
        **pages_of(InMemoryDeliveries),
    },
)
