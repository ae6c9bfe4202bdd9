"""A test run: the folder that its processes share, and the servers that end with it."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import IO

from tests.conftest import CHECKOUT
from tests.servers import keeper

Tell = Callable[[str], None]
"""Prints a message about what the tests wait for."""


class Run:
    """A test run, as each of its processes sees it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._keepers: list[subprocess.Popen[bytes]] = []

    def keep(
        self,
        folder: Path,
        command: Sequence[str],
        *,
        farewell: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start a command in a folder, to be ended with the run; return its keeper process.

        SIGTERM to the keeper stops the command and runs `farewell`; SIGKILL to its process group kills both. The
        output of the command is in `keeper.LOG`, its exit code will be in `keeper.ENDED`.
        """
        (folder / keeper.ENDED).unlink(missing_ok=True)
        one = subprocess.Popen(
            [
                sys.executable,
                "-m",
                keeper.__name__,
                str(self.folder),
                str(folder),
                json.dumps([list(command), list(farewell)]),
            ],
            cwd=folder,
            env=_environment() | dict(variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # In a group of its own, because Ctrl-C is for the tests, which then end the run.
            start_new_session=True,
        )
        self._keepers.append(one)
        return one

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Exclude the other processes of the run during the block."""
        with (self.folder / f"{what}.lock").open("a") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            yield


class OwnRun(Run):
    """A test run, as the process that began it sees it; its end stops the servers."""

    def __init__(self) -> None:
        # A short path, because it contains sockets; others may enter it, because MySQL does not run as root.
        super().__init__(Path(mkdtemp(prefix="unite-tests-")))
        self.folder.chmod(0o711)
        self._lock: IO[str] = (self.folder / keeper.RUN_LOCK).open("a")
        fcntl.lockf(self._lock, fcntl.LOCK_EX)

    def end(self) -> None:
        """Stop all servers, wait for their end, and delete their files."""
        self._lock.close()
        with (self.folder / keeper.KEEPERS_LOCK).open("a") as keepers:
            fcntl.lockf(keepers, fcntl.LOCK_EX)
        for one in self._keepers:
            one.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def _environment() -> dict[str, str]:
    """Return the environment without variables of the service and without those that measure coverage."""
    foreign = ("UNITE_", "COVERAGE_", "COV_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return clean | {"PYTHONPATH": str(CHECKOUT)}
