"""Connection settings and transaction modes for SQLite."""

import sqlite3
from typing import Any

from sqlalchemy import URL, Connection, Engine, event

from adapters.sql.execution_options import READ_ONLY

PING_SQL = "SELECT count(*) FROM sqlite_master"
"""A statement that checks whether the file is a database."""

# Page cache of each connection. The pool reuses the last used connection first, so that few connections fill it.
_CACHE_KIB = 32 * 1024
# The write-ahead log is moved into the file when it has this many pages. A page that several chunks of an import change
# is then moved once, not once for each chunk, which makes an import a third faster.
_WAL_PAGES = 16_000
_WAL_LIMIT_BYTES = 64 * 1024 * 1024


def checked(url: URL) -> URL:
    """Return the URL; raise `ValueError` if it names no file."""
    if url.database in (None, "", ":memory:"):
        raise ValueError("The database has to be a SQLite file: sqlite:///path/to/unite.db")
    return url


def options(timeout: float, *, without_timeouts: bool) -> dict[str, Any]:  # noqa: ARG001 - a statement in this process has no timeout
    """Return the arguments of `create_engine` that are only for SQLite."""
    return {"connect_args": {"timeout": timeout, "isolation_level": None, "check_same_thread": False}}


def register_listeners(engine: Engine) -> None:
    """Register the listeners that set up each connection and begin each transaction."""
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # https://www.sqlite.org/pragma.html. With a write-ahead log readers and the writer do not block each other. With
    # NORMAL a power cut can lose the last commits, but never consistency.
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
    # A unit that writes takes the write lock before it reads, so that what it reads cannot change before its commit.
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
