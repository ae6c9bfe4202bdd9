"""Test servers as local processes, from the binaries of this machine."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from tests.servers.finding import CannotBeHad
from tests.servers.kinds import Program, ServerKind, described
from tests.servers.own import OwnServer, wait_for_an_answer
from tests.servers.run import Run, Tell
from tests.service_process import free_port

_FOLDERS = (str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin")
"""Folders with binaries; a user's PATH often lacks those of system services."""


class ProcessServer(OwnServer):
    """A server as a local process, with its data in the folder of the run."""

    def __init__(self, run: Run, kind: ServerKind, program: Program, path: str) -> None:
        self._run = run
        self._kind = kind
        self._folder = run.folder / f"{kind.service}-{uuid4().hex[:8]}"
        self._folder.mkdir()
        try:
            program.prepare(path, self._folder)
        except subprocess.CalledProcessError as error:
            raise CannotBeHad(f"{program.name} cannot make its data: {error.stdout}{error.stderr}") from error
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotBeHad(f"{program.name} cannot make its data: {error}") from error
        port = free_port()
        self._name = program.name
        self._command = program.command(path, self._folder, port)
        self._keeper: subprocess.Popen[bytes] | None = None
        self.url = kind.url.format(port=port)
        self.how = ""

    def start(self) -> None:
        self._keeper = self._run.keep(self._folder, self._command)
        try:
            output = wait_for_an_answer(self._kind, self.url, self._folder)
        except CannotBeHad:
            self.stop()
            raise
        self.how = described(self._name, output, "a process on this machine")

    def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.terminate()
            self._keeper.wait()
            self._keeper = None

    def kill(self) -> None:
        assert self._keeper is not None, "it was not started"
        os.killpg(self._keeper.pid, signal.SIGKILL)
        self._keeper.wait()
        self._keeper = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder)


def a_process(run: Run, kind: ServerKind, tell: Tell) -> ProcessServer:
    """Start a server from a binary; raise CannotBeHad."""
    installed = installed_program(kind)
    if installed is None:
        hint = "; `make programs` installs it" if kind.package is not None else ""
        raise CannotBeHad(f"there is no {' or '.join(program.name for program in kind.programs)}{hint}")
    program, path = installed
    tell(f"Starting {path} for the tests")
    server = ProcessServer(run, kind, program, path)
    server.start()
    return server


def installed_program(kind: ServerKind) -> tuple[Program, str] | None:
    """Return the first existing binary of the kind, and its path."""
    for program in kind.programs:
        path = shutil.which(program.name, path=os.pathsep.join(_FOLDERS))
        if path is not None:
            return program, path
    return None
