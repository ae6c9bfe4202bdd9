"""What is particular about SQLite."""

import sqlite3
from typing import Any

from sqlalchemy import URL, Connection, Engine, event

from adapters.sql.execution_options import READ_ONLY

PING_SQL = "SELECT count(*) FROM sqlite_master"
"""A question that a file answers if it is a database."""

# Each connection may keep this much of the file in memory. The connection that was used last is taken first, so that
# few of them ever fill it.
_CACHE_KIB = 32 * 1024
# The log is moved into the file once it has this many pages. A page that several chunks of an import touch is then
# moved once, not once for each chunk: that makes an import a third quicker.
_WAL_PAGES = 16_000
_WAL_LIMIT_BYTES = 64 * 1024 * 1024


def checked(url: URL) -> URL:
    """The URL; raises `ValueError` where it names no file."""
    if url.database in (None, "", ":memory:"):
        raise ValueError("The database has to be a SQLite file: sqlite:///path/to/unite.db")
    return url


def options(timeout: float, *, patient: bool) -> dict[str, Any]:  # noqa: ARG001 - a statement in this process has no timeout
    """What the engine is made with, beside what holds for every database."""
    return {"connect_args": {"timeout": timeout, "isolation_level": None, "check_same_thread": False}}


def register_listeners(engine: Engine) -> None:
    """Prepare each connection, and begin each transaction as its unit of work needs it."""
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # https://www.sqlite.org/pragma.html. With a write-ahead log readers and the writer do not wait for each other, and
    # NORMAL loses at a power cut nothing but the last commits, never consistency.
    for pragma in (
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        f"cache_size = -{_CACHE_KIB}",
        f"wal_autocheckpoint = {_WAL_PAGES}",
        f"journal_size_limit = {_WAL_LIMIT_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    reading = bool(connection.get_execution_options().get(READ_ONLY))
    if connection.info.get(READ_ONLY, False) is not reading:
        connection.exec_driver_sql(f"PRAGMA query_only = {int(reading)}")
        connection.info[READ_ONLY] = reading
    # A unit that writes takes the lock before it reads anything, so that what it has read is still so at its commit.
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
