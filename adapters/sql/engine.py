"""Creation of the SQLAlchemy engine, with the settings that SQLite and MySQL share."""

from typing import Any

import orjson
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from adapters.sql.errors import raise_unavailable
from adapters.sql.execution_options import READ_ONLY
from adapters.sql.mysql import connection as mysql
from adapters.sql.sqlite import connection as sqlite
from unite_core.errors import Unavailable

BUSY_TIMEOUT = 30.0
"""Seconds for which a unit of work waits for a lock."""

POOL_SIZE = 10
MAX_CONNECTIONS = 50
"""Limit of units of work at the same time. Connections beyond `POOL_SIZE` are closed after use."""


def create_engine_for(url: str | URL, *, timeout: float = BUSY_TIMEOUT, without_timeouts: bool = False) -> Engine:
    """Create an engine for a URL such as `sqlite:////var/lib/unite/unite.db` or `mysql://user:password@host/unite`.

    Nothing is opened yet. `timeout` is how many seconds to wait for a lock or a connection. With `without_timeouts` no
    statement has a timeout, as the migration of a large table needs. Raises `ValueError` for any other database.
    """
    parsed = make_url(url)
    module = sqlite if parsed.get_backend_name() == "sqlite" else mysql
    checked = module.checked(parsed)
    engine = create_engine(
        checked,
        poolclass=QueuePool,
        pool_size=POOL_SIZE,
        max_overflow=MAX_CONNECTIONS - POOL_SIZE,
        pool_timeout=timeout,
        pool_use_lifo=True,
        # Errors are logged, and the parameters of a statement may be names, phone numbers and password hashes.
        hide_parameters=True,
        json_serializer=dump_json,
        json_deserializer=orjson.loads,
        **module.options(timeout, without_timeouts=without_timeouts),
    )
    module.register_listeners(engine)
    event.listen(engine, "handle_error", raise_unavailable)
    return engine


def ping(engine: Engine) -> None:
    """Check that the database answers; raise `Unavailable`."""
    try:
        with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
            connection.exec_driver_sql(
                sqlite.PING_SQL if engine.dialect.name == "sqlite" else mysql.PING_SQL
            ).scalar_one()
    except DBAPIError as error:
        raise Unavailable("The database does not answer as one; see that it is what it should be.") from error


def dump_json(value: Any) -> str:
    """Return plain values as JSON text."""
    return orjson.dumps(value).decode()
