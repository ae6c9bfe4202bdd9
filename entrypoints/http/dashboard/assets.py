"""Static files of the dashboard under names with a digest, so that browsers can cache them for ever."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("static")
BASE = "/dashboard/static"

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_DIGEST_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file, ready to be served."""

    path: str
    content: bytes
    content_type: str


@cache
def assets() -> dict[str, Asset]:
    """Return all files by their names in the folder; they are read once."""
    return {path.name: _read(path) for path in sorted(FOLDER.iterdir()) if path.suffix in _TYPES}


def asset_at(name: str) -> Asset | None:
    """Return the file that is served under a name with a digest, or None."""
    path = f"{BASE}/{name}"
    return next((asset for asset in assets().values() if asset.path == path), None)


def asset_path(name: str) -> str:
    """Return the URL path of a file."""
    return assets()[name].path


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH]
    return Asset(f"{BASE}/{path.stem}.{digest}{path.suffix}", content, _TYPES[path.suffix])
