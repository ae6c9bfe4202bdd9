"""Health check of the disk: free space, and whether the data folder can be written to."""

import shutil
import tempfile
from pathlib import Path

from unite_core.errors import Unavailable

MIB = 1024 * 1024

MIN_FREE_BYTES = 64 * MIB
"""SQLite's write-ahead log alone may grow to this size before it is moved into the database."""

_PROBE = b"\0" * 4096


class DiskSpace:
    """The disk of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check(self) -> None:
        """Check that the folder can be written to and has `MIN_FREE_BYTES` left; raise `Unavailable`."""
        try:
            free = shutil.disk_usage(self._folder).free
            with tempfile.TemporaryFile(dir=self._folder) as probe:
                probe.write(_PROBE)
                probe.flush()
        except OSError as error:
            raise Unavailable(f"The folder {self._folder} cannot be written to: {error.strerror}.") from error
        if free < MIN_FREE_BYTES:
            raise Unavailable(f"The disk of {self._folder} has {free // MIB} MiB left; make room.")
