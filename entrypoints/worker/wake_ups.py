"""One wake-up of a worker process, heard by each of its threads."""

from threading import Event
from typing import Protocol

from entrypoints.worker.failures import Backoff, log_failures

POLL_INTERVAL = 1.0
"""Seconds between two looks for work that nobody woke the worker for."""


class WakeUpSource(Protocol):
    """Waits for a wake-up, `timeout` seconds at the most; whether there was one."""

    def wait(self, timeout: float) -> bool: ...


class WakeUpReceiver:
    """Where one thread waits for the wake-ups of its process. One that comes while it works is not lost."""

    def __init__(self) -> None:
        self._woken = Event()

    def wake(self) -> None:
        """Have the thread look at once, or once more when it comes to wait."""
        self._woken.set()

    def wait(self, timeout: float) -> bool:
        """Wait for a wake-up, `timeout` seconds at the most; whether there was one."""
        woken = self._woken.wait(timeout)
        # Whoever wakes from here on finds the look that follows still to come.
        self._woken.clear()
        return woken


class WakeUpBroadcast:
    """Passes what comes to `waiting` on to every ear, until `stop` is set: a wake-up by itself has one taker."""

    def __init__(self, waiting: WakeUpSource, stop: Event) -> None:
        self._waiting = waiting
        self._stop = stop
        self._ears: list[WakeUpReceiver] = []

    def ear(self) -> WakeUpReceiver:
        """An ear that hears each wake-up from now on."""
        ear = WakeUpReceiver()
        self._ears.append(ear)
        return ear

    def run(self) -> None:
        """Pass wake-ups on; at the end a last one, so that nobody waits on."""
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
