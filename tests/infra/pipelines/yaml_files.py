"""YAML as plain values."""

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # its stubs are a package that nothing else here needs


def load(path: Path) -> Any:
    """The one document of a file."""
    return yaml.safe_load(path.read_text("utf-8"))
