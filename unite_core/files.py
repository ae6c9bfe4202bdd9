"""Files that are too large to pass through a request: clients send them to storage and fetch them there."""

import unicodedata
from abc import abstractmethod
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol

from unite_core.errors import NotFound, Unavailable

MAX_DOWNLOAD_NAME_LENGTH = 200

_RESERVED = str.maketrans(dict.fromkeys('/\\:*?"<>|', "_"))
"""What divides folders, or means something to a shell or to Windows."""

_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")

UPLOADS = "uploads"
"""What the keys begin with under which clients put files; no link to upload leads anywhere else."""

MAX_UPLOAD_TTL = timedelta(hours=1)
"""No permission to upload is good for longer."""

UPLOAD_RETENTION = MAX_UPLOAD_TTL + timedelta(days=1)
"""How long the storage keeps what lies under `UPLOADS`: nobody can want it any more after that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """How a client sends one file straight to storage, until `expires_at`.

    With `method` PUT the client sends the bytes with `headers`; with POST it sends a form
    (RFC 7578) of `fields` followed by the file in a field named `file`.
    """

    url: str
    method: str
    expires_at: datetime
    headers: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A link that anybody may follow until `expires_at`."""

    url: str
    expires_at: datetime


class Files(Protocol):
    """Holds files under keys such as `images/0190…` (letters, digits, `-`, `_`, `.`, and `/` between the parts)."""

    @abstractmethod
    def sign_upload(self, key: str, *, content_type: str, size: int, ttl: timedelta) -> Upload:
        """A permission to store exactly `size` bytes of `content_type` under `key`, once or again, for `ttl`.

        The storage itself refuses another key, another size, another type, and a permission that has expired.
        """

    @abstractmethod
    def sign_download(self, key: str, *, filename: str, content_type: str, ttl: timedelta) -> Download:
        """A link to the file for `ttl`; the browser is told to save it as `filename`."""

    @abstractmethod
    def size(self, key: str) -> int | None:
        """How many bytes the file has; None if there is no such file."""

    @abstractmethod
    def read(self, key: str) -> AbstractContextManager[BinaryIO]:
        """The file's bytes as a stream, never whole in memory; raises `NotFound`."""

    @abstractmethod
    def write(self, key: str, *, content_type: str) -> AbstractContextManager[BinaryIO]:
        """A stream to write the file with.

        The file appears, or replaces the one before, whole when the block is left; not at all when it is
        left by an exception.
        """

    @abstractmethod
    def move(self, key: str, to: str) -> None:
        """Give the file the key `to`; afterwards there is nothing at `key`. Raises `NotFound`, and changes nothing.

        It appears at `to`, or replaces the one before, whole: at once where the storage can, else so that a crash
        in between leaves it at both keys.
        """

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove the file; no error if there is none."""


def upload_key(key: str) -> str:
    """Where a client puts the file that is to become the one at `key`.

    A link stays good after its file was taken, and what it permits to write must not be what was checked.
    """
    return f"{UPLOADS}/{key}"


def move_upload(files: Files, key: str, *, upload: str | None = None) -> bool:
    """Bring what a client uploaded to `key`, out of the reach of its link; False where nothing has come.

    The upload is at `upload`, which is `upload_key(key)` unless it is said.

    What is at `key` already stays: an attempt before this one brought it there and went no further. Callers
    hold the row that names the key, so that no two bring a file at once.
    """
    if files.size(key) is not None:
        return True
    try:
        files.move(upload or upload_key(key), key)
    except NotFound:
        return False
    return True


def delete_quietly(files: Files, key: str) -> None:
    """Delete the file at `key`, and what a client uploaded to become it.

    Where the files are not there just now it stays: whoever asked for this is done already, and would be told that it
    was not. Storage deletes it by its age.
    """
    with suppress(Unavailable):
        files.delete(upload_key(key))
        files.delete(key)


class SignedFiles(Protocol):
    """The far end of the links that `Files` signs, where the service itself is the storage.

    `query` is the query string of the link, decoded. Every method raises `Forbidden` (`invalid_signature`
    or `link_expired`) where the link was not made by `Files` for exactly this, or its time is over.
    """

    @abstractmethod
    def receive(
        self, key: str, query: dict[str, str], *, content_type: str | None, size: int | None, body: BinaryIO
    ) -> None:
        """Store what a client sends; raises `Invalid` or `TooLarge` where type or size are not as signed."""

    @abstractmethod
    def serve(self, key: str, query: dict[str, str]) -> "ServedFile":
        """What a client may fetch; raises `NotFound`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFile:
    """A file on its way to a client; whoever gets it closes `body`. `size` is in bytes."""

    body: BinaryIO
    size: int
    content_type: str
    filename: str


def download_name(name: str, *extensions: str) -> str:
    """The name to save a file under, made of one that somebody gave it.

    It names no folder and no hidden file, has none of the characters that cannot be seen or turn the direction of
    writing, and ends with one of the `extensions` (`.png`), the first one where it has none of them: so a program
    cannot take the file for something else than it is.
    """
    seen = "".join(character for character in name if unicodedata.category(character) not in _UNSEEN)
    plain = seen.translate(_RESERVED).strip(". ")
    extension = next((each for each in extensions if plain.lower().endswith(each)), None)
    stem = plain if extension is None else plain[: -len(extension)]
    return (stem[:MAX_DOWNLOAD_NAME_LENGTH].strip(". ") or "file") + (extension or extensions[0])
