"""Connection settings and transaction modes for MySQL and MariaDB."""

from typing import Any

from sqlalchemy import URL, Connection, Engine, event

from adapters.sql.execution_options import READ_ONLY

PING_SQL = "SELECT 1"
"""A statement that checks whether the server answers."""

CONNECT_TIMEOUT = 5
"""Timeout in seconds for opening a connection."""

READ_TIMEOUT = 60
"""Timeout in seconds for a statement; longer than the wait for a lock, and than a chunk of an import."""

POOL_RECYCLE = 1800
"""Lifetime of a connection in seconds. Firewalls drop idle ones, and only new ones follow a failover."""

# Set, so that statements mean the same on every server. Without it a value that is too long is cut off.
_SQL_MODE = "TRADITIONAL,ONLY_FULL_GROUP_BY"


def checked(url: URL) -> URL:
    """Return the URL with our driver; raise `ValueError` if it is not for MySQL or MariaDB, or names no database.

    The query is passed on to the driver: `ssl_ca`, `ssl_cert`, `ssl_key`, `ssl_check_hostname`.
    """
    if url.get_backend_name() not in ("mysql", "mariadb") or not url.host or not url.database:
        raise ValueError("The database has to be sqlite:///path/to/unite.db or mysql://user:password@host/database")
    return url.set(drivername="mysql+pymysql").update_query_dict({"charset": "utf8mb4"})


def options(timeout: float, *, without_timeouts: bool) -> dict[str, Any]:
    """Return the arguments of `create_engine` that are only for MySQL and MariaDB."""
    return {
        "connect_args": {
            "connect_timeout": CONNECT_TIMEOUT,
            "read_timeout": None if without_timeouts else READ_TIMEOUT,
            "write_timeout": None if without_timeouts else READ_TIMEOUT,
            # No timeouts, because a migration waits for another one however long that takes.
            "init_command": (
                f"SET time_zone = '+00:00', sql_mode = '{_SQL_MODE}',"
                f" innodb_lock_wait_timeout = {max(1, round(timeout))}"
            ),
        },
        # Positional parameters, because rows are passed as tuples in the order of the columns.
        "paramstyle": "format",
        # Detects, before a unit of work begins, that the server restarted or closed an idle connection.
        "pool_pre_ping": True,
        "pool_recycle": POOL_RECYCLE,
    }


def register_listeners(engine: Engine) -> None:
    """Register the listener that sets the mode of each transaction."""
    event.listen(engine, "begin", _begin)


def _begin(connection: Connection) -> None:
    """Set REPEATABLE READ for a unit of work that only reads, and READ COMMITTED for one that writes.

    So a reading unit sees one snapshot. A writing unit locks the rows on which its decisions depend; READ COMMITTED has
    no gap locks, so that units which add different leads do not wait for each other. The driver begins the transaction
    with the first statement.
    """
    reading = bool(connection.get_execution_options().get(READ_ONLY))
    if connection.info.get(READ_ONLY) is not reading:
        isolation, access = ("REPEATABLE READ", "READ ONLY") if reading else ("READ COMMITTED", "READ WRITE")
        connection.exec_driver_sql(f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}, {access}")
        connection.info[READ_ONLY] = reading
