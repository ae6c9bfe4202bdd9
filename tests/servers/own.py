"""What servers that the tests have started have in common, wherever they run."""

import time
from abc import abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from tests.servers import keeper
from tests.servers.finding import CannotBeHad
from tests.servers.kinds import NoAnswer, ServerKind

TIMEOUT = 120.0
"""Seconds for a server to start on a slow machine; nothing waits longer than it has to."""

_LAST_WORDS = 12
"""How many lines of a server's log are quoted when it does not start."""


class OwnServer(Protocol):
    """A server that the tests have started and may stop, on a port and with data that it keeps."""

    url: str
    how: str

    @abstractmethod
    def start(self) -> None:
        """Start it, for the first time or again, and wait until it answers; raises CannotBeHad."""

    @abstractmethod
    def stop(self) -> None:
        """Have it end in good order, and wait until it has."""

    @abstractmethod
    def kill(self) -> None:
        """End it with nothing that it could do about it."""

    @abstractmethod
    def remove(self) -> None:
        """End it, and delete its data."""


def wait_for_an_answer(kind: ServerKind, url: str, folder: Path) -> str:
    """The version that the server tells as soon as it answers; raises CannotBeHad if it ends before."""
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
    """The end of what a command has printed."""
    lines = (folder / keeper.LOG).read_text("utf-8", errors="replace").splitlines()
    return "\n    ".join(["its last words:", *lines[-_LAST_WORDS:]])
