"""The `serve` command: run HTTP servers and a worker until they are stopped."""

import logging
import os
import signal
import socket
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib import import_module
from threading import Event, Thread
from typing import Any

from entrypoints import error_tracking, logs
from entrypoints.bootstrap import (
    StartRefused,
    create_first_admin,
    folder_warning,
    has_admin,
    load_settings,
    port_refusal,
    start,
)
from entrypoints.capacity import STOP_SECONDS, TRACES_SECONDS
from entrypoints.cli.processes import LOGGED_FAILURE, ForkedProcess, Lifeline, Supervised, supervise
from entrypoints.settings import Settings, SettingsRefused, read_log_settings
from entrypoints.settings.variables import ADMIN_EMAIL, ADMIN_PASSWORD, HOST

log = logging.getLogger(__name__)

HTTP_SERVER = "entrypoints.http.process:serve"
WORKER = "entrypoints.worker.process:run_beside_service"

HTTP_PROCESSES = 1

REFUSAL = "Unite cannot start.\n%s"

PORT_TIMEOUT = 3.0
"""Seconds in which a previous service has to release the port."""


def run(arguments: Namespace, environ: Mapping[str, str], http_server: str = HTTP_SERVER) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit code.

    `http_server` names the function that serves at a socket, as `module:function`.

    With `--until-stdin-ends` the service also stops when its standard input is closed, which happens when the process
    at the other end stops in any way.
    With `--no-worker` it starts no worker: workers that were started by `work` do the work.
    """
    logs.configure(read_log_settings(environ))
    try:
        settings = load_settings(environ)
        logs.configure(settings.log)
        error_tracking.start(settings, "serve")
        for warning in settings.warnings:
            log.warning("%s", warning)
        _listening(settings).close()
        _prepare(settings)
        listening = _listening(settings)
    except (SettingsRefused, StartRefused) as refused:
        for warning in getattr(refused, "warnings", ()):
            log.warning("%s", warning)
        log.error(REFUSAL, refused)  # noqa: TRY400 - the message says it all
        return 1
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if arguments.until_stdin_ends:
        Thread(target=_stop_at_end_of_stdin, args=(stop,), daemon=True).start()
    lifeline = Lifeline()
    server = partial(ForkedProcess, partial(_serve, http_server, listening), lifeline)
    processes = [Supervised("HTTP server", server, essential=True) for _ in range(HTTP_PROCESSES)]
    if not arguments.no_worker:
        processes.append(Supervised("worker", partial(ForkedProcess, _work, lifeline)))
    timeouts = settings.drain_seconds + settings.grace_seconds + STOP_SECONDS + error_tracking.flush_seconds(settings)
    if settings.traces is not None:
        timeouts += TRACES_SECONDS
    return 0 if supervise(processes, stop, timeouts, before_stop=listening.close) else 1


def _serve(http_server: str, listening: socket.socket, wait_for_parent: Callable[[], None]) -> int:
    """Serve in this forked process."""
    try:
        _function(http_server)(listening, wait_for_parent)
    except StartRefused as refused:
        log.error(REFUSAL, refused)  # noqa: TRY400 - the message says it all
        return LOGGED_FAILURE
    except Exception:
        log.exception("The HTTP server ends.")
        return LOGGED_FAILURE
    finally:
        error_tracking.flush()
    return 0


def _work(wait_for_parent: Callable[[], None]) -> int:
    """Run the worker in this forked process."""
    try:
        code: int = _function(WORKER)(wait_for_parent)
    except Exception:
        log.exception("The worker ends.")
        return LOGGED_FAILURE
    finally:
        error_tracking.flush()
    return code


def _function(name: str) -> Callable[..., Any]:
    """Import a function. This process imports neither of its doors, so that each child loads only what it needs."""
    module, _, function = name.partition(":")
    imported: Callable[..., Any] = getattr(import_module(module), function)
    return imported


def _stop_at_end_of_stdin(stop: Event) -> None:
    # Not through sys.stdin: a thread that waits inside it holds a lock that Python needs when it exits.
    while os.read(0, 1):
        pass
    stop.set()


def _prepare(settings: Settings) -> None:
    """Bring the folder and the database up to date before anything else is started, and add the first admin."""
    with start(settings) as started:
        warning = folder_warning(settings.data_dir.absolute())
        if warning is not None:
            log.warning("%s", warning)
        admin = create_first_admin(started)
        if admin is not None:
            log.info("The first admin was added.", extra={"email": admin.email})
        elif not has_admin(started):
            # If these are set already, a user who is not an admin has the address.
            log.warning(
                "There is no admin: set %s, of nobody who is here already, and %s, or run "
                "`python -m entrypoints users create`.",
                ADMIN_EMAIL.name,
                ADMIN_PASSWORD.name,
            )


def _listening(settings: Settings) -> socket.socket:
    """Return a socket bound to the address of the settings; raise `StartRefused` if that is not possible."""
    until = time.monotonic() + PORT_TIMEOUT
    while True:
        try:
            return _bound_to_first(settings.host, settings.port)
        except UnicodeError as error:
            raise StartRefused(f"{HOST.name} is no host that can be listened at.") from error
        except OSError as error:
            if time.monotonic() < until and not isinstance(error, socket.gaierror | PermissionError):
                time.sleep(0.1)
                continue
            raise port_refusal(settings, error) from error


def _bound_to_first(host: str, port: int) -> socket.socket:
    """Return a socket bound to the first free address of the host: `localhost` is also ::1 if there is IPv6.

    Raises the `OSError` of the last address if none is free.
    """
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, _, _, _, address in addresses[:-1]:
        with suppress(OSError):
            return _bound(family, address)
    family, _, _, _, address = addresses[-1]
    return _bound(family, address)


def _bound(family: socket.AddressFamily, address: Any) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError:
        listening.close()
        raise
    return listening
