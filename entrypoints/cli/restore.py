"""`restore`: an archive of `backup`, restored into an empty installation and verified."""

import shutil
import signal
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from entrypoints.bootstrap import Restored, StartRefused, restore
from entrypoints.cli.backup import STANDARD, described, ended
from entrypoints.cli.opened import FAILED, Refused, settings_for, tell
from entrypoints.cli.shown import Stages, console


def run(arguments: Namespace, environ: Mapping[str, str]) -> int:
    """Carry the command out; the exit code."""
    signal.signal(signal.SIGTERM, ended)  # copies hold what is secret: they are removed then, too
    try:
        settings = settings_for(environ)
        with _source(arguments.file) as source, Stages(console(stderr=True)) as stages:
            restored = restore(settings, source, stages.show)
    except StartRefused as refused:
        tell(str(refused))
        return 1
    except Refused as refused:
        tell(str(refused))
        return refused.code
    _tell_of(restored)
    return 0 if restored.ledger.broken is None else FAILED


def _tell_of(restored: Restored) -> None:
    for path in restored.removed:
        print(f"{path} was left of an earlier database, and is removed.")
    print(f"Restored as of {restored.manifest.created_at}.")
    print(described(restored.manifest))
    print(f"{restored.files:,} files are as they were; the database is intact.")
    broken = restored.ledger.broken
    if broken is None:
        print(f"{restored.ledger.entries:,} entries of {restored.ledger.tasks:,} call tasks: every chain is whole.")
    else:
        tell(
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
            raise Refused(f"The archive cannot be stored in {scratch}: {error.strerror}.") from error
        yield path
