"""Backup of an SQLite database while it is in use, and checks of the copy."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from adapters.sql.schema import schema

PAGE_BATCH_SIZE = 4_000

INSTRUCTION_BATCH_SIZE = 1_000_000
"""Instructions of SQLite's virtual machine between two calls for progress: about a hundredth of a second."""

SIDE_FILES = ("-wal", "-shm", "-journal")
"""Suffixes of the files that SQLite keeps beside a database."""

Progress = Callable[[int, int], None]


def copy_database(source: Path, target: Path, progress: Progress, begun: Callable[[], None]) -> None:
    """Copy the database as it is when `begun` is called, or just before.

    `progress` is called with the number of copied pages and of all pages.

    A read transaction is open meanwhile. Without it, SQLite would restart the copy after each change by another
    process, and during an import might never finish. Raises `sqlite3.Error`.
    """
    with closing(_read_only(source)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        begun()
        reading.backup(writing, pages=PAGE_BATCH_SIZE, progress=lambda _, left, pages: progress(pages - left, pages))
    checkpoint_log(target)


def checkpoint_log(path: Path) -> None:
    """Move the write-ahead log into the database file. The next connection of the service creates a log again."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def find_damage(path: Path, going_on: Callable[[], None]) -> str | None:
    """Check the whole database; return the first fault, or None.

    `going_on` is called at short intervals meanwhile.
    """
    try:
        with closing(_read_only(path)) as connection:
            connection.set_progress_handler(going_on, INSTRUCTION_BATCH_SIZE)
            (result,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if result != "ok":
                return str(result)
            orphan = connection.execute("PRAGMA foreign_key_check").fetchone()
            return None if orphan is None else f"a row of {orphan[0]} refers to a row of {orphan[2]} that is missing"
    except sqlite3.DatabaseError as error:
        return str(error)


def revision_and_counts(path: Path) -> tuple[str | None, dict[str, int]]:
    """Return the schema revision, and the number of rows of each of our tables. Raises `sqlite3.Error`."""
    with closing(_read_only(path)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "alembic_version" not in names:
            return None, {}
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        counts = {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - the names are ours
            for name in sorted(names & schema.tables.keys())
        }
        return row[0] if row else None, counts


def remove_side_files(path: Path) -> list[Path]:
    """Remove the files that SQLite has left beside a deleted database; return their paths.

    SQLite would apply the changes in them to any database that is put there.
    """
    removed = []
    for suffix in SIDE_FILES:
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.unlink()
            removed.append(beside)
    return removed


def put_in_place(staged: Path, path: Path) -> None:
    """Rename a complete copy to its final name, and sync the file and the folder to disk."""
    for place in (staged, path.parent):
        if place == path.parent:
            staged.replace(path)
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
