"""Write and read backup archives: tar files whose last member is a manifest with checksums."""

import hashlib
import json
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

MANIFEST = "manifest.json"
DATABASE = "unite.sqlite3"
KEYS = "jwt_keys"
FILES = "files"
TABLES = "tables"
MONGODB = "mongodb"

FORMAT = 1
"""The format number of the archive; a higher number is from a later version of Unite."""

SQLITE = "sqlite"
MYSQL = "mysql"

_BLOCK = 1024 * 1024
_PART = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*"
_NAME = re.compile(rf"{DATABASE}|{KEYS}|{FILES}(/{_PART})+|{TABLES}/\w+\.jsonl|{MONGODB}/\w+\.bson")

Progress = Callable[[str, float, float], None]
"""A callback that gets the name of the stage, the amount that is done, and the total."""


def is_member(name: str) -> bool:
    """Return whether an archive may contain a file of that name."""
    return _NAME.fullmatch(name) is not None


class DamagedArchive(ValueError):
    """The file is not a complete backup archive; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Member:
    """The size and checksum of a file in the archive, from the manifest."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The content of an archive.

    `version` is the version of Unite, `revision` that of the schema, `database` is `sqlite` or `mysql`. `counts` has
    the number of rows of each table, `documents` the number of documents of each MongoDB collection, or None without
    MongoDB. `later` is the number of documents that were left out because their events are later than the backup.
    `files` and `keys` say whether the archive contains them; otherwise they are in S3 and in the settings.
    """

    format: int
    version: str
    created_at: str
    database: str
    revision: str
    counts: Mapping[str, int]
    documents: Mapping[str, int] | None
    later: int
    files: bool
    keys: bool


class ArchiveWriter:
    """A writer of an archive to a stream, which need not be seekable."""

    def __init__(self, target: BinaryIO) -> None:
        self._tar = tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed by finish
        self._members: dict[str, Member] = {}

    def add(self, name: str, path: Path, progress: Callable[[int], None] = lambda _: None) -> None:
        """Add a file under the name. `progress` is called with the bytes of each block."""
        with path.open("rb") as source:
            info = _info(name, path.stat().st_size)
            hashing = _Hashing(source, progress)
            self._tar.addfile(info, hashing)
        self._members[name] = Member(info.size, hashing.sha256.hexdigest())

    def finish(self, manifest: Manifest, scratch: Path) -> None:
        """Add the manifest, and finish the archive."""
        content = {**asdict(manifest), "members": {name: asdict(member) for name, member in self._members.items()}}
        path = scratch / MANIFEST
        path.write_text(json.dumps(content, indent=1), "utf-8")
        with path.open("rb") as source:
            self._tar.addfile(_info(MANIFEST, path.stat().st_size), source)
        self._tar.close()


class Archive:
    """An archive whose content was verified against its manifest."""

    def __init__(self, path: Path, progress: Progress) -> None:
        """Read and verify the whole archive. Raises `DamagedArchive`, and `OSError` if the file cannot be read."""
        self._path = path
        members, content = self._read(progress)
        if content is None:
            raise DamagedArchive("It has no manifest: it is no backup of Unite, or its end is missing.")
        self.manifest, self.members = _manifest(content)
        if members != self.members:
            wrong = sorted(
                name for name in members.keys() | self.members if members.get(name) != self.members.get(name)
            )
            raise DamagedArchive(f"{wrong[0]} is not what the manifest says of it; {len(wrong)} such files in all.")

    def extract(self) -> Iterator[tuple[str, IO[bytes]]]:
        """Yield every file with its name, in the order of the archive; read each before the next one."""
        with tarfile.open(self._path, "r|") as tar:
            for info in tar:
                if info.name != MANIFEST:
                    yield info.name, _opened(tar, info)

    def _read(self, progress: Progress) -> tuple[dict[str, Member], bytes | None]:
        total = self._path.stat().st_size
        members: dict[str, Member] = {}
        content = None
        try:
            with tarfile.open(self._path, "r|") as tar:
                for info in tar:
                    if info.name == MANIFEST:
                        content = _opened(tar, info).read()
                        continue
                    if not is_member(info.name) or info.name in members:
                        raise DamagedArchive("It contains what a backup of Unite does not.")
                    offset = info.offset_data
                    hashing = _Hashing(_opened(tar, info), lambda _, at=offset: progress("checked", at, total))  # type: ignore[misc]  # the default binds the loop's offset
                    while hashing.read(_BLOCK):
                        pass
                    members[info.name] = Member(info.size, hashing.sha256.hexdigest())
        except (tarfile.TarError, EOFError) as error:
            raise DamagedArchive(f"It cannot be read as a tar file: {error}.") from error
        return members, content


class _Hashing:
    """A stream that is hashed while it is read."""

    def __init__(self, source: IO[bytes], progress: Callable[[int], None]) -> None:
        self.sha256 = hashlib.sha256()
        self._source = source
        self._progress = progress

    def read(self, size: int = -1) -> bytes:
        block = self._source.read(size)
        self.sha256.update(block)
        self._progress(len(block))
        return block


def _manifest(content: bytes) -> tuple[Manifest, dict[str, Member]]:
    try:
        values: dict[str, Any] = json.loads(content)
        if values["format"] > FORMAT:
            raise DamagedArchive(f"It was written by version {values['version']} of Unite; restore it with that one.")
        members = {name: Member(**member) for name, member in values.pop("members").items()}
        return Manifest(**values), members
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, DamagedArchive):
            raise
        raise DamagedArchive("Its manifest cannot be read.") from error


def _opened(tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = tar.extractfile(info) if info.isreg() else None
    if stream is None:
        raise DamagedArchive("It contains what a backup of Unite does not.")
    return stream


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o600
    return info
