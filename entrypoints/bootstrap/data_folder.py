"""The data folder: made where it is missing, prepared by one process at a time, and private.

What the service makes in it is for its owner alone, whatever the umask says. An older folder is brought to that at the
start; only the rights of the folder itself are left as they are, for they may have been given on purpose.
"""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from entrypoints.bootstrap.refusal import StartRefused
from entrypoints.variables import DATA_DIR

LOCK = ".lock"
_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_DATABASE_SUFFIXES = ("", "-wal", "-shm", "-journal")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only process that prepares the folder; made where it is missing. Raises `StartRefused`."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
        lock = os.fdopen(os.open(folder / LOCK, os.O_WRONLY | os.O_CREAT, 0o600), "w")
    except OSError as error:
        raise StartRefused(
            f"The data folder {folder} cannot be written to ({error.strerror}). "
            f"Give this user the right to, or name another one in {DATA_DIR.name}."
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_private(folder / LOCK)
        yield


def make_private(path: Path) -> None:
    """Take every right from all but the owner of a file or a folder.

    Nothing happens where it is missing, a symbolic link, or somebody else's.
    """
    with suppress(OSError):
        mode = path.lstat().st_mode
        if mode & _OF_OTHERS and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & stat.S_IRWXU)


def make_database_private(path: Path) -> None:
    """Take every right from all but the owner of an SQLite database and of the files that SQLite keeps beside it."""
    for suffix in _DATABASE_SUFFIXES:
        make_private(path.with_name(path.name + suffix))


def make_tree_private(folder: Path) -> None:
    """Take every right from all but the owner of a folder and of everything below it.

    The folder itself comes last: where nobody else may enter it, nothing below is looked at again.
    """
    folder = folder.resolve()  # it may have been put on another disk
    with suppress(OSError):
        if not folder.stat().st_mode & _OF_OTHERS:
            return
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            make_private(Path(parent, name))
    make_private(folder)


def folder_warning(folder: Path) -> str | None:
    """A sentence about a data folder that others may enter or change; None where it is private enough."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return (
            f"The data folder {folder} can be changed by others (mode {mode:o}): they can put a database and keys of "
            f"their own in place of yours. Run `chmod 700 {folder}`."
        )
    if mode & stat.S_IRWXO:
        return (
            f"The data folder {folder} can be entered by others (mode {mode:o}). Its files are readable by their owner "
            f"alone all the same; `chmod 700 {folder}` keeps others out."
        )
    return None
