"""The `import` command: import a local CSV file through the use cases, without the API."""

import os
import secrets
import shutil
import signal
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import Self
from uuid import UUID

from rich.console import Console

from entrypoints.bootstrap import Started
from entrypoints.cli.application import (
    FAILED,
    USAGE,
    CommandFailed,
    errors_as_command_failed,
    open_application,
    print_error,
)
from entrypoints.cli.progress import ProgressBar, console, counts_table, rate
from entrypoints.cli.users import active_user, all_users
from unite_core.errors import Unavailable
from unite_core.identity.model import Actor, Role, User
from unite_core.identity.ports import UserFilter
from unite_core.imports.csv.columns import IGNORE
from unite_core.imports.model import ImportOptions, ImportStatus, LeadImport, OnDuplicate, progress
from unite_core.imports.use_cases import FileToImport

POLL_INTERVAL = 0.2
RETRY_INTERVAL = 1.0
INTERRUPTED = 130


def run(arguments: Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return the exit code: 0 completed, 1 failed, 2 wrong usage."""
    try:
        with errors_as_command_failed(), open_application(environ) as started:
            return _import(started, arguments)
    except CommandFailed as error:
        print_error(str(error))
        return error.code


def _import(started: Started, arguments: Namespace) -> int:
    path: Path = arguments.file
    user = active_user(started, arguments.acting) if arguments.acting else _oldest_admin(started)
    actor = Actor(user_id=user.id, role=user.role)
    options = ImportOptions(
        on_duplicate=OnDuplicate(arguments.on_duplicate),
        default_country=arguments.default_country,
        default_source=arguments.default_source,
        default_assigned_to=active_user(started, arguments.assigned_to).id if arguments.assigned_to else None,
        columns={header: None if field == IGNORE else field for header, field in arguments.columns},
        dry_run=arguments.dry_run,
    )
    imports = started.unite.imports
    try:
        with path.open("rb") as stream:
            stored = imports.store_file(actor, stream)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}.", USAGE) from error
    try:
        lead_import = imports.import_stored_file(
            actor, FileToImport(stored=stored, filename=path.name, options=options)
        )
    except BaseException:
        imports.store_file.discard(stored)
        raise
    out = console()
    if lead_import.id != stored.import_id:
        out.print(f"The same file was imported at {lead_import.created_at:%Y-%m-%d %H:%M} UTC, with the same options.")
    with _StopSignals() as interrupted:
        ended = _ImportRunner(started, lead_import.id, interrupted.event).wait(out, actor, path.name)
    if ended is None:
        print_error("Stopped. The imported rows stay; a running service, or the same command again, imports the rest.")
        return INTERRUPTED
    return _conclude(started, out, ended, path)


class _StopSignals:
    """Handlers for Ctrl-C and SIGTERM during an import: the current chunk is finished, and the import is released."""

    def __init__(self) -> None:
        self.event = Event()

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.event.set()


class _ImportRunner:
    """A thread that runs one import; if the service's worker runs it already, the runner waits for it."""

    def __init__(self, started: Started, import_id: UUID, stop: Event) -> None:
        self._started = started
        self._id = import_id
        self._stop = stop
        self._over = Event()
        self._failure: BaseException | None = None
        self._holder = f"command line:{os.getpid()}:{secrets.token_hex(4)}"

    def wait(self, out: Console, actor: Actor, name: str) -> LeadImport | None:
        """Show the progress until the import ends, and return the import; None if the user stopped it."""
        worker = Thread(target=self._run)
        worker.start()
        try:
            with ProgressBar(out, name) as bar:
                while True:
                    done = self._over.wait(POLL_INTERVAL)
                    current = self._started.unite.imports.get(actor, self._id)
                    so_far = progress(current)
                    more = rate(current.counts.rows, so_far.rows_per_second, so_far.eta_seconds)
                    bar.show(so_far.bytes_done, so_far.bytes_total, more)
                    if current.status.ended or done:
                        break
        finally:
            self._over.set()
            worker.join()
        if self._failure is not None:
            raise self._failure
        return current if current.status.ended else None

    def _run(self) -> None:
        imports = self._started.unite.imports
        try:
            while not self._stopped():
                try:
                    status = imports.continue_import(self._id, holder=self._holder, should_stop=self._stopped)
                except Unavailable as error:
                    print_error(f"{error.detail} Trying again.")
                    status = None
                if status is not None and status.ended:
                    break
                self._over.wait(RETRY_INTERVAL)
        except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
            self._failure = error
        finally:
            self._over.set()

    def _stopped(self) -> bool:
        return self._stop.is_set() or self._over.is_set()


def _conclude(started: Started, out: Console, ended: LeadImport, path: Path) -> int:
    counts = ended.counts
    names = ("created", "updated", "duplicate", "rejected", "rows")
    out.print(counts_table({name: getattr(counts, name) for name in names}))
    if ended.options.dry_run:
        out.print("This was a dry run: nothing was changed.")
    if ended.report_key is not None:
        report = path.with_name(f"{path.name.removesuffix('.csv')}.errors.csv")
        _copy(started, ended.report_key, report)
        out.print(f"Correct the rejected rows in {report} and import that file.", soft_wrap=True, markup=False)
    if ended.status is ImportStatus.COMPLETED:
        return 0
    print_error(ended.failure.detail if ended.failure else f"The import was {ended.status}.")
    return FAILED


def _copy(started: Started, key: str, report: Path) -> None:
    try:
        with started.files.read(key) as source, report.open("wb") as target:
            shutil.copyfileobj(source, target)
    except OSError as error:
        raise CommandFailed(f"The error report cannot be written to {report}: {error.strerror}.") from error


def _oldest_admin(started: Started) -> User:
    admins = list(all_users(started, UserFilter(role=Role.ADMIN, active=True)))
    if not admins:
        raise CommandFailed("There is no admin to import as; add one first: users create EMAIL --role admin.", USAGE)
    return admins[-1]
