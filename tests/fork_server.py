"""A process that has loaded all of Unite, and forks for each process of Unite that a test starts.

Loading took most of the time of a start, and tests start hundreds of processes. A fork runs its module in the given
folder and environment like `python -m`; the options of the interpreter are those of this process.

`python -m tests.fork_server FD` takes requests at the socket with that number, and ends when its other end is closed.
"""

import gc
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from select import select
from threading import Lock
from typing import Any

import adapters
import entrypoints

MAX_MESSAGE_BYTES = 128 * 1024
POLL_SECONDS = 0.01

LIBRARIES = ("alembic.command", "rich.console")
"""What is loaded later than the modules that need it."""


class Forked:
    """A process that was forked, as far as tests use one; like `subprocess.Popen`."""

    def __init__(self, server: "ForkServer", pid: int) -> None:
        self._server = server
        self.pid = pid

    def poll(self) -> int | None:
        """Return the exit code, negative after a signal; None while the process runs."""
        return self._server.exit_code(self.pid)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the process, and return its exit code; raise `subprocess.TimeoutExpired`."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            time.sleep(POLL_SECONDS)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL, unless the process has ended."""
        self.send_signal(signal.SIGKILL)


class ForkServer:
    """The connection to a fork server of this process."""

    def __init__(self, checkout: Path) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            variables = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fork_server", str(theirs.fileno())],
                cwd=checkout,
                env=variables | {"PYTHONPATH": str(checkout)},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self._socket = ours
        self._lock = Lock()
        self._codes: dict[int, int] = {}

    def start(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        files: tuple[int, int, int],
        umask: int = -1,
        own_session: bool = False,
    ) -> Forked:
        """Run a module with its arguments in a new process with these standard streams."""
        request = {"command": list(command), "cwd": str(cwd), "env": dict(env), "umask": umask, "session": own_session}
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(request).encode()], files)
            while "started" not in (message := self._received()):
                self._note(message)
        return Forked(self, message["started"])

    def exit_code(self, pid: int) -> int | None:
        """Return the exit code of a process that has ended, else None."""
        with self._lock:
            self._socket.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    self._note(self._received())
            self._socket.setblocking(True)
            return self._codes.get(pid)

    def _received(self) -> dict[str, int]:
        text = self._socket.recv(MAX_MESSAGE_BYTES)
        assert text, "the fork server has ended"
        message: dict[str, int] = json.loads(text)
        return message

    def _note(self, message: Mapping[str, int]) -> None:
        self._codes[message["ended"]] = message["code"]


@cache
def fork_server(_pid: int, checkout: Path) -> ForkServer:
    """Return the fork server of the process with that id, which is this one."""
    return ForkServer(checkout)


def load() -> None:
    """Load every module of Unite, and what it loads where it is needed."""
    for package in (adapters, entrypoints):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            # The environment of migrations can only be loaded by Alembic.
            if not module.name.endswith("__main__") and ".migrations" not in module.name:
                import_module(module.name)
    for name in LIBRARIES:
        import_module(name)


def serve(requests: socket.socket) -> list[str]:
    """Fork for each request; return in each fork, with its command, and in this process at the end of the requests."""
    reading, writing = os.pipe2(os.O_NONBLOCK)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing)
    while True:
        ready, _, _ = select((requests.fileno(), reading), (), ())
        if reading in ready:
            os.read(reading, MAX_MESSAGE_BYTES)
            _report_ends(requests)
        if requests.fileno() in ready:
            text, files, _, _ = socket.recv_fds(requests, MAX_MESSAGE_BYTES, 3)
            if not text:
                return []
            begun, beginning = os.pipe()
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for number in (reading, writing, begun):
                    os.close(number)
                requests.close()
                command = _become(json.loads(text), files)
                os.close(beginning)
                return command
            for number in (beginning, *files):
                os.close(number)
            # Until the fork has its own session, the caller could not kill that.
            os.read(begun, 1)
            os.close(begun)
            _send(requests, started=pid)


def _report_ends(requests: socket.socket) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            _send(requests, ended=pid, code=os.waitstatus_to_exitcode(status))


def _send(requests: socket.socket, **message: int) -> None:
    with suppress(BrokenPipeError):
        requests.send(json.dumps(message).encode())


def _become(request: dict[str, Any], files: Sequence[int]) -> list[str]:
    """Give this process what the request says, and return its command."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    if request["session"]:
        os.setsid()
    if request["umask"] != -1:
        os.umask(request["umask"])
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    sys.path[0] = request["cwd"]
    return list(request["command"])


def main() -> None:
    """Load everything, then serve; in a fork, run its module."""
    load()
    # What is there now is for every fork, so that none need look for garbage in it, which would copy all of it.
    gc.collect()
    gc.freeze()
    command = serve(socket.socket(fileno=int(sys.argv[1])))
    if command:
        sys.argv = command
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
