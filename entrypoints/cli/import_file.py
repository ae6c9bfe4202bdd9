"""`import FILE`: a file of this machine, straight through the use cases."""

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
from unite_core.imports.columns import IGNORE
from unite_core.imports.model import ImportOptions, ImportStatus, LeadImport, OnDuplicate, progress
from unite_core.imports.use_cases import FileToImport

POLL_INTERVAL = 0.2
RETRY_INTERVAL = 1.0
INTERRUPTED = 130


def run(arguments: Namespace, environ: Mapping[str, str]) -> int:
    """Carry the command out; the exit code: 0 completed, 1 failed, 2 wrong usage."""
    try:
        with errors_as_command_failed(), open_application(environ) as started:
            return _import(started, arguments)
    except CommandFailed as refused:
        print_error(str(refused))
        return refused.code


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
        coming = imports.import_stored_file(actor, FileToImport(stored=stored, filename=path.name, options=options))
    except BaseException:
        imports.store_file.discard(stored)
        raise
    shown = console()
    if coming.id != stored.import_id:
        shown.print(f"The same file was imported at {coming.created_at:%Y-%m-%d %H:%M} UTC, with the same options.")
    with _Interrupted() as interrupted:
        ended = _Continued(started, coming.id, interrupted.event).until_it_ends(shown, actor, path.name)
    if ended is None:
        print_error("Stopped. What is done stays; a running service, or the same command again, does the rest.")
        return INTERRUPTED
    return _conclude(started, shown, ended, path)


class _Interrupted:
    """Ctrl-C and SIGTERM while an import runs: the chunk at hand is finished, and the import let go of."""

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


class _Continued:
    """Works on one import in a thread of its own; where the service's worker has it already, it is waited for."""

    def __init__(self, started: Started, import_id: UUID, stop: Event) -> None:
        self._started = started
        self._id = import_id
        self._stop = stop
        self._over = Event()
        self._failure: BaseException | None = None
        self._holder = f"command line:{os.getpid()}:{secrets.token_hex(4)}"

    def until_it_ends(self, shown: Console, actor: Actor, name: str) -> LeadImport | None:
        """The import as it ended, with its progress shown meanwhile; None where somebody stopped it."""
        worker = Thread(target=self._work)
        worker.start()
        try:
            with ProgressBar(shown, name) as bar:
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

    def _work(self) -> None:
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
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            self._failure = error
        finally:
            self._over.set()

    def _stopped(self) -> bool:
        return self._stop.is_set() or self._over.is_set()


def _conclude(started: Started, shown: Console, ended: LeadImport, path: Path) -> int:
    counts = ended.counts
    names = ("created", "updated", "duplicate", "rejected", "rows")
    shown.print(counts_table({name: getattr(counts, name) for name in names}))
    if ended.options.dry_run:
        shown.print("This was a dry run: nothing was changed.")
    if ended.report_key is not None:
        report = path.with_name(f"{path.name.removesuffix('.csv')}.errors.csv")
        _copy(started, ended.report_key, report)
        shown.print(f"Correct the rejected rows in {report} and import that file.", soft_wrap=True, markup=False)
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
