"""Test servers in containers, by Docker Compose and pytest-docker."""

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from pytest_docker.plugin import DockerComposeExecutor, Services

from tests.servers import keeper
from tests.servers.finding import CannotBeHad
from tests.servers.kinds import ServerKind, described
from tests.servers.own import OwnServer, last_words, wait_for_an_answer
from tests.servers.run import Run, Tell
from tests.service_process import free_port

FILE = Path(__file__).with_name("docker-compose.yml")

_TIMEOUT = 600.0
"""Timeout in seconds for pulling an image over a slow connection, and for a container to start."""


class ContainerServer(OwnServer):
    """A server in a container, in a Compose project of its own."""

    def __init__(self, run: Run, kind: ServerKind, *, lasting: bool) -> None:
        """Create a project for it; a lasting one keeps its port and data when it is stopped."""
        self._run = run
        self._kind = kind
        self._project = f"unite-tests-{uuid4().hex[:8]}-{kind.service}"
        self._folder = run.folder / self._project
        self._folder.mkdir()
        self._variables = {"UNITE_TEST_PORT": str(free_port()), "UNITE_TEST_DATA": "volume"} if lasting else {}
        self._compose = DockerComposeExecutor("docker compose", str(FILE), self._project)
        self._keeper: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.how = ""

    def start(self) -> None:
        if self._keeper is None:
            self._create()
        else:
            self._compose.execute("start")
        output = wait_for_an_answer(self._kind, self.url, self._folder)
        self.how = described(self._kind.name, output, f"a container of {self._image()}")

    def stop(self) -> None:
        self._compose.execute("stop")

    def kill(self) -> None:
        self._compose.execute("kill")

    def remove(self) -> None:
        if self._keeper is not None:
            self._keeper.terminate()
            self._keeper.wait()
        shutil.rmtree(self._folder)

    def _create(self) -> None:
        """Create the container and start it; its keeper removes it, also if that fails."""
        self._keeper = self._run.keep(
            self._folder,
            self._argv("up", "--detach", self._kind.service),
            farewell=self._argv("down", "--volumes", "--timeout", "5"),
            variables=self._variables,
        )
        code = _exit_code(self._folder)
        if code != 0:
            reason = f"docker compose up {'failed' if code else 'took too long'}; {last_words(self._folder)}"
            self.remove()
            raise CannotBeHad(reason)
        # From now on that file would mean that the server has ended.
        (self._folder / keeper.ENDED).unlink()
        port = Services(self._compose).port_for(self._kind.service, self._kind.container_port)
        self.url = self._kind.url.format(port=port)

    def _image(self) -> str:
        return str(self._compose.execute(f"config --images {self._kind.service}").decode().strip())

    def _argv(self, *arguments: str) -> Sequence[str]:
        return ["docker", "compose", "--progress", "plain", "-f", str(FILE), "-p", self._project, *arguments]


def a_container(run: Run, kind: ServerKind, tell: Tell, *, lasting: bool = False) -> ContainerServer:
    """Start a server in a container; raise CannotBeHad."""
    look_for_an_engine()
    tell(f"Starting {kind.name} by Docker for the tests")
    server = ContainerServer(run, kind, lasting=lasting)
    server.start()
    return server


def look_for_an_engine() -> None:
    """Check that Docker and Compose answer; raise CannotBeHad."""
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        said = " ".join(command)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        except FileNotFoundError as error:
            raise CannotBeHad("there is no docker command") from error
        except subprocess.TimeoutExpired as error:
            raise CannotBeHad(f"`{said}` does not come back") from error
        if done.returncode != 0:
            raise CannotBeHad(f"`{said}` failed: {done.stderr.strip()}")


def _exit_code(folder: Path) -> int | None:
    """Wait for the command that runs in that folder; return its exit code, or None if it takes too long."""
    note = folder / keeper.ENDED
    until = time.monotonic() + _TIMEOUT
    while time.monotonic() < until:
        if note.exists():
            return int(note.read_text())
        time.sleep(0.05)
    return None
