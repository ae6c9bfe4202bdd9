"""The `backup` command: write the installation to one archive while the service runs."""

import os
import signal
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn

from entrypoints.bootstrap import StartRefused
from entrypoints.bootstrap.archive import Manifest
from entrypoints.bootstrap.backup import back_up
from entrypoints.cli.application import CommandFailed, print_error, settings_for
from entrypoints.cli.progress import StageProgress, console

STANDARD = "-"
"""The file name for standard output or input."""


def run(arguments: Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return the exit code."""
    signal.signal(signal.SIGTERM, exit_on_signal)  # the copies contain secrets, so a signal must remove them too
    try:
        settings = settings_for(environ)
        with _target(arguments.file) as (target, scratch), StageProgress(console(stderr=True)) as stages:
            manifest = back_up(settings, target, scratch, stages.show)
    except StartRefused as error:
        print_error(str(error))
        return 1
    except CommandFailed as error:
        print_error(str(error))
        return error.code
    except OSError as error:
        print_error(f"The backup cannot be written: {error.strerror}.")
        return 1
    if arguments.file == STANDARD:
        print_error(describe_manifest(manifest))
    else:
        print(f"{arguments.file} is complete.\n{describe_manifest(manifest)}")
    return 0


def exit_on_signal(number: int, _frame: object) -> NoReturn:
    """Exit with the signal's exit code, after the cleanup of all open contexts."""
    sys.exit(128 + number)


def describe_manifest(manifest: Manifest) -> str:
    """Return sentences on what an archive contains and what not."""
    rows = sum(manifest.counts.values())
    lines = [f"{manifest.counts.get('leads', 0):,} leads, {rows:,} rows in all, at schema {manifest.revision}."]
    if manifest.documents is not None:
        lines.append(f"{sum(manifest.documents.values()):,} documents of MongoDB.")
    lines.append("Files are included." if manifest.files else "Files are in S3 and not included.")
    lines.append("Keys are included." if manifest.keys else "Keys are in the settings and not included.")
    return "\n".join(lines)


@contextmanager
def _target(name: str) -> Iterator[tuple[BinaryIO, Path]]:
    """Yield the stream to write to, and a folder for copies. A file gets its name when it is complete."""
    if name == STANDARD:
        if sys.stdout.isatty():
            raise CommandFailed("Standard output is a terminal; name a file, or redirect it.")
        with tempfile.TemporaryDirectory(prefix="unite-backup-") as scratch:
            yield sys.stdout.buffer, Path(scratch)
            sys.stdout.buffer.flush()
        return
    path = Path(name).absolute()
    if path.exists():
        raise CommandFailed(f"{path} is there already; name another file.")
    with tempfile.TemporaryDirectory(prefix=".unite-backup-", dir=path.parent) as scratch:
        incoming = Path(scratch, "archive.tar")
        with incoming.open("xb") as stream:
            os.fchmod(stream.fileno(), 0o600)
            yield stream, Path(scratch)
            stream.flush()
            os.fsync(stream.fileno())
        incoming.rename(path)
