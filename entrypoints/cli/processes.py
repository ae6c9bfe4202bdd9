"""The processes that `serve` starts: each is started again when it dies, and stopped with the service."""

import logging
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import Protocol

MIN_BACKOFF = 0.5
MAX_BACKOFF = 30.0
BACKOFF_RESET_AFTER = 60.0
"""Seconds after which a process that dies is started again without a long pause."""

POLL_SECONDS = 0.1

log = logging.getLogger(__name__)


class Process(Protocol):
    """A process that was started."""

    def exit_code(self) -> int | None:
        """The exit code, below 0 where a signal ended it; None as long as it lives."""

    def terminate(self) -> None:
        """Ask it to stop."""

    def kill(self) -> None:
        """End it at once."""


class ForkedProcess:
    """A process that begins as a copy of this one, and carries out `work`. This one must have no thread that locks."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._process = multiprocessing.get_context("fork").Process(target=work)
        self._process.start()

    def exit_code(self) -> int | None:
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


class CommandProcess:
    """A process that carries out a command of `python -m entrypoints`.

    It sees the end of its standard input when this process is gone, however that came about.
    """

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "entrypoints", *arguments]
        # Nothing from outside is in the command.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - it is our own command

    def exit_code(self) -> int | None:
        return self._process.poll()

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


class Supervised:
    """A process that is started again whenever it dies, after a pause that grows where it does not live long.

    Where it is `essential` and cannot even start, the service ends.
    """

    def __init__(self, name: str, start: Callable[[], Process], *, essential: bool = False) -> None:
        self._name = name
        self._start = start
        self._essential = essential
        self._process: Process | None = None
        self._began = self._due = time.monotonic()
        self._pause = MIN_BACKOFF

    def look_after(self) -> bool:
        """Start the process where it is due; False where it is essential and cannot start."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._due:
                self._began = now
                self._process = self._start()
            return True
        code = self._process.exit_code()
        if code is None:
            return True
        self._process = None
        if self._essential and code > 0 and self._pause == MIN_BACKOFF and now - self._began < BACKOFF_RESET_AFTER:
            log.error("The %s cannot start.", self._name)
            return False
        self._pause = MIN_BACKOFF if now - self._began > BACKOFF_RESET_AFTER else min(self._pause * 2, MAX_BACKOFF)
        self._due = now + self._pause
        log.error("The %s ended with %s; it is started again in %s seconds.", self._name, code, self._pause)
        return True

    def terminate(self) -> None:
        """Ask the process to stop."""
        if self._process is not None and self._process.exit_code() is None:
            self._process.terminate()

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process is None or self._process.exit_code() is not None

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()


def supervise(
    processes: Sequence[Supervised], stop: Event, grace: float, *, before_stop: Callable[[], None] = lambda: None
) -> bool:
    """Look after the processes until `stop` is set, then stop them; kill what takes longer than `grace` seconds.

    `before_stop` is called when the first of them is about to be stopped.
    False where an essential process cannot start.
    """
    good = True
    try:
        while good and not stop.is_set():
            good = all(process.look_after() for process in processes)
            stop.wait(POLL_SECONDS)
    finally:
        before_stop()
        _stop(processes, grace)
    return good


def _stop(processes: Sequence[Supervised], grace: float) -> None:
    for process in processes:
        process.terminate()
    until = time.monotonic() + grace
    while time.monotonic() < until and not all(process.has_ended() for process in processes):
        time.sleep(POLL_SECONDS / 2)
    for process in processes:
        if not process.has_ended():
            process.kill()
