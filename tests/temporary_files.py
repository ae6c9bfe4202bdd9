"""Temporary files of the tests in memory, if there is enough of it.

Databases wait for the disk at each commit and each change of a table, which was most of the time of their tests. The
variable `TMPDIR` names another folder.
"""

import os
import tempfile
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")

MIN_FREE_BYTES = 4 * 1024**3
"""How much memory has to be free: several times what a whole run needs at once."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    if not os.environ.get("TMPDIR") and is_suitable(MEMORY):
        # In the environment, for the other processes of the tests and for those that they start.
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


def is_suitable(folder: Path, *, min_free_bytes: int = MIN_FREE_BYTES) -> bool:
    """Return whether files can be created and executed in the folder, and enough space is free."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return False
    system = os.statvfs(folder)
    return not system.f_flag & os.ST_NOEXEC and system.f_bavail * system.f_frsize >= min_free_bytes
