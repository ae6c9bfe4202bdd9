"""What is particular about MySQL and MariaDB."""

from typing import Any

from sqlalchemy import URL, Connection, Engine, event

from adapters.sql.execution_options import READ_ONLY

PING_SQL = "SELECT 1"
"""A question that a server answers if it is there."""

CONNECT_TIMEOUT = 5
"""Seconds until a connection is there."""

READ_TIMEOUT = 60
"""Seconds that a statement may take: longer than it may wait for a lock, and than a chunk of an import takes."""

POOL_RECYCLE = 1800
"""Seconds that a connection lives: firewalls and proxies forget quiet ones, and a failover is followed by new ones."""

# What decides whether a statement means the same on every server. Without it a value that does not fit is cut.
_SQL_MODE = "TRADITIONAL,ONLY_FULL_GROUP_BY"


def checked(url: URL) -> URL:
    """The URL with the driver that is used; raises `ValueError` where it names no MySQL or MariaDB, or no database.

    What follows the question mark is handed to the driver: `ssl_ca`, `ssl_cert`, `ssl_key`, `ssl_check_hostname`.
    """
    if url.get_backend_name() not in ("mysql", "mariadb") or not url.host or not url.database:
        raise ValueError("The database has to be sqlite:///path/to/unite.db or mysql://user:password@host/database")
    return url.set(drivername="mysql+pymysql").update_query_dict({"charset": "utf8mb4"})


def options(timeout: float, *, patient: bool) -> dict[str, Any]:
    """What the engine is made with, beside what holds for every database."""
    return {
        "connect_args": {
            "connect_timeout": CONNECT_TIMEOUT,
            "read_timeout": None if patient else READ_TIMEOUT,
            "write_timeout": None if patient else READ_TIMEOUT,
            # A migration waits for whoever else migrates as long as that takes.
            "init_command": (
                f"SET time_zone = '+00:00', sql_mode = '{_SQL_MODE}',"
                f" innodb_lock_wait_timeout = {max(1, round(timeout))}"
            ),
        },
        # Values in the order of columns, as a row of ours has them.
        "paramstyle": "format",
        # A server that was restarted, or that closed a quiet connection, is noticed before a unit of work begins.
        "pool_pre_ping": True,
        "pool_recycle": POOL_RECYCLE,
    }


def register_listeners(engine: Engine) -> None:
    """Begin each transaction as its unit of work needs it."""
    event.listen(engine, "begin", _begin)


def _begin(connection: Connection) -> None:
    """Have a unit that only reads see one state throughout, and one that writes see what is committed.

    Whatever a writing unit's decision stands on, it locks (READ COMMITTED holds no gaps, so that units which add
    different leads do not wait for each other). The driver begins a transaction with the first statement.
    """
    reading = bool(connection.get_execution_options().get(READ_ONLY))
    if connection.info.get(READ_ONLY) is not reading:
        isolation, access = ("REPEATABLE READ", "READ ONLY") if reading else ("READ COMMITTED", "READ WRITE")
        connection.exec_driver_sql(f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}, {access}")
        connection.info[READ_ONLY] = reading
