"""Static files under names with a digest, so that browsers can cache them forever."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flask import Response

from unite_core.errors import NotFound

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_DIGEST_LENGTH = 12
_CACHE_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file, ready to be served."""

    path: str
    content: bytes
    content_type: str


class AssetFolder:
    """The style sheets, scripts and pictures of a folder, which are read once and served below a URL path."""

    def __init__(self, folder: Path, base: str) -> None:
        self._folder = folder
        self._base = base

    def path_of(self, name: str) -> str:
        """Return the URL path of a file."""
        return self._assets[name].path

    def response(self, name: str) -> Response:
        """Return the response with the file that is served under a name with a digest."""
        path = f"{self._base}/{name}"
        asset = next((asset for asset in self._assets.values() if asset.path == path), None)
        if asset is None:
            raise NotFound("There is no such file.")
        response = Response(asset.content, content_type=asset.content_type)
        response.headers["Cache-Control"] = _CACHE_FOREVER
        return response

    @cached_property
    def _assets(self) -> dict[str, Asset]:
        return {path.name: self._read(path) for path in sorted(self._folder.iterdir()) if path.suffix in _TYPES}

    def _read(self, path: Path) -> Asset:
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH]
        return Asset(f"{self._base}/{path.stem}.{digest}{path.suffix}", content, _TYPES[path.suffix])
