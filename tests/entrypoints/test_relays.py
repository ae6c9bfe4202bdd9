"""Tests of events that a worker delivers from the queues in its process: concurrent destinations and wake-ups."""

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from threading import Event as Signal
from uuid import UUID

import pytest

from tests.entrypoints.working import WakeUps, local_queues, working
from unite_core.application import Unite, build
from unite_core.events import Event
from unite_core.notifications.model import ACTIVITY, DeliveryStatus, Receipt, delivery_id
from unite_core.notifications.ports import DeliveryFilter, Destination
from unite_core.notifications.subscriptions import Subscription
from unite_core.paging import PageRequest
from unite_core.testing.builders import an_event
from unite_core.testing.in_memory import InMemoryPorts, in_memory_ports

TIMEOUT = 30.0


class Listener(Destination):
    """A destination that calls `before` with the events, then accepts them and sets `told`."""

    def __init__(self, before: Callable[[Sequence[Event]], object] = len, *, name: str = "listener") -> None:
        self.subscription = Subscription(name=name)
        self.before = before
        self.told = Signal()

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:  # noqa: ARG002 - it goes by ids
        self.before(events)
        self.told.set()
        return [Receipt(accepted=True)] * len(events)


def unite_with(*destinations: Destination) -> tuple[Unite, InMemoryPorts]:
    ports = in_memory_ports(destinations=destinations)
    return build(ports), ports


def record(ports: InMemoryPorts) -> Event:
    event = an_event(at=ports.clock.now())
    with ports.work() as work:
        work.record(event)
        work.commit()
    return event


@contextmanager
def worker_of(unite: Unite) -> Iterator[tuple[WakeUps, Signal]]:
    wake_ups = WakeUps()
    with working(unite, local_queues(unite, wake_ups)) as stop:
        yield wake_ups, stop


def threads() -> list[str]:
    """The threads of a worker that run."""
    names = (thread.name for thread in threading.enumerate())
    return [name for name in names if name.startswith(("relay", "upkeep", "fold_entries"))]


def status_of(ports: InMemoryPorts, event: Event, destination: str) -> DeliveryStatus:
    with ports.reads() as reads:
        filters = DeliveryFilter(event_id=event.id, destination=destination)
        (deliveries,) = reads.deliveries.page(filters, PageRequest()).items
    return deliveries.status


def test_events_are_delivered_while_the_worker_runs_an_import() -> None:
    listener = Listener()
    unite, ports = unite_with(listener)

    with worker_of(unite) as (wake_ups, _):
        event = record(ports)
        wake_ups.wake()
        assert listener.told.wait(TIMEOUT)

    assert status_of(ports, event, "listener") is DeliveryStatus.DELIVERED


def test_a_destination_that_does_not_respond_delays_no_other() -> None:
    release, quick = Signal(), Listener(name="quick")
    slow = Listener(lambda _: release.wait(TIMEOUT), name="slow")
    unite, ports = unite_with(slow, quick)
    event = record(ports)

    with worker_of(unite):
        assert quick.told.wait(TIMEOUT)
        assert not slow.told.is_set()
        release.set()
        assert slow.told.wait(TIMEOUT)

    assert {status_of(ports, event, name) for name in ("slow", "quick")} == {DeliveryStatus.DELIVERED}


def test_a_batch_in_progress_is_settled_while_the_worker_stops() -> None:
    handed_over, release = Signal(), Signal()

    def wait_for_release(_: Sequence[Event]) -> None:
        handed_over.set()
        release.wait(TIMEOUT)

    unite, ports = unite_with(Listener(wait_for_release, name="slow"))
    event = record(ports)

    with worker_of(unite) as (_, stop):
        assert handed_over.wait(TIMEOUT)
        assert {"relay-slow", "upkeep", "fold_entries"} <= {*threads()}
        stop.set()
        release.set()

    assert status_of(ports, event, "slow") is DeliveryStatus.DELIVERED
    assert threads() == []


def test_an_internal_error_of_a_destination_is_logged_and_the_next_event_is_delivered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures = [ZeroDivisionError("no idea")]
    broke = Signal()

    def fail_once(_: Sequence[Event]) -> None:
        for failure in failures:
            failures.remove(failure)
            broke.set()
            raise failure

    listener = Listener(fail_once)
    unite, ports = unite_with(listener)
    record(ports)

    with caplog.at_level(logging.WARNING), worker_of(unite) as (wake_ups, _):
        assert broke.wait(TIMEOUT)
        event = record(ports)
        wake_ups.wake()
        assert listener.told.wait(TIMEOUT)

    assert status_of(ports, event, "listener") is DeliveryStatus.DELIVERED
    assert [record.getMessage() for record in caplog.records] == [
        "Something unexpected happened in the job entrypoints.worker.jobs.relay (listener)."
    ]
    assert status_of(ports, event, ACTIVITY) is DeliveryStatus.DELIVERED


@pytest.mark.parametrize(
    ("response", "code"),
    [
        ({"error_code": 21211, "error": "It is no number."}, 21211),
        ({"error": "unavailable"}, "unavailable"),
        ({"status": "failed"}, "failed"),
        ({}, None),
    ],
)
def test_a_dead_letter_is_logged_as_an_error(
    caplog: pytest.LogCaptureFixture, response: dict[str, object], code: object
) -> None:
    class Refusing(Listener):
        def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
            super().deliver(events, again)
            return [Receipt(accepted=False, refused=True, response=dict(response))] * len(events)

    listener = Refusing()
    unite, ports = unite_with(listener)
    event = record(ports)

    with caplog.at_level(logging.INFO), worker_of(unite):
        assert listener.told.wait(TIMEOUT)

    (line,) = caplog.records
    assert (line.levelname, line.name) == ("ERROR", "unite.dead_letters")
    shown = {name: getattr(line, name) for name in ("delivery_id", "destination", "event_id", "code")}
    assert shown == {
        "delivery_id": str(delivery_id(event.id, "listener")),
        "destination": "listener",
        "event_id": str(event.id),
        "code": code,
    }
