"""Health checks of the database, cheap enough to be called often."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event, Lock, Thread

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from adapters.sql.engine import ping
from adapters.sql.errors import DAMAGED, is_damage
from adapters.sql.execution_options import READ_ONLY
from unite_core.errors import Unavailable

CHECK_SECONDS = 3600.0
"""For how long the result of a complete check of an SQLite file is used."""

DAMAGED_CHECK_SECONDS = 60.0
"""The same if the file was damaged."""

FIRST_CHECK_SECONDS = 1.0
"""How long the first call waits for the first check. The check of a large file continues in the background."""

Clock = Callable[[], float]


def health_check(engine: Engine) -> Callable[[], None]:
    """Return a function that raises `Unavailable` if the database of the engine cannot be read."""
    if engine.dialect.name == "sqlite":
        return SqliteHealth(engine).check
    return lambda: _read_table(engine)


class SqliteHealth:
    """Health check of an SQLite file: detects a missing or replaced file at once, a damaged one within an hour.

    A complete check runs once an hour in a thread of its own, beginning with the first call, and again as soon as a
    statement of this process reports damage.
    """

    def __init__(self, engine: Engine, *, clock: Clock = time.monotonic) -> None:
        self._engine = engine
        self._path = Path(engine.url.database or "")
        self._clock = clock
        self._file = self._identity()
        self._lock = Lock()
        self._running = False
        self._damage_reported = False
        self._checked_once = Event()
        self._due = 0.0
        self._damaged = False
        event.listen(engine, "handle_error", self._report_damage, insert=True)

    def check(self) -> None:
        """Check that the database can be read, as far as is known; raise `Unavailable`."""
        if self._identity() != self._file:
            raise Unavailable("The database file is gone, or was replaced while the service runs; restart the service.")
        self._begin_check()
        self._checked_once.wait(FIRST_CHECK_SECONDS)
        if self._damaged:
            raise Unavailable(DAMAGED)
        ping(self._engine)

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _begin_check(self) -> None:
        with self._lock:
            if self._running or self._clock() < self._due:
                return
            self._running = True
            self._damage_reported = False
        Thread(target=self._check, name="database check", daemon=True).start()

    def _check(self) -> None:
        damaged = self._is_damaged()
        with self._lock:
            self._damaged = damaged
            self._running = False
            # Damage that was reported meanwhile may be in a part that the check had read before.
            seconds = DAMAGED_CHECK_SECONDS if damaged else 0.0 if self._damage_reported else CHECK_SECONDS
            self._due = self._clock() + seconds
        self._checked_once.set()

    def _is_damaged(self) -> bool:
        try:
            with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
        except sqlite3.Error as error:
            # A disk error that passes is no damage. If it stays, the next call finds it.
            return is_damage(error)

    def _report_damage(self, context: ExceptionContext) -> None:
        if is_damage(context.original_exception):
            with self._lock:
                self._damage_reported = True
                self._due = 0.0


def _read_table(engine: Engine) -> None:
    """Read a table, because a server that answers may have a wrong or an empty database."""
    try:
        with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
            connection.exec_driver_sql("SELECT version_num FROM alembic_version").all()
    except DBAPIError as error:
        raise Unavailable("The database does not have the tables of Unite, or they cannot be read.") from error
