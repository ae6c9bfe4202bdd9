"""Distribute a wake-up of the worker process to all of its threads."""

from threading import Event
from typing import Protocol

from entrypoints.worker.failures import Backoff, log_failures

POLL_INTERVAL = 1.0
"""Seconds between two polls for work without a wake-up."""


class WakeUpSource(Protocol):
    """A source of wake-ups: `wait` waits for at most `timeout` seconds and returns whether there was one."""

    def wait(self, timeout: float) -> bool: ...


class WakeUpReceiver:
    """The wake-ups of one thread. A wake-up that arrives while the thread works is not lost."""

    def __init__(self) -> None:
        self._woken = Event()

    def wake(self) -> None:
        """Wake the thread now, or at its next wait."""
        self._woken.set()

    def wait(self, timeout: float) -> bool:
        """Wait for a wake-up for at most `timeout` seconds; return whether there was one."""
        woken = self._woken.wait(timeout)
        # A wake-up that is cleared here is not lost: the thread looks for work after this.
        self._woken.clear()
        return woken


class WakeUpBroadcast:
    """A thread that passes each wake-up from `waiting`, which has only one receiver, on to every receiver."""

    def __init__(self, waiting: WakeUpSource, stop: Event) -> None:
        self._waiting = waiting
        self._stop = stop
        self._ears: list[WakeUpReceiver] = []

    def ear(self) -> WakeUpReceiver:
        """Create and return a receiver for all further wake-ups."""
        ear = WakeUpReceiver()
        self._ears.append(ear)
        return ear

    def run(self) -> None:
        """Pass wake-ups on until `stop` is set, and then a last one, so that no thread keeps waiting."""
        backoff = Backoff()
        while not self._stop.is_set():
            with log_failures(backoff, "waiting to be woken"):
                if self._waiting.wait(POLL_INTERVAL):
                    self._ring()
                backoff.succeeded()
            self._stop.wait(backoff.seconds)
        self._ring()

    def _ring(self) -> None:
        for ear in self._ears:
            ear.wake()
