"""`serve`: the HTTP server, and a worker beside it, until somebody stops them."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Mapping
from threading import Event, Thread
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import MPServer

from entrypoints import logs
from entrypoints.bootstrap import StartRefused, add_first_admin, folder_warning, has_admin, load_settings, start
from entrypoints.capacity import CONNECTIONS, MAX_HEAD_BYTES
from entrypoints.reading import SettingsRefused
from entrypoints.settings import Settings
from entrypoints.variables import ADMIN_EMAIL, ADMIN_PASSWORD, HOST, PORT

log = logging.getLogger(__name__)

TARGET = "entrypoints.http.process:application"

HEADERS_WITHIN = 15_000
"""Milliseconds that the next request on a connection may take until its headers are there."""

GRACE = 3
"""Seconds that requests and the worker have to end when the service is stopped."""

PORT_FREE_WITHIN = 3.0
"""Seconds that a service of before has to let go of the port."""

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0
"""Seconds after which a worker that dies is started again without a long pause."""


def run(arguments: Namespace, environ: Mapping[str, str], target: str = TARGET) -> int:
    """Serve until SIGTERM or SIGINT; the exit code. `target` names what makes the application, `module:function`.

    With `--until-stdin-ends` also until whoever holds the other end of standard input is gone, however that came about.
    With `--no-worker` without a worker: others do the work, started by `work`.
    """
    logs.configure()
    try:
        settings = load_settings(environ)
        for warning in settings.warnings:
            log.warning("%s", warning)
        _wait_for_port(settings)
        _prepare(settings)
    except (SettingsRefused, StartRefused) as refused:
        log.error("Unite cannot start.\n%s", refused)  # noqa: TRY400 - the message says it all
        return 1
    server = _Server(
        target,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        workers=1,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_WITHIN, max_buffer_size=MAX_HEAD_BYTES),
        websockets=False,
        factory=True,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE,
        log_level=LogLevels.error,
        log_dictconfig=logs.plan(human=logs.human()),
    )
    if not arguments.no_worker:
        server.on_startup(server.worker.start)
    if arguments.until_stdin_ends:
        server.on_startup(Thread(target=_stop_at_end_of_stdin, daemon=True).start)
    server.serve()
    return 0


def _stop_at_end_of_stdin() -> None:
    # Not through sys.stdin: a thread that waits inside it holds a lock that Python wants when it ends.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


class _Server(MPServer):
    """The HTTP server, which stops the worker while its own requests come to their end."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.worker = WorkerProcess()

    def shutdown(self, exit_code: int = 0) -> None:
        self.worker.begin_to_stop()
        try:
            super().shutdown(exit_code)  # type: ignore[no-untyped-call]  # granian leaves it without types
        finally:
            self.worker.stop()


class WorkerProcess:
    """A worker in a process of its own, started again whenever it dies.

    It sees the end of its standard input when this process is gone, however that came about, and stops.
    """

    def __init__(self) -> None:
        self._stopping = Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: Thread | None = None

    def start(self) -> None:
        """Start it, and look after it."""
        self._process = _worker()
        self._keeper = Thread(target=self._keep, args=(self._process,), daemon=True)
        self._keeper.start()

    def begin_to_stop(self) -> None:
        """Have it end its chunk and stop."""
        self._stopping.set()
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """Wait until it has stopped; kill it if that takes too long, which loses nothing."""
        self.begin_to_stop()
        process, keeper = self._process, self._keeper
        if process is None or keeper is None:
            return
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
        keeper.join(GRACE)

    def _keep(self, process: "subprocess.Popen[bytes]") -> None:
        pause = FIRST_PAUSE
        while True:
            begun = time.monotonic()
            code = process.wait()
            if self._stopping.is_set():
                return
            pause = FIRST_PAUSE if time.monotonic() - begun > STEADY_AFTER else min(pause * 2, LONGEST_PAUSE)
            log.error("The worker ended with %s; it is started again in %s seconds.", code, pause)
            if self._stopping.wait(pause):
                return
            process = self._process = _worker()


def _worker() -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "entrypoints", "work", "--until-stdin-ends"]
    return subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own command, nothing from outside in it


def _prepare(settings: Settings) -> None:
    """Bring the folder and the database up to date before anything else is started, and add the first admin."""
    with start(settings) as started:
        warning = folder_warning(settings.data_dir.absolute())
        if warning is not None:
            log.warning("%s", warning)
        admin = add_first_admin(started)
        if admin is not None:
            log.info("The first admin was added.", extra={"email": admin.email})
        elif not has_admin(started):
            # Where these are set already, somebody who is no admin has the address.
            log.warning(
                "There is no admin: set %s, of nobody who is here already, and %s, or run "
                "`python -m entrypoints users create`.",
                ADMIN_EMAIL.name,
                ADMIN_PASSWORD.name,
            )


def _wait_for_port(settings: Settings) -> None:
    """Make sure that nobody else has the port: the server would share it with them without a word."""
    until = time.monotonic() + PORT_FREE_WITHIN
    while True:
        try:
            family, _, _, _, address = socket.getaddrinfo(
                settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            if time.monotonic() < until and not isinstance(error, socket.gaierror | PermissionError):
                time.sleep(0.1)
                continue
            raise StartRefused(
                f"{settings.host}:{settings.port} cannot be listened at ({error.strerror}). "
                f"Stop whatever has it, or name another in {HOST.name} and {PORT.name}."
            ) from error
        else:
            return
