"""Copies of an SQLite database, made while others write to it."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from adapters.sql.schema import schema

PAGE_BATCH_SIZE = 4_000

INSTRUCTION_BATCH_SIZE = 1_000_000
"""Of SQLite's virtual machine, between two signs of life: about a hundredth of a second."""

SIDE_FILES = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database, by the end of its name."""

Progress = Callable[[int, int], None]


def copy_database(source: Path, target: Path, progress: Progress, begun: Callable[[], None]) -> None:
    """Copy the database as it is at the moment when `begun` is called, or just before.

    `progress` is called with the copied and with all pages.

    A transaction that reads is open meanwhile: without one the copy would begin anew after each change of another
    process, maybe without an end in an import. Raises `sqlite3.Error`.
    """
    with closing(_read_only(source)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        begun()
        reading.backup(writing, pages=PAGE_BATCH_SIZE, progress=lambda _, left, pages: progress(pages - left, pages))
    checkpoint_log(target)


def checkpoint_log(path: Path) -> None:
    """Have nothing of the database in a log beside it. The next connection of the service changes that back."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def find_damage(path: Path, going_on: Callable[[], None]) -> str | None:
    """The first thing that is wrong with the database, by a complete check of it; None where nothing is.

    `going_on` is called again and again meanwhile.
    """
    try:
        with closing(_read_only(path)) as connection:
            connection.set_progress_handler(going_on, INSTRUCTION_BATCH_SIZE)
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if found != "ok":
                return str(found)
            orphan = connection.execute("PRAGMA foreign_key_check").fetchone()
            return None if orphan is None else f"a row of {orphan[0]} refers to a row of {orphan[2]} that is missing"
    except sqlite3.DatabaseError as error:
        return str(error)


def revision_and_counts(path: Path) -> tuple[str | None, dict[str, int]]:
    """The revision of the schema, and how many rows each table of ours has. Raises `sqlite3.Error`."""
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
    """Remove what SQLite has left beside a database that is gone; what was removed.

    SQLite would take the changes in it for changes of whichever database is put there.
    """
    removed = []
    for suffix in SIDE_FILES:
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.unlink()
            removed.append(beside)
    return removed


def put_in_place(staged: Path, path: Path) -> None:
    """Give a complete copy its final name, and have both on disk."""
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
