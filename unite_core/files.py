"""Port of file storage: signed upload and download links, reading, writing and moving of files."""

import unicodedata
from abc import abstractmethod
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, BinaryIO, Protocol

from unite_core.checks import HIDDEN, Checked, SecretText, UseCase
from unite_core.errors import NotFound, Unavailable

MAX_DOWNLOAD_NAME_LENGTH = 200

_RESERVED = str.maketrans(dict.fromkeys('/\\:*?"<>|', "_"))
"""Characters that separate folders, or are special to a shell or to Windows."""

_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")

UPLOADS = "uploads"
"""The prefix of the keys that clients upload to; no upload link leads anywhere else."""

MAX_UPLOAD_TTL = timedelta(hours=1)
"""The maximum lifetime of an upload link."""

UPLOAD_RETENTION = MAX_UPLOAD_TTL + timedelta(days=1)
"""How long the storage keeps files under `UPLOADS`: after that no request can need them any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload(Checked):
    """Instructions for a client to send one file straight to storage, until `expires_at`.

    With `method` PUT the client sends the bytes with `headers`; with POST it sends a form
    (RFC 7578) of `fields` followed by the file in a field named `file`.
    """

    url: SecretText
    method: str
    expires_at: datetime
    headers: Annotated[dict[str, str], HIDDEN] = field(default_factory=dict)
    fields: Annotated[dict[str, str], HIDDEN] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Download(Checked):
    """A link that anybody may follow until `expires_at`."""

    url: SecretText
    expires_at: datetime


class Files(Protocol):
    """Stores files under keys such as `images/0190…` (letters, digits, `-`, `_`, `.`, and `/` between the parts)."""

    @abstractmethod
    def sign_upload(self, key: str, *, content_type: str, size: int, ttl: timedelta) -> Upload:
        """Permit an upload of exactly `size` bytes of `content_type` to `key`, once or again, for `ttl`.

        The storage itself refuses another key, another size, another type, and an expired permission.
        """

    @abstractmethod
    def sign_download(self, key: str, *, filename: str, content_type: str, ttl: timedelta) -> Download:
        """Return a link to the file, valid for `ttl`; the browser saves it as `filename`."""

    @abstractmethod
    def size(self, key: str) -> int | None:
        """Return the size of the file in bytes; None if there is no such file."""

    @abstractmethod
    def read(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Open the file's bytes as a stream, never whole in memory; raise `NotFound`."""

    @abstractmethod
    def write(self, key: str, *, content_type: str) -> AbstractContextManager[BinaryIO]:
        """Open a stream to write the file with.

        The file appears, or replaces the one before, whole at the end of the block; not at all if the block is
        left by an exception.
        """

    @abstractmethod
    def move(self, key: str, to: str) -> None:
        """Move the file to the key `to`; afterwards there is nothing at `key`. Raise `NotFound`, and change nothing.

        It appears at `to`, or replaces the one before, whole: at once if the storage can do that, else so that a crash
        in between leaves it at both keys.
        """

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove the file; no error if there is none."""

    def remove_leftovers(self) -> int:
        """Delete what nobody needs any more; return how many files that were. A worker calls it once a minute.

        These are files below `UPLOADS` that are older than `UPLOAD_RETENTION`, and drafts of `write` that a crash left
        behind a day ago or earlier. A storage that deletes them by itself, as S3 does by a rule of the bucket, has
        nothing to do here, and inherits this method.
        """
        return 0


def upload_key(key: str) -> str:
    """Return the key to which a client uploads the file that is to become the one at `key`.

    A link stays valid after its file was moved away, so it must not permit to overwrite what was checked.
    """
    return f"{UPLOADS}/{key}"


def move_upload(files: Files, key: str, *, upload: str | None = None) -> bool:
    """Move a client's upload to `key`, where its link cannot overwrite it; return False if nothing was uploaded.

    The upload is at `upload`, which is `upload_key(key)` by default.

    A file that is at `key` already stays: an earlier attempt moved it there and went no further. Callers
    hold a lock on the row that names the key, so that no two move a file at the same time.
    """
    if files.size(key) is not None:
        return True
    try:
        files.move(upload or upload_key(key), key)
    except NotFound:
        return False
    return True


def delete_quietly(files: Files, key: str) -> None:
    """Delete the file at `key`, and the upload that was to become it.

    If the storage is unavailable the file stays: the caller's change is committed already, and an error would say that
    it was not. The storage deletes the file by its age.
    """
    with suppress(Unavailable):
        files.delete(upload_key(key))
        files.delete(key)


@dataclass(frozen=True)
class RemoveLeftoverFiles(UseCase):
    """Delete files that nobody needs any more. Returns how many were deleted; run by a schedule."""

    files: Files

    def __call__(self) -> int:
        return self.files.remove_leftovers()


class SignedFiles(Protocol):
    """The receiver of the links that `Files` signs, if the service itself is the storage.

    `query` is the query string of the link, decoded. Every method raises `Forbidden` (`invalid_signature`
    or `link_expired`) if `Files` did not make the link for exactly this operation, or it has expired.
    """

    @abstractmethod
    def receive(
        self, key: str, query: dict[str, str], *, content_type: str | None, size: int | None, body: BinaryIO
    ) -> None:
        """Store the body that a client sends; raise `Invalid` or `TooLarge` if type or size are not as signed."""

    @abstractmethod
    def serve(self, key: str, query: dict[str, str]) -> "ServedFile":
        """Return the file for a client to download; raise `NotFound`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFile(Checked):
    """A file that is being sent to a client; the receiver closes `body`. `size` is in bytes."""

    body: BinaryIO
    size: int
    content_type: str
    filename: str


def download_name(name: str, *extensions: str) -> str:
    """Return a safe name to save a file under, made of a name that a user gave it.

    It names no folder and no hidden file, has no characters that are invisible or change the direction of
    writing, and ends with one of the `extensions` (`.png`), by default the first: so a program
    cannot take the file for something else than it is.
    """
    visible = "".join(character for character in name if unicodedata.category(character) not in _INVISIBLE)
    plain = visible.translate(_RESERVED).strip(". ")
    extension = next((suffix for suffix in extensions if plain.lower().endswith(suffix)), None)
    stem = plain if extension is None else plain[: -len(extension)]
    return (stem[:MAX_DOWNLOAD_NAME_LENGTH].strip(". ") or "file") + (extension or extensions[0])


def link_expiry(now: datetime, ttl: timedelta) -> datetime:
    """Return when a link of this lifetime expires, rounded down to the second, which is what is signed."""
    return datetime.fromtimestamp(int((now + ttl).timestamp()), UTC)
