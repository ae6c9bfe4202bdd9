"""The build backend of the checkout (PEP 517): builds unite_core from what `stage` copies."""

import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from setuptools import build_meta  # type: ignore[import-untyped]  # the library ships no types

from infra.release.stage import stage


def build_wheel(
    wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """Build the wheel in a folder, and return its name."""
    folder = Path(wheel_directory).resolve()
    with _staged():
        return str(build_meta.build_wheel(str(folder), config_settings, metadata_directory))


def build_sdist(sdist_directory: str, config_settings: dict[str, Any] | None = None) -> str:
    """Build the source distribution in a folder, and return its name. It needs nothing of the checkout any more."""
    folder = Path(sdist_directory).resolve()
    with _staged():
        return str(build_meta.build_sdist(str(folder), config_settings))


@contextmanager
def _staged() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        stage("unite_core", Path(folder))
        with chdir(folder):
            yield
