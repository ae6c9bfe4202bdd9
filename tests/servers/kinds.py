"""What the kinds of servers have in common: where one may be found, and how one is asked whether it answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


class NoAnswer(Exception):
    """A server does not answer, or not yet; the text says what was heard instead."""


def nothing_to_prepare(program: str, folder: Path) -> None:
    """The server makes its data itself when it starts for the first time."""


@dataclass(frozen=True)
class Program:
    """A binary that is such a server."""

    name: str
    command: Callable[[str, Path, int], Sequence[str]]
    """From its path, a folder for its data and a port to what is run in the foreground."""
    prepare: Callable[[str, Path], None] = nothing_to_prepare
    """Make the data once, before the first start; an OSError or a SubprocessError says that it failed."""


@dataclass(frozen=True)
class ServerKind:
    """A kind of server that tests need."""

    name: str
    service: str
    """Its name in docker-compose.yml."""
    container_port: int
    variable: str
    """The environment's name for the URL of one that is there already."""
    url: str
    """How one that the tests have started is reached; its port is to be filled in."""
    version: Callable[[str], str]
    """The version of the one at that URL, empty where it does not tell; raises NoAnswer."""
    programs: Sequence[Program]
    """The binaries, the preferred one first."""
    package: str | None = None
    """What Debian and Ubuntu call it; None where they do not have it."""


@dataclass(frozen=True)
class Server:
    """A server that tests may use, and what it is."""

    url: str
    how: str
    """For the reader of the results: which one it is, in which version, and where it comes from."""


def described(name: str, version: str, origin: str) -> str:
    """What a server is, in words."""
    return f"{name} {version}".strip() + f", {origin}"
