"""Static files, compressed for clients that take gzip, and cached forever under names with a digest."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flask import Response, request

from unite_core.errors import NotFound

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_DIGEST_LENGTH = 12
_CACHE_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """A static file, ready to be served. `path` contains a digest of the content."""

    path: str
    content: bytes
    content_type: str

    def response(self) -> Response:
        """Return the response with the file, compressed if the client takes gzip (RFC 9110, 12.5.3)."""
        compressed = _takes_gzip() and self._is_compressible
        response = Response(self._gzipped if compressed else self.content, content_type=self.content_type)
        if compressed:
            response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
        return response

    @cached_property
    def _gzipped(self) -> bytes:
        """The compressed content, which is created at the first request for it."""
        return gzip.compress(self.content, mtime=0)

    @property
    def _is_compressible(self) -> bool:
        return len(self._gzipped) < len(self.content)


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
        response = asset.response()
        response.headers["Cache-Control"] = _CACHE_FOREVER
        return response

    def uncached_response(self, name: str) -> Response:
        """Return the response with a file under its own name, which clients must not cache."""
        return self._assets[name].response()

    @cached_property
    def _assets(self) -> dict[str, Asset]:
        return {path.name: self._read(path) for path in sorted(self._folder.iterdir()) if path.suffix in _TYPES}

    def _read(self, path: Path) -> Asset:
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH]
        return Asset(f"{self._base}/{path.stem}.{digest}{path.suffix}", content, _TYPES[path.suffix])


def _takes_gzip() -> bool:
    codings = request.accept_encodings
    return codings["gzip"] > 0 and codings["gzip"] >= codings["identity"]
