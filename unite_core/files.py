"""Files that are too large to pass through a request: clients send them to storage and fetch them there."""

from abc import abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol


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
    def sign_upload(self, key: str, *, content_type: str, size: int, lifetime: timedelta) -> Upload:
        """A permission to store exactly `size` bytes of `content_type` under `key`, once or again, for `lifetime`.

        The storage itself refuses another key, another size, another type, and a permission that has expired.
        """

    @abstractmethod
    def sign_download(self, key: str, *, filename: str, content_type: str, lifetime: timedelta) -> Download:
        """A link to the file for `lifetime`; the browser is told to save it as `filename`."""

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
    def delete(self, key: str) -> None:
        """Remove the file; no error if there is none."""


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
