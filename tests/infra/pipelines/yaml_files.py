"""Reading of YAML files as plain values."""

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # its stubs are not installed


def load(path: Path) -> Any:
    """Return the only document of a file."""
    return yaml.safe_load(path.read_text("utf-8"))
