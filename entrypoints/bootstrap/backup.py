"""Back up a running installation: database, files, keys and MongoDB documents in one archive."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import URL

from adapters.local.file_backup import LinkedFiles, linked_files
from adapters.sql.mysql.backup import table_snapshot
from adapters.sql.sqlite.backup import copy_database, find_damage, revision_and_counts
from entrypoints.bootstrap import archive
from entrypoints.bootstrap.archive import ArchiveWriter, Manifest, Progress
from entrypoints.bootstrap.database import database_url, described, engine_of, errors_as_start_refused, is_file
from entrypoints.bootstrap.refusal import StartRefused
from entrypoints.bootstrap.version import VERSION
from entrypoints.keys import FILE as KEYS_FILE
from entrypoints.settings import Settings

_NOTHING_THERE = "There is nothing to back up: {} has no tables of Unite."


_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copies:
    """Copies in the scratch folder by their names in the archive, with the number of rows or documents of each.

    `read_at` is the time of the state that a database copy has, or a time shortly after it.
    """

    members: Mapping[str, Path]
    counts: Mapping[str, int]
    revision: str = ""
    read_at: datetime = _NEVER
    later: int = 0


def back_up(settings: Settings, target: BinaryIO, scratch: Path, progress: Progress) -> Manifest:
    """Write an archive of the installation to `target` and return its manifest; the service may run.

    `scratch` is an empty folder with space for a copy of the database. The installation is not changed.
    Raises `StartRefused`.
    """
    url = database_url(settings)
    folder = settings.data_dir.absolute()
    keys = folder / KEYS_FILE
    with_keys = settings.jwt_keys is None and keys.exists()
    with errors_as_start_refused(url), _files(settings, folder) as files:
        _link(files)
        created_at = datetime.now(UTC)
        database = _sqlite(url, scratch, progress) if is_file(url) else _mysql(url, scratch, progress)
        # Again: rows of the copy may belong to files that were added in the meantime.
        _link(files)
        log = _mongodb(settings, scratch, database.read_at, progress)
        members = {**database.members, **(log.members if log else {})}
        if with_keys:
            members[archive.KEYS] = keys
        if files is not None:
            named = {f"{archive.FILES}/{key}": path for key, path in files.paths().items()}
            members |= {name: path for name, path in named.items() if archive.is_member(name)}
        manifest = Manifest(
            format=archive.FORMAT,
            version=VERSION,
            created_at=created_at.isoformat(timespec="seconds"),
            database=archive.SQLITE if is_file(url) else archive.MYSQL,
            revision=database.revision,
            counts=database.counts,
            documents=log.counts if log else None,
            later=log.later if log else 0,
            files=files is not None,
            keys=with_keys,
        )
        _write(members, manifest, target, scratch, progress)
    return manifest


@contextmanager
def _files(settings: Settings, folder: Path) -> Iterator[LinkedFiles | None]:
    """Yield the files of the data folder; None if they are in S3."""
    if settings.storage is not None:
        yield None
        return
    if not folder.is_dir():
        raise StartRefused(f"There is nothing to back up: there is no data folder {folder}.")
    with linked_files(folder / archive.FILES) as files:
        yield files


def _link(files: LinkedFiles | None) -> None:
    if files is not None:
        files.link()


def _sqlite(url: URL, scratch: Path, progress: Progress) -> _Copies:
    source, copy = Path(url.database or ""), scratch / archive.DATABASE
    if not source.exists():
        raise StartRefused(_NOTHING_THERE.format(source))
    moments: list[datetime] = []
    copy_database(
        source,
        copy,
        lambda done, total: progress("database copied", done, total),
        lambda: moments.append(datetime.now(UTC)),
    )
    wrong = find_damage(copy, lambda: progress("copy verified", 0, 1))
    if wrong is not None:
        raise StartRefused(f"The database is damaged, so that a backup of it would be of no use: {wrong}")
    revision, counts = revision_and_counts(copy)
    if revision is None:
        raise StartRefused(_NOTHING_THERE.format(source))
    return _Copies(members={archive.DATABASE: copy}, counts=counts, revision=revision, read_at=moments[0])


def _mysql(url: URL, scratch: Path, progress: Progress) -> _Copies:
    engine = engine_of(url, without_timeouts=True)
    members: dict[str, Path] = {}
    done = 0
    try:
        with table_snapshot(engine) as snapshot:
            read_at = datetime.now(UTC)
            if snapshot.revision is None:
                raise StartRefused(_NOTHING_THERE.format(described(url)))
            total = sum(snapshot.counts.values())

            def copied(rows: int) -> None:
                nonlocal done
                done += rows
                progress("rows copied", done, total)

            for table in snapshot.counts:
                name = f"{archive.TABLES}/{table}.jsonl"
                members[name] = _made(scratch, name)
                with members[name].open("wb") as stream:
                    snapshot.write(table, stream, copied)
            return _Copies(members=members, counts=snapshot.counts, revision=snapshot.revision, read_at=read_at)
    finally:
        engine.dispose()


def _mongodb(settings: Settings, scratch: Path, until: datetime, progress: Progress) -> _Copies | None:
    """Copy the documents of events up to the time of the database copy, which lacks the rows of later ones.

    They are copied after the database, so that all deliveries in the database are included. Returns None without
    MongoDB.
    """
    if settings.mongodb_url is None:
        return None
    from adapters.mongo import backup
    from adapters.mongo.connection import Mongo

    mongo = Mongo(settings.mongodb_url, backup.BACKUP_POLICY)
    members: dict[str, Path] = {}
    counts: dict[str, int] = {}
    try:
        for collection in backup.COLLECTIONS:
            name = f"{archive.MONGODB}/{collection}.bson"
            members[name] = _made(scratch, name)
            with members[name].open("wb") as stream:
                counts[collection] = backup.write_collection(
                    mongo, collection, stream, until=until, progress=lambda done: progress("documents copied", done, 0)
                )
        later = backup.count_after(mongo, backup.CALL_LOG, than=until)
    finally:
        mongo.close()
    return _Copies(members=members, counts=counts, later=later)


def _made(scratch: Path, name: str) -> Path:
    path = scratch / name
    path.parent.mkdir(exist_ok=True)
    return path


def _write(
    members: Mapping[str, Path], manifest: Manifest, target: BinaryIO, scratch: Path, progress: Progress
) -> None:
    writer = ArchiveWriter(target)
    total = sum(path.stat().st_size for path in members.values())
    done = 0

    def written(size: int) -> None:
        nonlocal done
        done += size
        progress("archive written", done, total)

    for name, path in members.items():
        writer.add(name, path, written)
    writer.finish(manifest, scratch)
