"""Restore a backup archive into an empty installation, and verify the result."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Engine
from sqlalchemy.exc import DatabaseError

from adapters.sql import migrate
from adapters.sql.engine import create_engine_for
from adapters.sql.mysql.backup import load_table, table_counts, table_names
from adapters.sql.sqlite.backup import checkpoint_log, find_damage, put_in_place, remove_side_files, revision_and_counts
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from entrypoints.bootstrap import archive
from entrypoints.bootstrap.archive import Archive, DamagedArchive, Progress
from entrypoints.bootstrap.data_folder import locked
from entrypoints.bootstrap.database import database_url, engine_of, errors_as_start_refused, is_file, original_error
from entrypoints.bootstrap.refusal import StartRefused
from entrypoints.keys import FILE as KEYS_FILE
from entrypoints.keys import load_or_create_keys
from entrypoints.settings import Settings
from entrypoints.settings.variables import DATA_DIR, DATABASE_URL, MONGODB_URL
from unite_core.calls.use_cases.verification import VerificationResult, VerifyLedger
from unite_core.errors import Unavailable

if TYPE_CHECKING:
    from adapters.mongo.connection import Mongo

STAGING = ".restore"

_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The result of a restore; its `ledger` may be broken.

    `removed` are side files of an earlier SQLite database.
    """

    manifest: archive.Manifest
    ledger: VerificationResult
    files: int
    removed: tuple[Path, ...] = field(default=())


def restore(settings: Settings, source: Path, progress: Progress) -> Restored:
    """Restore an archive into the data folder and the databases of the settings, which have to be empty.

    The archive is verified before anything is changed. Database and files are moved to their places last, after
    database, files and keys were verified. Raises `StartRefused`.
    """
    url = database_url(settings)
    checked = _checked(source, progress)
    manifest = checked.manifest
    _refuse_other_kind(settings, url, manifest)
    folder = settings.data_dir.absolute()
    with locked(folder), errors_as_start_refused(url), _write_errors_as_refused():
        _refuse_what_is_not_empty(settings, url, folder, manifest)
        with _staging(url, folder) as staging:
            _extract(checked, staging, progress)
            if manifest.keys:
                _verify_keys(staging)
            if is_file(url):
                ledger = _verified_sqlite(staging / archive.DATABASE, manifest, progress)
            else:
                ledger = _loaded_mysql(url, staging, manifest, progress)
            _load_documents(settings, staging, manifest, progress)
            loaded = _loaded(url, manifest)
            with _partial(loaded) if loaded else nullcontext():
                removed = _put_in_place(url, folder, staging, manifest)
    files = sum(1 for name in checked.members if name.startswith(f"{archive.FILES}/"))
    return Restored(manifest=manifest, ledger=ledger, files=files, removed=removed)


def _checked(source: Path, progress: Progress) -> Archive:
    try:
        checked = Archive(source, progress)
    except DamagedArchive as error:
        raise StartRefused(f"{source} cannot be restored. {error}") from error
    except OSError as error:
        raise StartRefused(f"{source} cannot be read: {error.strerror}.") from error
    if checked.manifest.revision not in migrate.revisions():
        raise StartRefused(
            f"{source} is of the schema {checked.manifest.revision}, which this version of Unite does not know: "
            "restore it with a later version."
        )
    return checked


def _refuse_other_kind(settings: Settings, url: URL, manifest: archive.Manifest) -> None:
    kind = archive.SQLITE if is_file(url) else archive.MYSQL
    if manifest.database != kind:
        raise StartRefused(
            f"The backup is of {manifest.database}, and the database of the settings is {kind}: "
            f"set {DATABASE_URL.name} to one of the same kind."
        )
    if manifest.documents is not None and settings.mongodb_url is None:
        raise StartRefused(f"The backup has documents of MongoDB: set {MONGODB_URL.name}.")
    if manifest.files and settings.storage is not None:
        raise StartRefused(
            "The backup has files, and the files of the settings are in S3: leave out its buckets, or put them there."
        )


