"""Hard links to the files of an installation, for a backup that later deletions do not change."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from adapters.local.files import INCOMING
from unite_core.errors import Unavailable

_LINKS = ".backup"


class LinkedFiles:
    """Hard links to the files of a folder, in a folder inside it."""

    def __init__(self, folder: Path, links_folder: Path) -> None:
        self._folder = folder
        self._links_folder = links_folder

    def link(self) -> None:
        """Link every file of the folder. Existing links stay, unless their name belongs to another file now."""
        for parent, folders, names in os.walk(self._folder):
            folders[:] = [name for name in folders if name not in (INCOMING, _LINKS)]
            target = self._links_folder / Path(parent).relative_to(self._folder)
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in names:
                with suppress(FileNotFoundError):  # it was deleted meanwhile
                    _link(Path(parent, name), target / name)

    def paths(self) -> dict[str, Path]:
        """Return the linked files by their keys."""
        links = (path for path in sorted(self._links_folder.rglob("*")) if path.is_file())
        return {path.relative_to(self._links_folder).as_posix(): path for path in links}


@contextmanager
def linked_files(folder: Path) -> Iterator[LinkedFiles]:
    """Yield links to the files of `folder`, and remove them at the end; one process at a time.

    Raises `Unavailable` for a second process, and `OSError`.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    folder = folder.resolve()  # it may be a symbolic link to another disk
    links_folder = folder / _LINKS
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(f"Another backup of {folder} is being made; wait for its end.") from None
        shutil.rmtree(links_folder, ignore_errors=True)  # left by a process that was killed
        links_folder.mkdir(mode=0o700)
        try:
            yield LinkedFiles(folder, links_folder)
        finally:
            shutil.rmtree(links_folder, ignore_errors=True)
    finally:
        os.close(handle)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        if not target.samefile(source):
            target.unlink()
            os.link(source, target)
