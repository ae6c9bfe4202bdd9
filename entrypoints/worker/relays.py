"""Threads that deliver events, one for each destination, in a worker without queues."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

from entrypoints.dead_letters import log_dead_letter
from entrypoints.worker.failures import Backoff, log_failures
from entrypoints.worker.wake_ups import POLL_INTERVAL, WakeUpBroadcast, WakeUpSource
from unite_core.application import Notifications


@dataclass
class Relay:
    """A loop that delivers events to one destination until it is stopped.

    A failure is logged and followed by a pause; it never ends the loop.
    """

    notifications: Notifications
    destination: str
    waiting: WakeUpSource
    stop: Event

    def run(self) -> None:
        """Deliver events until `stop` is set. The result of a delivery in progress is still stored."""
        backoff = Backoff()
        while not self.stop.is_set():
            with log_failures(backoff, f"telling of events ({self.destination})"):
                self.notifications.relay(self.destination, should_stop=self.stop.is_set, on_dead=log_dead_letter)
                backoff.succeeded()
            if backoff.seconds:
                self.stop.wait(backoff.seconds)
            else:
                self.waiting.wait(POLL_INTERVAL)


@contextmanager
def relay_in_threads(notifications: Notifications, bell: WakeUpBroadcast, stop: Event) -> Iterator[None]:
    """Deliver events to every destination while the block runs, each in its own thread, woken through `bell`.

    So an import delays no event, and a slow destination delays no other. When the block ends in any way, `stop` is set
    and the threads have ended.
    """
    relays = [Relay(notifications, destination, bell.ear(), stop) for destination in notifications.destinations]
    threads: Sequence[Thread] = [
        *(Thread(target=relay.run, name=f"relay-{relay.destination}") for relay in relays),
        Thread(target=bell.run, name="bell"),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
