"""Tests of temporary files in memory, which are used only if there is enough of it."""

import os
from pathlib import Path

from tests.temporary_files import is_suitable


def test_a_folder_is_suitable_if_enough_space_is_free(tmp_path: Path) -> None:
    system = os.statvfs(tmp_path)
    free = system.f_bavail * system.f_frsize

    assert is_suitable(tmp_path, min_free_bytes=free // 2)
    assert not is_suitable(tmp_path, min_free_bytes=2 * free)


def test_a_missing_folder_is_not_suitable(tmp_path: Path) -> None:
    assert not is_suitable(tmp_path / "missing", min_free_bytes=0)
