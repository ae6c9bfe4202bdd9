"""The threads that tell of events beside the imports: who delays whom, and who wakes them."""

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event as Signal
from uuid import UUID

import pytest

from entrypoints.worker.relays import relay_in_threads
from entrypoints.worker.wake_ups import WakeUpBroadcast, WakeUpReceiver
from unite_core.application import Unite, build
from unite_core.errors import Unavailable
from unite_core.events import Event
from unite_core.notifications.model import ACTIVITY, DeliveryStatus, Receipt, delivery_id
from unite_core.notifications.ports import DeliveryFilter, Destination
from unite_core.notifications.subscriptions import Subscription
from unite_core.paging import PageRequest
from unite_core.testing.builders import an_event
from unite_core.testing.in_memory import InMemoryPorts, in_memory_ports

TIMEOUT = 30.0


class Listener(Destination):
    """Does `before` with what it is told, then takes it; `told` is set once that was so."""

    def __init__(self, before: Callable[[Sequence[Event]], object] = len, *, name: str = "listener") -> None:
        self.subscription = Subscription(name=name)
        self.before = before
        self.told = Signal()

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:  # noqa: ARG002 - it goes by ids
        self.before(events)
        self.told.set()
        return [Receipt(taken=True)] * len(events)


@dataclass
class Pipe:
    """Where a test wakes the process by hand."""

    rung: WakeUpReceiver = field(default_factory=WakeUpReceiver)
    failures: list[Exception] = field(default_factory=list)

    def wait(self, timeout: float) -> bool:
        assert timeout <= 1
        for failure in self.failures:
            self.failures.remove(failure)
            raise failure
        return self.rung.wait(timeout)


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
def relays_of(unite: Unite) -> Iterator[tuple[Pipe, Signal]]:
    pipe, stop = Pipe(), Signal()
    with relay_in_threads(unite.notifications, WakeUpBroadcast(pipe, stop), stop):
        yield pipe, stop


def status_of(ports: InMemoryPorts, event: Event, destination: str) -> DeliveryStatus:
    with ports.reads() as reads:
        wanted = DeliveryFilter(event_id=event.id, destination=destination)
        (found,) = reads.deliveries.page(wanted, PageRequest()).items
    return found.status


def test_events_are_told_while_the_worker_is_at_something_else() -> None:
    listener = Listener()
    unite, ports = unite_with(listener)

    with relays_of(unite) as (pipe, _):
        event = record(ports)
        pipe.rung.wake()
        assert listener.told.wait(TIMEOUT)

    assert status_of(ports, event, "listener") is DeliveryStatus.DELIVERED


def test_a_destination_that_does_not_come_back_delays_no_other() -> None:
    release, quick = Signal(), Listener(name="quick")
    slow = Listener(lambda _: release.wait(TIMEOUT), name="slow")
    unite, ports = unite_with(slow, quick)
    event = record(ports)

    with relays_of(unite):
        assert quick.told.wait(TIMEOUT)
        assert not slow.told.is_set()
        release.set()
        assert slow.told.wait(TIMEOUT)

    assert {status_of(ports, event, name) for name in ("slow", "quick")} == {DeliveryStatus.DELIVERED}


def test_what_is_handed_over_when_the_worker_is_to_stop_is_still_settled() -> None:
    handed_over, release = Signal(), Signal()

    def wait_for_release(_: Sequence[Event]) -> None:
        handed_over.set()
        release.wait(TIMEOUT)

    unite, ports = unite_with(Listener(wait_for_release, name="slow"))
    event = record(ports)

    with relays_of(unite) as (_, stop):
        assert handed_over.wait(TIMEOUT)
        stop.set()
        release.set()

    assert status_of(ports, event, "slow") is DeliveryStatus.DELIVERED
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith(("relay", "bell"))] == []


def test_the_threads_end_with_the_block_however_it_is_left() -> None:
    unite, _ = unite_with()

    with pytest.raises(ZeroDivisionError), relays_of(unite):
        raise ZeroDivisionError

    assert [thread.name for thread in threading.enumerate() if thread.name.startswith(("relay", "bell"))] == []


def test_a_destination_that_breaks_is_logged_and_told_of_the_next_event(caplog: pytest.LogCaptureFixture) -> None:
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

    with caplog.at_level(logging.WARNING), relays_of(unite) as (pipe, _):
        assert broke.wait(TIMEOUT)
        event = record(ports)
        pipe.rung.wake()
        assert listener.told.wait(TIMEOUT)

    assert status_of(ports, event, "listener") is DeliveryStatus.DELIVERED
    assert [record.getMessage() for record in caplog.records] == [
        "Something unexpected happened while telling of events (listener)."
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
def test_a_dead_letter_is_written_down_as_an_error(
    caplog: pytest.LogCaptureFixture, response: dict[str, object], code: object
) -> None:
    class Refusing(Listener):
        def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
            super().deliver(events, again)
            return [Receipt(taken=False, refused=True, response=dict(response))] * len(events)

    listener = Refusing()
    unite, ports = unite_with(listener)
    event = record(ports)

    with caplog.at_level(logging.INFO), relays_of(unite):
        assert listener.told.wait(TIMEOUT)

    (told,) = caplog.records
    assert (told.levelname, told.name) == ("ERROR", "unite.dead_letters")
    shown = {name: getattr(told, name) for name in ("delivery_id", "destination", "event_id", "code")}
    assert shown == {
        "delivery_id": str(delivery_id(event.id, "listener")),
        "destination": "listener",
        "event_id": str(event.id),
        "code": code,
    }


def test_one_wake_up_is_heard_by_everybody_once() -> None:
    pipe, stop = Pipe(), Signal()
    bell = WakeUpBroadcast(pipe, stop)
    ears = [bell.ear(), bell.ear()]
    pipe.rung.wake()
    ringing = threading.Thread(target=bell.run)
    ringing.start()

    heard = [ear.wait(TIMEOUT) for ear in ears]
    more = [ear.wait(0) for ear in ears]
    stop.set()
    ringing.join(TIMEOUT)

    assert (heard, more) == ([True, True], [False, False])
    assert [ear.wait(0) for ear in ears] == [True, True]


def test_a_wake_up_that_comes_while_a_thread_works_is_not_lost() -> None:
    ear = WakeUpReceiver()

    ear.wake()
    ear.wake()

    assert [ear.wait(0), ear.wait(0)] == [True, False]


def test_a_bell_that_cannot_listen_for_a_moment_rings_again(caplog: pytest.LogCaptureFixture) -> None:
    stop = Signal()
    pipe = Pipe(failures=[Unavailable("The pipe is gone.")])
    bell = WakeUpBroadcast(pipe, stop)
    ear = bell.ear()
    pipe.rung.wake()
    ringing = threading.Thread(target=bell.run)

    with caplog.at_level(logging.WARNING):
        ringing.start()
        assert ear.wait(TIMEOUT)
    stop.set()
    ringing.join(TIMEOUT)

    assert [record.getMessage() for record in caplog.records] == [
        "Something does not answer while waiting to be woken: The pipe is gone."
    ]
