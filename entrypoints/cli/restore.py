"""The `restore` command: restore an archive of `backup` into an empty installation, and verify it."""

import shutil
import signal
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from entrypoints.bootstrap import StartRefused
from entrypoints.bootstrap.restore import Restored, restore
from entrypoints.cli.application import FAILED, CommandFailed, print_error, settings_for
from entrypoints.cli.backup import STANDARD, describe_manifest, exit_on_signal
from entrypoints.cli.progress import StageProgress, console


def run(arguments: Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return the exit code."""
    signal.signal(signal.SIGTERM, exit_on_signal)  # the copies contain secrets, so a signal must remove them too
    try:
        settings = settings_for(environ)
        with _source(arguments.file) as source, StageProgress(console(stderr=True)) as stages:
            restored = restore(settings, source, stages.show)
    except StartRefused as error:
        print_error(str(error))
        return 1
    except CommandFailed as error:
        print_error(str(error))
        return error.code
    _print_summary(restored)
    return 0 if restored.ledger.broken is None else FAILED


def _print_summary(restored: Restored) -> None:
    for path in restored.removed:
        print(f"{path} was left of an earlier database, and is removed.")
    print(f"Restored as of {restored.manifest.created_at}.")
    print(describe_manifest(restored.manifest))
    print(f"{restored.files:,} files are as they were; the database is intact.")
    broken = restored.ledger.broken
    if broken is None:
        print(f"{restored.ledger.entries:,} entries of {restored.ledger.tasks:,} call tasks: every chain is whole.")
    else:
        print_error(
            f"The call ledger of the backup is broken at entry {broken.number} of call task {broken.task_id}: "
            f"{broken.reason} It is restored as it was."
        )
    if restored.manifest.later:
        print(
            f"{restored.manifest.later:,} call documents had changed before they were copied, and are not included: "
            "`reconcile --repair` for the last days makes them again."
        )


@contextmanager
def _source(name: str) -> Iterator[Path]:
    if name != STANDARD:
        yield Path(name).absolute()
        return
    with tempfile.TemporaryDirectory(prefix="unite-restore-") as scratch:
        path = Path(scratch, "archive.tar")
        try:
            with path.open("xb") as stream:
                shutil.copyfileobj(sys.stdin.buffer, stream, 1024 * 1024)
        except OSError as error:
            raise CommandFailed(f"The archive cannot be stored in {scratch}: {error.strerror}.") from error
        yield path