def _refuse_what_is_not_empty(settings: Settings, url: URL, folder: Path, manifest: archive.Manifest) -> None:
    there = []
    if is_file(url):
        there += [str(path) for path in [Path(url.database or "")] if path.exists()]
    else:
        engine = engine_of(url)
        with _disposed(engine):
            there += [f"the table {name}" for name in table_names(engine)[:1]]
    if manifest.keys and (folder / KEYS_FILE).exists():
        there.append(str(folder / KEYS_FILE))
    if manifest.files and any(path.is_file() for path in (folder / archive.FILES).rglob("*")):
        there.append(f"files in {folder / archive.FILES}")
    if manifest.documents is not None and settings.mongodb_url is not None:
        from adapters.mongo import backup

        with _mongo(settings.mongodb_url) as mongo:
            there += [f"the collection {name}" for name in backup.non_empty_collections(mongo)]
    if there:
        raise StartRefused(
            f"A backup is restored into an empty installation alone, and here is {', '.join(there)}. "
            f"Name another folder in {DATA_DIR.name} or an empty database, or move what is there away."
        )


@contextmanager
def _write_errors_as_refused() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StartRefused(f"The backup cannot be written: {error.strerror}. Nothing was restored.") from error


@contextmanager
def _disposed(engine: Engine) -> Iterator[None]:
    try:
        yield
    finally:
        engine.dispose()


@contextmanager
def _mongo(url: str) -> "Iterator[Mongo]":
    from adapters.mongo import backup
    from adapters.mongo.connection import Mongo

    mongo = Mongo(url, backup.BACKUP_POLICY)
    try:
        yield mongo
    finally:
        mongo.close()


@contextmanager
def _staging(url: URL, folder: Path) -> Iterator[Path]:
    """Yield a folder to extract to: in the data folder, or for MySQL among the temporary files.

    If the database is a server, the data folder may have no space.
    """
    if not is_file(url):
        with tempfile.TemporaryDirectory(prefix="unite-restore-") as name:
            yield Path(name)
        return
    staging = folder / STAGING
    shutil.rmtree(staging, ignore_errors=True)  # left by a restore that was killed
    staging.mkdir(mode=0o700)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _extract(checked: Archive, staging: Path, progress: Progress) -> None:
    total = sum(member.size for member in checked.members.values())
    done = 0
    for name, stream in checked.extract():
        target = staging / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with target.open("xb") as file:
            target.chmod(0o600)
            while block := stream.read(_BLOCK):
                file.write(block)
                done += len(block)
                progress("archive extracted", done, total)


def _verify_keys(staging: Path) -> None:
    try:
        load_or_create_keys(staging)
    except ValueError as error:
        raise StartRefused(f"The keys in the backup are damaged: {error}. Nothing was restored.") from error


def _verified_sqlite(path: Path, manifest: archive.Manifest, progress: Progress) -> VerificationResult:
    wrong = find_damage(path, lambda: progress("database verified", 0, 1))
    if wrong is None:
        revision, counts = revision_and_counts(path)
        # A version that backs up a later schema counts only the tables that it knows.
        if (revision, {name: counts.get(name) for name in manifest.counts}) != (manifest.revision, manifest.counts):
            wrong = "it has not the rows that the manifest says"
    if wrong is not None:
        raise StartRefused(f"The database in the backup is damaged: {wrong}. Nothing was restored.")
    engine = create_engine_for(URL.create("sqlite", database=str(path)))
    with _disposed(engine):
        migrate.upgrade(engine)
        found = _verified_ledger(engine, manifest, progress)
    checkpoint_log(path)
    return found


