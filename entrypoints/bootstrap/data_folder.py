"""Create, lock and protect the data folder.

All that the service creates in it is readable only by its owner, regardless of the umask. The content of an older
folder is made private at the start; only the rights of the folder itself stay, as they may be intended.
"""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from entrypoints.bootstrap.refusal import StartRefused
from entrypoints.settings.variables import DATA_DIR

LOCK = ".lock"
_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_DATABASE_SUFFIXES = ("", "-wal", "-shm", "-journal")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the folder for one process that prepares it; create it if it is missing. Raises `StartRefused`."""
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
    """Remove all rights of group and others from a file or a folder.

    Nothing happens if it is missing, a symbolic link, or owned by another user.
    """
    with suppress(OSError):
        mode = path.lstat().st_mode
        if mode & _OF_OTHERS and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & stat.S_IRWXU)


def make_database_private(path: Path) -> None:
    """Remove all rights of group and others from an SQLite database and its side files."""
    for suffix in _DATABASE_SUFFIXES:
        make_private(path.with_name(path.name + suffix))


def make_tree_private(folder: Path) -> None:
    """Remove all rights of group and others from a folder and everything below it.

    The folder itself is changed last: if only its owner may enter it, everything below was changed before.
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
    """Return a warning if others may enter or change the data folder, otherwise None."""
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
