"""The one engine of a process: its connections, and how transactions begin on them."""

import sqlite3
from typing import Any

import orjson
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from adapters.sql.errors import raise_unavailable
from unite_core.errors import Unavailable

BUSY_TIMEOUT = 30.0
"""How many seconds a unit of work waits for another one that writes."""

KEPT_CONNECTIONS = 10
MOST_CONNECTIONS = 50
"""Threads that can be in a unit of work at once. Connections beyond the kept ones are closed when they come back."""

READING = "unite_reading"
"""The execution option of a connection that only reads."""

# Each connection may keep this much of the file in memory. The connection that was used last is taken first, so that
# few of them ever fill it.
_CACHE_KIB = 32 * 1024
# The log is moved into the file once it has this many pages. A page that several chunks of an import touch is then
# moved once, not once for each chunk: that makes an import a third quicker.
_WAL_PAGES = 16_000
_WAL_KEPT_BYTES = 64 * 1024 * 1024


def create_engine_for(url: str | URL, *, timeout: float = BUSY_TIMEOUT) -> Engine:
    """An engine for a database such as `sqlite:////var/lib/unite/unite.db`; nothing is opened yet.

    `timeout` is in seconds. Raises `ValueError` for a database that Unite does not know.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise ValueError("The database has to be a SQLite file: sqlite:///path/to/unite.db")
    engine = create_engine(
        parsed,
        connect_args={"timeout": timeout, "isolation_level": None, "check_same_thread": False},
        poolclass=QueuePool,
        pool_size=KEPT_CONNECTIONS,
        max_overflow=MOST_CONNECTIONS - KEPT_CONNECTIONS,
        pool_timeout=timeout,
        pool_use_lifo=True,
        # An error is logged, and the values of a statement are people's names, numbers and password hashes.
        hide_parameters=True,
        json_serializer=dump_json,
        json_deserializer=orjson.loads,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", raise_unavailable)
    return engine


def ping(engine: Engine) -> None:
    """Ask the database for a sign of life; raises `Unavailable` where none comes."""
    try:
        with engine.connect().execution_options(**{READING: True}) as connection:
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
    except DBAPIError as error:
        raise Unavailable("The database does not answer as one; see that the file is what it should be.") from error


def dump_json(value: Any) -> str:
    """Plain values as JSON."""
    return orjson.dumps(value).decode()


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
        f"journal_size_limit = {_WAL_KEPT_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    reading = bool(connection.get_execution_options().get(READING))
    if connection.info.get(READING, False) is not reading:
        connection.exec_driver_sql(f"PRAGMA query_only = {int(reading)}")
        connection.info[READING] = reading
    # A unit that writes takes the lock before it reads anything, so that what it has read is still so at its commit.
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
