"""The service and workers as real processes in a temporary folder, and an HTTP client for them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import requests

from tests.conftest import CHECKOUT

T = TypeVar("T")

TIMEOUT = 90.0
"""Seconds that anything may take on a slow machine; nothing waits longer than it has to."""

COVERAGE = "COVERAGE_"
"""How the variables begin that have the coverage of a process recorded."""

ADMIN = {"email": "ann@example.com", "password": "correct horse battery"}


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """What a process of ours sees: this machine's variables, and the given settings alone.

    No coverage is recorded, which takes a quarter of the time of everything that a process does: what most processes
    run is measured in the process of the tests.
    """
    # What is compiled is kept, so that the next process need not compile it again.
    foreign = ("UNITE_", "PYTHONDONTWRITEBYTECODE", COVERAGE)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return clean | {"PYTHONPATH": str(CHECKOUT), "UNITE_DATA_DIR": str(folder / "var")} | settings


def measured(environ: Mapping[str, str]) -> dict[str, str]:
    """The same for a process whose coverage is recorded, where that of the tests is."""
    return dict(environ) | {name: value for name, value in os.environ.items() if name.startswith(COVERAGE)}


def run(folder: Path, *arguments: str, text: str = "", **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end, with `text` as its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "entrypoints", *arguments],
        cwd=folder,
        env=environment(folder, **settings),
        input=text,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def eventually(look: Callable[[], T | None], what: str, timeout: float = TIMEOUT) -> T:
    """What `look` finds, as soon as it finds something true."""
    until = time.monotonic() + timeout
    while True:
        result = look()
        if result:
            return result
        assert time.monotonic() < until, f"waited {timeout} seconds in vain: {what}"
        time.sleep(0.05)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Service:
    """One installation: a folder and a port, and the processes that serve it for the moment."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    command: Sequence[str] = ("entrypoints", "serve")
    umask: int = -1
    measured: bool = False

    def __post_init__(self) -> None:
        self.log = self.folder / "service.log"
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._begun_at = 0

    def start(self, *, wait: bool = True) -> None:
        """Start it, and wait until it is ready."""
        admin = {"UNITE_ADMIN_EMAIL": ADMIN["email"], "UNITE_ADMIN_PASSWORD": ADMIN["password"]}
        given = admin | {"UNITE_PORT": str(self.port)} | dict(self.settings)
        variables = environment(self.folder, **given)
        with self.log.open("ab") as log:
            self._begun_at = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self.command],
                cwd=self.folder,
                env=measured(variables) if self.measured else variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=self.umask,
            )
        if wait:
            eventually(self.ready, f"the service is ready; its log:\n{self.log.read_text()}")

    @property
    def pid(self) -> int:
        """The process that was started; the others descend from it."""
        assert self._process is not None
        return self._process.pid

    def ready(self) -> bool:
        """Whether it answers, and not the one before; fails where it has ended instead."""
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        if b"Unite listens." not in self.log.read_bytes()[self._begun_at :]:
            return False
        with suppress(requests.RequestException), direct_session() as session:
            return session.get(f"{self.url}/health/ready", timeout=10).status_code == 200
        return False

    def processes(self) -> list[int]:
        """Every process of it that is alive, orphans included."""
        return alive_in_session(self.pid)

    def worker(self) -> int | None:
        """The process that works through imports."""
        pids = [pid for pid in self.processes() if "work" in command_of(pid)]
        return pids[0] if pids else None

    def end(self) -> int:
        """Wait for the main process; its exit code."""
        assert self._process is not None
        return self._process.wait(TIMEOUT)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it in good order; its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self.end()

    def kill(self) -> None:
        """End the main process alone, with nothing that it could do about it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def kill_all(self) -> None:
        """End all of its processes at one blow, as when the machine loses its power; whether it was started or not."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def client(self) -> "Client":
        """Somebody who is logged in as the admin."""
        client = Client(self.url)
        pair = client.call("POST", "/v1/auth/login", json=ADMIN)
        client.session.headers["Authorization"] = f"Bearer {pair['access_token']}"
        return client


@contextmanager
def service(folder: Path, **settings: str) -> Iterator[Service]:
    """A service that was not started yet, of which nothing is left at the end."""
    one = Service(folder, settings)
    try:
        yield one
    finally:
        one.kill_all()


class WorkerProcess:
    """A worker of an installation that is served elsewhere."""

    def __init__(self, one: Service, name: str, command: Sequence[str]) -> None:
        self.log = one.folder / f"{name}.log"
        self._command = command
        self._one = one
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._command],
                cwd=self._one.folder,
                env=environment(self._one.folder, **self._one.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        eventually(lambda: "The worker is ready." in self.log.read_text(), f"{self.log} says that it is ready")

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self, *numbers: int) -> int:
        """Send it the signals, one after the other; its exit code."""
        assert self._process is not None
        for number in numbers:
            self._process.send_signal(number)
        return self._process.wait(TIMEOUT)

    def freeze(self) -> None:
        """Have it do nothing any more, as if it hung, until it is killed."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """End it with nothing that it could do about it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def worker(one: Service, name: str, command: Sequence[str] = ("entrypoints", "work")) -> Iterator[WorkerProcess]:
    """A worker that was started, of which nothing is left at the end."""
    process = WorkerProcess(one, name, command)
    try:
        process.start()
        yield process
    finally:
        process.kill()


def direct_session() -> requests.Session:
    """A session that goes straight to this machine, which a proxy of the surrounding environment cannot reach."""
    session = requests.Session()
    session.trust_env = False
    return session


class Client:
    """Somebody who speaks to the service."""

    def __init__(self, url: str) -> None:
        self.session = direct_session()
        self.url = url

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The decoded answer to a request that has to succeed."""
        answer = self.session.request(method, self.url + path, timeout=TIMEOUT, **options)
        assert answer.status_code < 400, answer.text
        return answer.json()

    def import_leads(self, content: bytes, filename: str = "leads.csv") -> str:
        """Send a file in one call; the import's id."""
        files = {"file": (filename, content, "text/csv")}
        return str(self.call("POST", "/v1/lead-imports/file", files=files)["id"])

    def lead_import(self, import_id: str) -> dict[str, Any]:
        """An import as it is now."""
        response: dict[str, Any] = self.call("GET", f"/v1/lead-imports/{import_id}")
        return response


def alive_in_session(session: int) -> list[int]:
    """Every living process of a session, which is named by the process that it began with."""
    numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in numbers if _session_of(pid) == session]


def _session_of(pid: int) -> int | None:
    """The session that a living process belongs to; None for one that is gone, or dead and not yet buried."""
    try:
        stat = (Path("/proc") / str(pid) / "stat").read_text()
    except OSError:
        return None
    state, _, _, session = stat.rpartition(")")[2].split()[:4]
    return None if state in "ZX" else int(session)


def command_of(pid: int) -> list[str]:
    """What a process was started with."""
    with suppress(OSError):
        return (Path("/proc") / str(pid) / "cmdline").read_text().split("\0")
    return []
