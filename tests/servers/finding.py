"""Search for a server in several ways in order, and the error if none works."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from tests.servers.kinds import NoAnswer, Server, ServerKind, described
from tests.servers.run import Tell

T = TypeVar("T")

FORCE = "UNITE_TEST_SERVERS"
"""The environment's name for the one way that is to be gone: docker or binaries."""


class CannotBeHad(Exception):
    """A server cannot be had in one way; the text says why."""


class NotFound(Exception):
    """A server cannot be had in any way; the text says what was tried, and what to do."""


Ways = Mapping[str, Callable[[ServerKind], T]]
"""What each way to get a server is called, the preferred one first; each raises CannotBeHad."""


def find(kind: ServerKind, ways: Ways[T], tell: Tell) -> T:
    """A server of that kind, got in the first way that leads to one; raises NotFound."""
    tried = []
    for name, way in ways.items():
        try:
            return way(kind)
        except CannotBeHad as reason:
            tried.append(f"  {name}: {reason}")
            tell(f"{kind.name} cannot be had in the way of {name}: {reason}")
    raise NotFound("\n".join([f"The tests need {kind.name}, and it cannot be had.", *tried, _advice(kind)]))


def allowed(ways: Ways[T], environment: Mapping[str, str]) -> Ways[T]:
    """Return the ways that the environment permits; raise `NotFound` for an unknown one."""
    forced = environment.get(FORCE)
    if not forced:
        return ways
    if forced not in ways:
        raise NotFound(f"{FORCE} is {forced!r}; it may be {' or '.join(sorted(ways))}.")
    return {forced: ways[forced]}


def with_the_named_one(kind: ServerKind, ways: Ways[Server], environment: Mapping[str, str]) -> Ways[Server]:
    """Use only the server that the environment names, if it names one."""
    url = environment.get(kind.variable)
    return {kind.variable: lambda kind: _named(kind, url)} if url else allowed(ways, environment)


def _named(kind: ServerKind, url: str) -> Server:
    try:
        return Server(url, described(kind.name, kind.version(url), f"named by {kind.variable}"))
    except NoAnswer as error:
        raise CannotBeHad(f"no answer from there: {error}") from error


def _advice(kind: ServerKind) -> str:
    binaries = " or ".join(program.name for program in kind.programs)
    package = f", on Debian or Ubuntu the package {kind.package}" if kind.package else ""
    return (
        f"Start a Docker engine, or install {binaries}{package}, or set {kind.variable} to the URL of one that is "
        "for tests alone. docs/reference/testing.md says more."
    )