def _loaded_mysql(url: URL, staging: Path, manifest: archive.Manifest, progress: Progress) -> VerificationResult:
    engine = engine_of(url, without_timeouts=True)
    total, done = sum(manifest.counts.values()), 0

    def loaded(rows: int) -> None:
        nonlocal done
        done += rows
        progress("rows restored", done, total)

    with _partial(f"in {DATABASE_URL.name}"), _disposed(engine):
        migrate.upgrade(engine, manifest.revision)
        for table in manifest.counts:
            with (staging / archive.TABLES / f"{table}.jsonl").open("rb") as stream:
                load_table(engine, table, stream, loaded)
        counts = table_counts(engine)
        if {name: counts.get(name) for name in manifest.counts} != manifest.counts:
            raise StartRefused("The database has not the rows that the backup has.")
        migrate.upgrade(engine)
        return _verified_ledger(engine, manifest, progress)


def _loaded(url: URL, manifest: archive.Manifest) -> str:
    """Return the servers that already contain a part of the backup before files and SQLite database are in place."""
    servers = [DATABASE_URL.name] if not is_file(url) else []
    if manifest.documents is not None:
        servers.append(MONGODB_URL.name)
    return f"in {' and in '.join(servers)}" if servers else ""


@contextmanager
def _partial(place: str) -> Iterator[None]:
    """Add to an error that a part of the backup is left behind."""
    try:
        yield
    except (StartRefused, Unavailable, DatabaseError, OSError) as error:
        raise StartRefused(
            f"{original_error(error)}\nA part of the backup is {place}: empty it, and restore again."
        ) from error


def _verified_ledger(engine: Engine, manifest: archive.Manifest, progress: Progress) -> VerificationResult:
    entries = manifest.counts.get("call_ledger", 0)
    verify = VerifyLedger(SqlUnitOfWorkFactory(engine, reading=True))
    return verify(lambda so_far: progress("ledger verified", so_far.entries, entries))


def _load_documents(settings: Settings, staging: Path, manifest: archive.Manifest, progress: Progress) -> None:
    if manifest.documents is None or settings.mongodb_url is None:
        return
    from adapters.mongo import backup

    with _mongo(settings.mongodb_url) as mongo, _partial(_loaded(database_url(settings), manifest)):
        for collection, expected in manifest.documents.items():
            with (staging / archive.MONGODB / f"{collection}.bson").open("rb") as stream:
                loaded = backup.load_collection(
                    mongo,
                    collection,
                    stream,
                    lambda done, of=expected: progress("documents restored", done, of),  # type: ignore[misc]  # the default binds the loop's number
                )
            if loaded != expected:
                raise StartRefused(f"{loaded} of {expected} documents of {collection} were restored.")


def _put_in_place(url: URL, folder: Path, staging: Path, manifest: archive.Manifest) -> tuple[Path, ...]:
    """Move everything to its place, the database last; undo that if it fails."""
    placed: list[Path] = []
    try:
        if (staging / archive.FILES).exists():
            files = folder / archive.FILES
            files.mkdir(mode=0o700, exist_ok=True)
            for each in (staging / archive.FILES).iterdir():
                shutil.rmtree(files / each.name, ignore_errors=True)  # it contains empty folders at most
                placed.append(files / each.name)
                shutil.move(each, files / each.name)
        if manifest.keys:
            placed.append(folder / KEYS_FILE)
            shutil.move(staging / archive.KEYS, folder / KEYS_FILE)
        return _put_database_in_place(Path(url.database or ""), staging) if is_file(url) else ()
    except OSError:
        for path in placed:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        raise


def _put_database_in_place(path: Path, staging: Path) -> tuple[Path, ...]:
    removed = remove_side_files(path)
    staged = staging / archive.DATABASE
    if staged.stat().st_dev != path.parent.stat().st_dev:  # the URL may lead to another disk
        beside = path.with_name(f".{path.name}.restoring")
        try:
            shutil.copy(staged, beside)
            put_in_place(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    else:
        put_in_place(staged, path)
    return tuple(removed)
