"""Interface of servers that the tests start, in containers or as processes."""

import time
from abc import abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from tests.servers import keeper
from tests.servers.finding import CannotBeHad
from tests.servers.kinds import NoAnswer, ServerKind

TIMEOUT = 120.0
"""Timeout in seconds for the start of a server on a slow machine."""

_LAST_WORDS = 12
"""How many lines of the log are quoted if a server does not start."""


class OwnServer(Protocol):
    """A server that the tests start and may stop; it keeps its port and data."""

    url: str
    how: str

    @abstractmethod
    def start(self) -> None:
        """Start or restart the server, and wait until it answers; raise CannotBeHad."""

    @abstractmethod
    def stop(self) -> None:
        """Shut the server down, and wait for its end."""

    @abstractmethod
    def kill(self) -> None:
        """Kill the server."""

    @abstractmethod
    def remove(self) -> None:
        """Stop the server and delete its data."""


def wait_for_an_answer(kind: ServerKind, url: str, folder: Path) -> str:
    """Wait until the server answers, and return its version; raise CannotBeHad if it ends before."""
    until = time.monotonic() + TIMEOUT
    while True:
        if (folder / keeper.ENDED).exists():
            raise CannotBeHad(f"it ended as it had begun; {last_words(folder)}")
        with suppress(NoAnswer):
            return kind.version(url)
        if time.monotonic() > until:
            raise CannotBeHad(f"it did not answer within {TIMEOUT:.0f} seconds; {last_words(folder)}")
        time.sleep(0.05)


def last_words(folder: Path) -> str:
    """Return the last lines of the output of a command."""
    lines = (folder / keeper.LOG).read_text("utf-8", errors="replace").splitlines()
    return "\n    ".join(["its last words:", *lines[-_LAST_WORDS:]])
