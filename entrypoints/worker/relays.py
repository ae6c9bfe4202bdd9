"""The threads that tell each destination of events, beside the imports of the same process."""

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
    """Tells one destination of events until it is told to stop.

    A failure is written down and followed by a wait, never by the end of the loop.
    """

    notifications: Notifications
    destination: str
    waiting: WakeUpSource
    stop: Event

    def run(self) -> None:
        """Relay until `stop` is set. What is handed over then is still settled."""
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
    """Relay to every destination as long as the block lasts, each in a thread of its own, woken by the bell.

    An import that has its turn holds no event up, and a destination that is slow delays no other. However the block
    is left, `stop` is set then, and the threads have ended.
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
