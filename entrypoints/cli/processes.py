"""Supervise the processes that `serve` starts: restart them with a backoff, and stop them with the service."""

import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import Protocol

MIN_BACKOFF = 0.5
MAX_BACKOFF = 30.0
BACKOFF_RESET_AFTER = 60.0
"""Seconds of running after which the backoff starts again at its minimum."""

POLL_SECONDS = 0.1

LOGGED_FAILURE = 1
"""The exit code of a process that has logged the reason for its end."""

log = logging.getLogger(__name__)


class Process(Protocol):
    """A running process."""

    def exit_code(self) -> int | None:
        """Return the exit code, negative after a signal; None while the process runs."""

    def terminate(self) -> None:
        """Send SIGTERM."""

    def kill(self) -> None:
        """Send SIGKILL."""


class Lifeline:
    """A pipe by which the forks of this process notice that it has ended, even by SIGKILL: only it holds one end.

    The sentinel of `multiprocessing.parent_process` does not suffice: each fork also holds the ends of earlier ones.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()

    def let_go(self) -> None:
        """Close this process's copy of the end that only the parent may hold; called in each fork."""
        os.close(self._writing)

    def wait_for_end(self) -> None:
        """Return when the parent has ended."""
        os.read(self._reading, 1)


class ForkedProcess:
    """A fork of this process that runs `work` and ends with its result as the exit code.

    `work` is given a function that returns when this process has ended. This process must have no thread that may hold
    a lock.
    """

    def __init__(self, work: Callable[[Callable[[], None]], int], parent: Lifeline) -> None:
        self._process = multiprocessing.get_context("fork").Process(target=_run, args=(work, parent))
        self._process.start()

    def exit_code(self) -> int | None:
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def _run(work: Callable[[Callable[[], None]], int], parent: Lifeline) -> None:
    parent.let_go()
    # The inherited handlers would only tell this copy of the parent to stop.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit())
    sys.exit(work(parent.wait_for_end))


class Supervised:
    """A process that is restarted when it dies, after a pause that grows if it dies soon.

    If an `essential` process cannot start, the service stops.
    """

    def __init__(self, name: str, start: Callable[[], Process], *, essential: bool = False) -> None:
        self._name = name
        self._start = start
        self._essential = essential
        self._process: Process | None = None
        self._began = self._due = time.monotonic()
        self._pause = MIN_BACKOFF

    def look_after(self) -> bool:
        """Start the process if it is due; return False if it is essential and cannot start."""
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
            if code != LOGGED_FAILURE:
                log.error("The %s cannot start: it ended with %s.", self._name, code)
            return False
        self._pause = MIN_BACKOFF if now - self._began > BACKOFF_RESET_AFTER else min(self._pause * 2, MAX_BACKOFF)
        self._due = now + self._pause
        log.error("The %s ended with %s; it is started again in %s seconds.", self._name, code, self._pause)
        return True

    def terminate(self) -> None:
        """Send SIGTERM to the process."""
        if self._process is not None and self._process.exit_code() is None:
            self._process.terminate()

    def has_ended(self) -> bool:
        """Return whether the process has ended."""
        return self._process is None or self._process.exit_code() is not None

    def kill(self) -> None:
        """Send SIGKILL to the process."""
        if self._process is not None:
            self._process.kill()


def supervise(
    processes: Sequence[Supervised], stop: Event, grace: float, *, before_stop: Callable[[], None] = lambda: None
) -> bool:
    """Supervise the processes until `stop` is set, then stop them; kill those that take longer than `grace` seconds.

    `before_stop` is called before the first of them is stopped.
    Returns False if an essential process cannot start.
    """
    healthy = True
    try:
        while healthy and not stop.is_set():
            healthy = all(process.look_after() for process in processes)
            stop.wait(POLL_SECONDS)
    finally:
        before_stop()
        _stop(processes, grace)
    return healthy


def _stop(processes: Sequence[Supervised], grace: float) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline and not all(process.has_ended() for process in processes):
        time.sleep(POLL_SECONDS / 2)
    for process in processes:
        if not process.has_ended():
            process.kill()
