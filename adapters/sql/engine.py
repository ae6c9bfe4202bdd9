"""The one engine of a process: which database it is for, and what all of them have in common."""

from typing import Any

import orjson
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from adapters.sql import mysql, sqlite
from adapters.sql.errors import raise_unavailable
from adapters.sql.execution_options import READ_ONLY
from unite_core.errors import Unavailable

BUSY_TIMEOUT = 30.0
"""How many seconds a unit of work waits for another one that writes."""

POOL_SIZE = 10
MAX_CONNECTIONS = 50
"""Threads that can be in a unit of work at once. Connections beyond the kept ones are closed when they come back."""


def create_engine_for(url: str | URL, *, timeout: float = BUSY_TIMEOUT, patient: bool = False) -> Engine:
    """An engine for a database such as `sqlite:////var/lib/unite/unite.db` or `mysql://user:password@host/unite`.

    Nothing is opened yet. `timeout` is in seconds. A `patient` engine waits for a statement as long as it takes, as a
    migration of a large table does. Raises `ValueError` for a database that Unite does not know.
    """
    parsed = make_url(url)
    database = sqlite if parsed.get_backend_name() == "sqlite" else mysql
    checked = database.checked(parsed)
    engine = create_engine(
        checked,
        poolclass=QueuePool,
        pool_size=POOL_SIZE,
        max_overflow=MAX_CONNECTIONS - POOL_SIZE,
        pool_timeout=timeout,
        pool_use_lifo=True,
        # An error is logged, and the values of a statement are people's names, numbers and password hashes.
        hide_parameters=True,
        json_serializer=dump_json,
        json_deserializer=orjson.loads,
        **database.options(timeout, patient=patient),
    )
    database.register_listeners(engine)
    event.listen(engine, "handle_error", raise_unavailable)
    return engine


def ping(engine: Engine) -> None:
    """Ask the database for a sign of life; raises `Unavailable` where none comes."""
    try:
        with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
            connection.exec_driver_sql(
                sqlite.PING_SQL if engine.dialect.name == "sqlite" else mysql.PING_SQL
            ).scalar_one()
    except DBAPIError as error:
        raise Unavailable("The database does not answer as one; see that it is what it should be.") from error


def dump_json(value: Any) -> str:
    """Plain values as JSON."""
    return orjson.dumps(value).decode()
