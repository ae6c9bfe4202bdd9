"""File storage in memory, with signed links."""

import hashlib
import hmac
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import BinaryIO
from urllib.parse import quote, urlencode

from unite_core.clock import Clock
from unite_core.errors import Forbidden, Invalid, NotFound, TooLarge
from unite_core.files import UPLOAD_RETENTION, UPLOADS, Download, Files, ServedFile, SignedFiles, Upload


class InMemoryFiles(Files, SignedFiles):
    """Stores files, and signs and serves their links. The links lead nowhere; pass them to `receive` and `serve`."""

    def __init__(self, clock: Clock, url: str = "https://files.example") -> None:
        self._clock = clock
        self._url = url
        self._contents: dict[str, bytes] = {}
        self._written_at: dict[str, datetime] = {}

    def keys(self) -> list[str]:
        """Return the keys of all files."""
        return [*self._contents]

    def sign_upload(self, key: str, *, content_type: str, size: int, ttl: timedelta) -> Upload:
        expires_at = self._clock.now() + ttl
        url = self._sign("PUT", key, expires_at, content_type=content_type, size=str(size))
        return Upload(url=url, method="PUT", expires_at=expires_at, headers={"Content-Type": content_type})

    def sign_download(self, key: str, *, filename: str, content_type: str, ttl: timedelta) -> Download:
        expires_at = self._clock.now() + ttl
        return Download(
            url=self._sign("GET", key, expires_at, content_type=content_type, filename=filename),
            expires_at=expires_at,
        )

    def size(self, key: str) -> int | None:
        content = self._contents.get(key)
        return len(content) if content is not None else None

    @contextmanager
    def read(self, key: str) -> Iterator[BinaryIO]:
        if key not in self._contents:
            raise NotFound("There is no such file.")
        with io.BytesIO(self._contents[key]) as stream:
            yield stream

    @contextmanager
    def write(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:  # noqa: ARG002 - the link has the content type
        with io.BytesIO() as stream:
            yield stream
            self._put(key, stream.getvalue())

    def move(self, key: str, to: str) -> None:
        if key not in self._contents:
            raise NotFound("There is no such file.")
        self._put(to, self._contents.pop(key))

    def delete(self, key: str) -> None:
        self._contents.pop(key, None)

    def remove_leftovers(self) -> int:
        before = self._clock.now() - UPLOAD_RETENTION
        uploads = [key for key in self._contents if key.startswith(f"{UPLOADS}/")]
        leftovers = [key for key in uploads if self._written_at[key] < before]
        for key in leftovers:
            self.delete(key)
        return len(leftovers)

    def receive(
        self, key: str, query: dict[str, str], *, content_type: str | None, size: int | None, body: BinaryIO
    ) -> None:
        self._check("PUT", key, query)
        signed = int(query["size"])
        if content_type != query["content_type"]:
            raise Invalid(f"The link is for {query['content_type']}.", code="wrong_type")
        if size is not None and size != signed:
            raise self._wrong_size(size, signed)
        content = body.read(signed + 1)
        if len(content) != signed:
            raise self._wrong_size(len(content), signed)
        self._put(key, content)

    def serve(self, key: str, query: dict[str, str]) -> ServedFile:
        self._check("GET", key, query)
        with self.read(key) as stream:
            content = stream.read()
        return ServedFile(
            body=io.BytesIO(content), size=len(content), content_type=query["content_type"], filename=query["filename"]
        )

    def _put(self, key: str, content: bytes) -> None:
        self._contents[key] = content
        self._written_at[key] = self._clock.now()

    def _sign(self, method: str, key: str, expires_at: datetime, **terms: str) -> str:
        query = {"expires": expires_at.isoformat(), **terms}
        query["signature"] = self._signature(method, key, query)
        return f"{self._url}/{quote(key)}?{urlencode(query)}"

    def _check(self, method: str, key: str, query: dict[str, str]) -> None:
        signature = query.get("signature", "").encode("utf-8", "surrogatepass")
        terms = {name: value for name, value in query.items() if name != "signature"}
        if not hmac.compare_digest(self._signature(method, key, terms).encode(), signature):
            raise Forbidden("This link was not made here.", code="invalid_signature")
        if self._clock.now() >= datetime.fromisoformat(query["expires"]):
            raise Forbidden("This link has expired; ask for another one.", code="link_expired")

    def _signature(self, method: str, key: str, terms: dict[str, str]) -> str:
        signed = repr((method, key, sorted(terms.items()))).encode("utf-8", "surrogatepass")
        return hmac.new(b"known to all", signed, hashlib.sha256).hexdigest()

    def _wrong_size(self, size: int, signed: int) -> Invalid | TooLarge:
        if size > signed:
            return TooLarge(f"The link is for {signed} bytes.")
        return Invalid(f"The link is for {signed} bytes, and {size} came.", code="wrong_size")
