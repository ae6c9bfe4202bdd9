"""Types that describe a kind of server: its binaries, its packages, and how to ping it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


class NoAnswer(Exception):
    """A server does not answer, or not yet; the message says what happened instead."""


def nothing_to_prepare(program: str, folder: Path) -> None:
    """Do nothing, for a server that creates its data itself at its first start."""


@dataclass(frozen=True)
class Program:
    """A binary of a server."""

    name: str
    command: Callable[[str, Path, int], Sequence[str]]
    """Path of the binary, data folder and port -> the command to run in the foreground."""
    prepare: Callable[[str, Path], None] = nothing_to_prepare
    """Creates the data once before the first start; raises OSError or SubprocessError if it fails."""


@dataclass(frozen=True)
class ServerKind:
    """A kind of server for tests."""

    name: str
    service: str
    """Its name in docker-compose.yml."""
    container_port: int
    variable: str
    """The environment variable with the URL of an existing server."""
    url: str
    """The URL of a started server, with a placeholder for its port."""
    version: Callable[[str], str]
    """Returns the version of the server at that URL, empty if it does not say; raises NoAnswer."""
    programs: Sequence[Program]
    """The binaries, the preferred one first."""
    package: str | None = None
    """The package name in Debian and Ubuntu; None if there is none."""


@dataclass(frozen=True)
class Server:
    """A server that tests may use."""

    url: str
    how: str
    """The description in the test results: product, version and origin."""


def described(name: str, version: str, origin: str) -> str:
    """Return the description of a server."""
    return f"{name} {version}".strip() + f", {origin}"
