"""The worker process: start-up, signals and threads."""

import logging
import os
import secrets
import signal
import socket
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import Any, Protocol

from entrypoints import error_tracking, logs
from entrypoints.bootstrap import Started, StartRefused, load_settings, start, tracing_of
from entrypoints.settings import Settings, SettingsRefused, environment, read_log_settings
from entrypoints.tracing import UntracedJobs
from entrypoints.worker.uploads import UploadListener
from entrypoints.worker.worker import Queues, Worker

NAME = "unite-worker"
COMPONENT = "worker"

log = logging.getLogger(__name__)


class Start(Protocol):
    """A function that starts the application, like `entrypoints.bootstrap.start`."""

    def __call__(self, settings: Settings, *, tracing: Any) -> Started: ...


def run(_arguments: Namespace, environ: Mapping[str, str], begin: Start = start) -> int:
    """Run the worker until SIGTERM or SIGINT, and return the exit code; `begin` starts the application."""
    return _run(environ, begin)


def run_beside_service(wait_for_parent: Callable[[], None]) -> int:
    """Run the worker in a process that a service has forked, until SIGTERM or SIGINT, or until the service has ended.

    `wait_for_parent` returns when it has.
    """
    _write_name(NAME)
    return _run(environment(), start, wait_for_parent)


def _run(
    environ: Mapping[str, str],
    begin: Start,
    wait_for_parent: Callable[[], None] | None = None,
) -> int:
    logs.configure(read_log_settings(environ))
    try:
        settings = load_settings(environ)
        logs.configure(settings.log)
        error_tracking.start(settings, COMPONENT)
        with (
            tracing_of(settings, COMPONENT) as tracing,
            begin(settings, tracing=tracing) as started,
            started.open_local_queues() as local_queues,
        ):
            _work(started, local_queues, wait_for_parent)
    except (SettingsRefused, StartRefused) as refused:
        for warning in getattr(refused, "warnings", ()):
            log.warning("%s", warning)
        log.error("The worker cannot start: %s", refused)  # noqa: TRY400 - the message says it all
        return 1
    log.info("The worker has stopped.")
    return 0


def _write_name(name: str) -> None:
    """Set the name of this process that `ps` and `top` show, where the system has a file for that."""
    with suppress(OSError):
        Path("/proc/self/comm").write_text(name)


def _work(started: Started, local_queues: Queues, wait_for_parent: Callable[[], None] | None) -> None:
    logs.describe_records(COMPONENT)
    stop = Event()
    _on_signals(stop, started)
    if wait_for_parent is not None:
        Thread(target=_stop_with_parent, args=(wait_for_parent, stop, started), daemon=True).start()
    worker = Worker(
        unite=started.unite,
        queues=local_queues if started.queues is None else started.queues,
        fallback=None if started.queues is None else local_queues,
        holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
        stop=stop,
        tracing=started.tracing or UntracedJobs(),
    )
    log.info("The worker is ready.")
    with _listening_for_uploads(started, stop):
        worker.run()


@contextmanager
def _listening_for_uploads(started: Started, stop: Event) -> Iterator[None]:
    """Start imports of uploaded files while the block runs, if an upload queue is configured."""
    if started.notices is None:
        yield
        return

    def ready() -> None:
        for name in ("database", "s3"):
            started.dependencies[name].check()

    listener = UploadListener(started.notices, started.unite.imports.start_uploaded, stop, ready)
    thread = Thread(target=listener.run, name="uploads")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _on_signals(stop: Event, started: Started) -> None:
    def stop_soon(_signal: int, _frame: FrameType | None) -> None:
        stop.set()
        started.wake()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_soon)


def _stop_with_parent(wait_for_parent: Callable[[], None], stop: Event, started: Started) -> None:
    wait_for_parent()
    stop.set()
    started.wake()
