"""Whether the disk takes what the service has to write."""

import shutil
import tempfile
from pathlib import Path

from unite_core.errors import Unavailable

MIB = 1024 * 1024

MIN_FREE_BYTES = 64 * MIB
"""The log of SQLite alone may grow to this size before it is moved into the database."""

_PROBE = b"\0" * 4096


class DiskSpace:
    """The room on the disk of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ask(self) -> None:
        """Do nothing where there is room to write; raises `Unavailable` where there is not."""
        try:
            free = shutil.disk_usage(self._folder).free
            with tempfile.TemporaryFile(dir=self._folder) as probe:
                probe.write(_PROBE)
                probe.flush()
        except OSError as error:
            raise Unavailable(f"The folder {self._folder} cannot be written to: {error.strerror}.") from error
        if free < MIN_FREE_BYTES:
            raise Unavailable(f"The disk of {self._folder} has {free // MIB} MiB left; make room.")
