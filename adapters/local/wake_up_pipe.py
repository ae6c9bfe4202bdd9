"""Wake the workers of a data folder through a named pipe."""

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
_MAX_READ_BYTES = 4096


class LocalJobs(Jobs):
    """Jobs that wake the worker of the same folder through a FIFO (POSIX `mkfifo`).

    A wake-up has no content: the worker finds its work in the database. Without a worker, or with a pipe that is full
    because the worker is busy, the wake-up is lost, and the worker finds the work at its next sweep of the database.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / PIPE

    def run_import(self, import_id: UUID) -> None:  # noqa: ARG002 - the worker finds the import in the database
        self.wake()

    def undo_import(self, import_id: UUID) -> None:  # noqa: ARG002 - the worker finds the import in the database
        self.wake()

    def deliver_events(self, destinations: Collection[str] = ()) -> None:  # noqa: ARG002 - one wake-up is for all destinations
        self.wake()

    def wake(self) -> None:
        """Wake a worker that waits; never fail."""
        with suppress(OSError):  # there is no pipe, no worker, or the pipe is full
            pipe = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
            try:
                if stat.S_ISFIFO(os.fstat(pipe).st_mode):
                    os.write(pipe, b"\n")
            finally:
                os.close(pipe)

    def listen(self) -> "WakeUps":
        """Open the worker's end; raise `OSError` where the folder does not support pipes."""
        with suppress(FileExistsError):
            os.mkfifo(self._path, 0o600)
        # Opened for writing too: without a writer, reading would return at once instead of waiting.
        return WakeUps(os.open(self._path, os.O_RDWR | os.O_NONBLOCK))


class WakeUps:
    """The worker's end of the pipe. Close it, or use it as a context manager."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for a wake-up; return whether there was one. Consumes all wake-ups so far."""
        ready, _, _ = select.select([self._pipe], [], [], timeout)
        if not ready:
            return False
        try:
            return bool(os.read(self._pipe, _MAX_READ_BYTES))
        except BlockingIOError:  # another worker read it first
            return False

    def close(self) -> None:
        """Stop listening."""
        os.close(self._pipe)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
