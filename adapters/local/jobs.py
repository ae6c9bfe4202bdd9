"""Waking the workers of one data folder through a named pipe in it."""

import os
import select
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Self
from uuid import UUID

from unite_core.jobs import Jobs

PIPE = "worker.wake"
_READ_SIZE = 4096


class LocalJobs(Jobs):
    """Wakes whichever worker waits on the same folder (FIFO, POSIX `mkfifo`).

    A wake-up carries nothing: the worker looks into the database. Without a worker, or with a pipe that is full
    because the worker is busy, it is lost, and the worker's own regular look finds what there is to do.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / PIPE

    def run_import(self, import_id: UUID) -> None:  # noqa: ARG002 - which import it is stands in the database
        self.wake()

    def undo_import(self, import_id: UUID) -> None:  # noqa: ARG002 - which import it is stands in the database
        self.wake()

    def deliver_events(self, destinations: Collection[str] = ()) -> None:  # noqa: ARG002 - all of them look
        self.wake()

    def wake(self) -> None:
        """Have a worker that waits look at once; never fails."""
        with suppress(OSError):  # no pipe, nobody at its other end, or full
            pipe = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
            try:
                if stat.S_ISFIFO(os.fstat(pipe).st_mode):
                    os.write(pipe, b"\n")
            finally:
                os.close(pipe)

    def listen(self) -> "WakeUps":
        """The worker's end; raises `OSError` where the folder takes no pipe."""
        with suppress(FileExistsError):
            os.mkfifo(self._path, 0o600)
        # Open for writing too: without any writer the pipe would be at its end, and never wait.
        return WakeUps(os.open(self._path, os.O_RDWR | os.O_NONBLOCK))


class WakeUps:
    """The end of the pipe that a worker waits at. Close it, or use it as a context manager."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def wait(self, timeout: float) -> bool:
        """Wait for a wake-up, `timeout` seconds at the most; whether there was one. Takes all that came so far."""
        ready, _, _ = select.select([self._pipe], [], [], timeout)
        if not ready:
            return False
        try:
            return bool(os.read(self._pipe, _READ_SIZE))
        except BlockingIOError:  # another worker was quicker
            return False

    def close(self) -> None:
        """Stop listening."""
        os.close(self._pipe)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
