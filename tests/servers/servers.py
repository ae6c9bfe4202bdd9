"""The servers of a test run: shared and private ones."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial

from tests.servers.containers import a_container
from tests.servers.finding import NotFound, Ways, allowed, find, with_the_named_one
from tests.servers.kinds import Server, ServerKind
from tests.servers.own import OwnServer
from tests.servers.processes import a_process
from tests.servers.run import Run, Tell


class Servers:
    """The servers of a test run, shared by all tests or private to one."""

    def __init__(self, run: Run, tell: Tell, environment: Mapping[str, str] = os.environ) -> None:
        self._run = run
        self._tell = tell
        self._environment = environment

    def shared(self, kind: ServerKind) -> Server:
        """Return the shared server of that kind, started by the first process that needs it; raise NotFound."""
        record = self._run.folder / f"{kind.service}.json"
        with self._run.alone(kind.service):
            if not record.exists():
                record.write_text(json.dumps(self._outcome(kind)))
            outcome = json.loads(record.read_text())
        if "failure" in outcome:
            raise NotFound(outcome["failure"])
        return Server(**outcome)

    @contextmanager
    def private(self, kind: ServerKind) -> Iterator[OwnServer]:
        """Start a private server, which may be stopped and killed; raise NotFound."""
        ways: Ways[OwnServer] = {
            "binaries": partial(a_process, self._run, tell=self._tell),
            "docker": partial(a_container, self._run, tell=self._tell, lasting=True),
        }
        server = find(kind, allowed(ways, self._environment), self._tell)
        try:
            yield server
        finally:
            server.remove()

    def _outcome(self, kind: ServerKind) -> dict[str, str]:
        """Return the result of the search for a server, in a form that the other processes can read."""
        ways: Ways[Server] = {
            "docker": lambda kind: _as_shared(a_container(self._run, kind, self._tell)),
            "binaries": lambda kind: _as_shared(a_process(self._run, kind, self._tell)),
        }
        try:
            return asdict(find(kind, with_the_named_one(kind, ways, self._environment), self._tell))
        except NotFound as failure:
            return {"failure": str(failure)}


def _as_shared(server: OwnServer) -> Server:
    """Return the data about a server of the run that the other processes need."""
    return Server(server.url, server.how)
