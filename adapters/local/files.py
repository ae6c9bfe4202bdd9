"""File storage in a local folder, with signed links that the service itself answers."""

import errno
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from adapters.local.signed_links import SignedLinks
from unite_core.clock import Clock
from unite_core.errors import Invalid, NotFound, TooLarge, Unavailable
from unite_core.files import UPLOAD_RETENTION, UPLOADS, Download, Files, ServedFile, SignedFiles, Upload, link_expiry

ROUTE = "files"
"""The path of the links below the public address of the service."""

UPLOAD_METHOD = "PUT"
DOWNLOAD_METHOD = "GET"
BLOCK = 256 * 1024
INCOMING = ".incoming"
"""The folder for files that are being written. No key has a part that starts with a dot."""

STAGING_RETENTION = timedelta(days=1)

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
_MAX_KEY_LENGTH = 512


class LocalFiles(Files, SignedFiles):
    """Files in `folder`, each under its key; also serves the links that it signs.

    A file is first written to `INCOMING`, then synced to disk, then renamed (POSIX `rename`): a reader sees the old
    file or the new one, also after a power cut. Only the owner can read the files and folders. Raises `Unavailable`
    where the disk is full.
    """

    def __init__(self, folder: Path, *, public_url: str, secrets_by_kid: Mapping[str, bytes], clock: Clock) -> None:
        self._folder = folder
        self._signed_links = SignedLinks(f"{public_url}/{ROUTE}", dict(secrets_by_kid))
        self._clock = clock

    def sign_upload(self, key: str, *, content_type: str, size: int, ttl: timedelta) -> Upload:
        self._path(key)
        expires_at = link_expiry(self._clock.now(), ttl)
        url = self._signed_links.make(UPLOAD_METHOD, key, {"size": str(size), "type": content_type}, expires_at)
        headers = {"Content-Type": content_type}
        return Upload(url=url, method=UPLOAD_METHOD, expires_at=expires_at, headers=headers)

    def sign_download(self, key: str, *, filename: str, content_type: str, ttl: timedelta) -> Download:
        self._path(key)
        expires_at = link_expiry(self._clock.now(), ttl)
        url = self._signed_links.make(DOWNLOAD_METHOD, key, {"filename": filename, "type": content_type}, expires_at)
        return Download(url=url, expires_at=expires_at)

    def size(self, key: str) -> int | None:
        try:
            return self._path(key).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    @contextmanager
    def read(self, key: str) -> Iterator[BinaryIO]:
        with self._open(key) as stream:
            yield stream

    @contextmanager
    def write(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:  # noqa: ARG002 - a folder knows no types
        target = self._path(key)
        incoming = self._folder / INCOMING / secrets.token_hex(16)
        _make_folder(incoming.parent)
        try:
            with open(incoming, "xb", opener=_open_private) as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            _put_in_place(incoming, target)
        except OSError as error:
            _raise_if_disk_full(error)
            raise
        finally:
            incoming.unlink(missing_ok=True)

    def move(self, key: str, to: str) -> None:
        source, target = self._path(key), self._path(to)
        if not source.is_file():
            raise _no_such_file()
        try:
            _put_in_place(source, target)
        except FileNotFoundError:  # another request moved or deleted it meanwhile
            raise _no_such_file() from None
        except OSError as error:
            _raise_if_disk_full(error)
            raise

    def delete(self, key: str) -> None:
        with suppress(FileNotFoundError, NotADirectoryError):
            self._path(key).unlink()

    def receive(
        self, key: str, query: dict[str, str], *, content_type: str | None, size: int | None, body: BinaryIO
    ) -> None:
        signed = self._signed_links.check(UPLOAD_METHOD, key, query, now=self._clock.now())
        if _media_type(content_type) != _media_type(signed["type"]):
            raise Invalid(f"The upload was announced as {signed['type']}; send that.", code="wrong_type")
        permitted = int(signed["size"])
        if size is not None and size != permitted:
            raise _wrong_size(size, permitted)
        with self.write(key, content_type=signed["type"]) as target:
            remaining = permitted
            while remaining and (block := body.read(min(BLOCK, remaining))):
                target.write(block)
                remaining -= len(block)
            if remaining:
                raise _wrong_size(permitted - remaining, permitted)
            if body.read(1):
                raise _wrong_size(permitted + 1, permitted)

    def serve(self, key: str, query: dict[str, str]) -> ServedFile:
        signed = self._signed_links.check(DOWNLOAD_METHOD, key, query, now=self._clock.now())
        body = self._open(key)
        size = os.fstat(body.fileno()).st_size
        return ServedFile(body=body, size=size, content_type=signed["type"], filename=signed["filename"])

    def remove_leftovers(self) -> int:
        now = self._clock.now()
        return _remove_old(self._folder / INCOMING, now - STAGING_RETENTION) + _remove_old(
            self._folder / UPLOADS, now - UPLOAD_RETENTION
        )

    def _open(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise _no_such_file() from None

    def _path(self, key: str) -> Path:
        if len(key) > _MAX_KEY_LENGTH or not _KEY.fullmatch(key):
            raise ValueError("This is not a file key.")
        return self._folder / key


def _media_type(content_type: str | None) -> str:
    """Return the media type in lower case, without parameters such as a charset (RFC 9110, 8.3.1)."""
    return (content_type or "").partition(";")[0].strip().lower()


def _wrong_size(size: int, permitted: int) -> Invalid | TooLarge:
    if size > permitted:
        return TooLarge(f"The upload was announced with {permitted} bytes; there are more.")
    return Invalid(f"The upload was announced with {permitted} bytes; only {size} came.", code="wrong_size")


def _no_such_file() -> NotFound:
    return NotFound("There is no such file.")


def _raise_if_disk_full(error: OSError) -> None:
    """Raise `Unavailable` where the error is that the disk is full."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise Unavailable("The disk is full; nothing was stored.") from error


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _make_folder(folder: Path) -> None:
    """Create the folder and its parents where they are missing, for their owner alone whatever the umask is."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _put_in_place(source: Path, target: Path) -> None:
    _make_folder(target.parent)
    source.replace(target)
    _sync_folder(target.parent)


def _remove_old(folder: Path, before: datetime) -> int:
    """Delete the files below the folder that were last written before the moment; return their number.

    Empty folders of that age are deleted too, as there is one for each lead with an image.
    """
    oldest = before.timestamp()
    removed = 0
    for parent, folders, names in os.walk(folder, topdown=False):
        for name in (*names, *folders):
            path = Path(parent, name)
            with suppress(OSError):  # it was moved or deleted meanwhile, or is a folder that is not empty
                if path.stat().st_mtime >= oldest:
                    continue
                if path.is_dir():
                    path.rmdir()
                else:
                    path.unlink()
                    removed += 1
    return removed


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
