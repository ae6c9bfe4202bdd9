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
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar

import requests

from entrypoints.bootstrap.database import FILE
from tests.conftest import CHECKOUT
from tests.fork_server import Forked, fork_server
from tests.log_leaks import check_lines, check_log
from tests.migrated import migrated

T = TypeVar("T")

TIMEOUT = 90.0
"""Seconds that anything may take on a slow machine; nothing waits longer than it has to."""

COVERAGE = "COVERAGE_"
"""How the variables begin that have the coverage of a process recorded."""

WORKER = "unite-worker"
"""The name of the process that a service works in."""

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


def spawn(
    command: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    *,
    output: IO[Any],
    errors: IO[Any] | None = None,
    text: IO[Any] | None = None,
    umask: int = -1,
    own_session: bool = False,
) -> Forked:
    """Run a module and its arguments in the folder, in a process that need not load it; the files are its streams."""
    with Path(os.devnull).open("rb") as nothing:
        return fork_server(os.getpid(), CHECKOUT).start(
            command,
            cwd=folder,
            env=environ,
            files=((text or nothing).fileno(), output.fileno(), (errors or output).fileno()),
            umask=umask,
            own_session=own_session,
        )


def run(folder: Path, *arguments: str, text: str = "", **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end, with `text` as its standard input."""
    with TemporaryFile("w+") as typed, TemporaryFile("w+") as output, TemporaryFile("w+") as errors:
        typed.write(text)
        typed.seek(0)
        command = ["entrypoints", *arguments]
        environ = environment(folder, **settings)
        code = spawn(command, folder, environ, output=output, errors=errors, text=typed).wait(TIMEOUT)
        output.seek(0)
        errors.seek(0)
        logged = errors.read()
        check_lines(logged)
        return subprocess.CompletedProcess(command, code, output.read(), logged)


class Conversation:
    """A process that waits for lines, and writes lines."""

    def __init__(self, command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> None:
        reading, to_it = os.pipe()
        from_it, writing = os.pipe()
        self._to_it, self._from_it = os.fdopen(to_it, "w"), os.fdopen(from_it)
        with os.fdopen(reading) as theirs, os.fdopen(writing, "w") as output, os.fdopen(os.dup(2), "w") as errors:
            self._process = spawn(command, folder, environ, output=output, errors=errors, text=theirs)

    def say(self) -> None:
        """Write an empty line to it."""
        self._to_it.write("\n")
        self._to_it.flush()

    def hear(self) -> str:
        """Its next line, without the space around; empty where it has ended."""
        return self._from_it.readline().strip()

    def lines(self) -> Iterator[str]:
        """All of its further lines."""
        return iter(self._from_it)

    def wait(self) -> int:
        """Wait for its end; its exit code."""
        return self._process.wait(TIMEOUT)

    def kill(self) -> None:
        """End it with nothing that it could do about it, unless it has ended."""
        self._process.kill()
        self._process.wait(TIMEOUT)
        with suppress(BrokenPipeError):
            self._to_it.close()
        self._from_it.close()


@contextmanager
def conversation(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Iterator[Conversation]:
    """Start a process with pipes for its input and output, and stop it after the block."""
    process = Conversation(command, folder, environ)
    try:
        yield process
    finally:
        process.kill()


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
    """Return a port on which no process listens."""
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
    migrates: bool = False
    """Whether its first start migrates an empty database; else it finds one with the newest schema, to be faster."""

    def __post_init__(self) -> None:
        self.log = self.folder / "service.log"
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | Forked | None = None
        self._begun_at = 0

    def start(self, *, wait: bool = True) -> None:
        """Start it, and wait until it is ready."""
        admin = {"UNITE_ADMIN_EMAIL": ADMIN["email"], "UNITE_ADMIN_PASSWORD": ADMIN["password"]}
        given = admin | {"UNITE_PORT": str(self.port)} | dict(self.settings)
        variables = environment(self.folder, **given)
        if not self.migrates:
            self._make_database()
        with self.log.open("ab") as log:
            self._begun_at = log.tell()
            self._process = self._measured(variables, log) if self.measured else self._forked(variables, log)
        if wait:
            eventually(self.ready, f"the service is ready; its log:\n{self.log.read_text()}")

    def _make_database(self) -> None:
        """Make the database that a first start would make in the data folder."""
        folder = self.folder / "var"
        if "UNITE_DATABASE_URL" not in self.settings and not folder.exists():
            folder.mkdir(mode=0o700)
            database = folder / FILE
            database.touch(mode=0o600)
            database.write_bytes(migrated())

    def _forked(self, variables: Mapping[str, str], log: IO[bytes]) -> Forked:
        return spawn(self.command, self.folder, variables, output=log, umask=self.umask, own_session=True)

    def _measured(self, variables: Mapping[str, str], log: IO[bytes]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", *self.command],
            cwd=self.folder,
            env=measured(variables),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=self.umask,
        )

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
        pids = [pid for pid in self.processes() if name_of(pid) == WORKER]
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
        check_log(self.log)

    def client(self) -> "Client":
        """Return a client that is logged in as the admin."""
        client = Client(self.url)
        pair = client.call("POST", "/v1/auth/login", json=ADMIN)
        client.session.headers["Authorization"] = f"Bearer {pair['access_token']}"
        return client


@contextmanager
def service(folder: Path, **settings: str) -> Iterator[Service]:
    """Yield a service that is not started yet; stop all of its processes after the block."""
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
        self._process: Forked | None = None

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        environ = environment(self._one.folder, **self._one.settings)
        with self.log.open("ab") as log:
            self._process = spawn(self._command, self._one.folder, environ, output=log)
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
            check_log(self.log)


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
    """Return a session that ignores proxies of the environment, which could not reach this machine."""
    session = requests.Session()
    session.trust_env = False
    return session


class Client:
    """An HTTP client of the service."""

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
        """Return an import in its current state."""
        response: dict[str, Any] = self.call("GET", f"/v1/lead-imports/{import_id}")
        return response


def alive_in_session(session: int) -> list[int]:
    """Every living process of a session, which is named by the process that it began with."""
    numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in numbers if _session_of(pid) == session]


def _session_of(pid: int) -> int | None:
    """Return the session id of a running process; None if it has ended or is a zombie."""
    try:
        stat = (Path("/proc") / str(pid) / "stat").read_text()
    except OSError:
        return None
    state, _, _, session = stat.rpartition(")")[2].split()[:4]
    return None if state in "ZX" else int(session)


def name_of(pid: int) -> str:
    """The name that a process has, as `ps` shows it."""
    with suppress(OSError):
        return (Path("/proc") / str(pid) / "comm").read_text().strip()
    return ""
