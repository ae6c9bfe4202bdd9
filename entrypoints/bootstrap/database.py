"""Open the configured database, and migrate or check its schema."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import DatabaseError

from adapters.sql import migrate
from adapters.sql.engine import create_engine_for
from adapters.sql.mysql.grants import DatabaseAccount, ExcessPrivileges
from entrypoints.bootstrap.data_folder import make_database_private
from entrypoints.bootstrap.refusal import StartRefused
from entrypoints.bootstrap.waiting import warn_if_slow
from entrypoints.settings import Settings
from entrypoints.settings.variables import DATABASE_SERVICE_ACCOUNT, DATABASE_URL
from unite_core.errors import Unavailable

log = logging.getLogger(__name__)

FILE = "unite.sqlite3"


def database_url(settings: Settings) -> URL:
    """Return the URL of the database: the configured one, or a file in the data folder."""
    if settings.database_url is not None:
        return make_url(settings.database_url)
    # Built from its parts: the path may contain characters with a meaning in URLs.
    return URL.create("sqlite", database=str(settings.data_dir.absolute() / FILE))


def database_is_current(settings: Settings) -> bool:
    """Return whether this version of Unite can work with the schema, which may be a later one. Changes nothing.

    Raises `StartRefused` if that cannot be found out.
    """
    return _asked(settings, migrate.is_usable)


def database_is_later(settings: Settings) -> bool:
    """Return whether the database has a later schema with which this version of Unite can work. Changes nothing.

    Raises `StartRefused` if that cannot be found out.
    """
    return _asked(settings, migrate.is_later)


def _asked(settings: Settings, question: Callable[[Engine], bool]) -> bool:
    engine = engine_of(database_url(settings))
    if is_file(engine.url) and not Path(engine.url.database or "").exists():  # asking would make the file
        return False
    try:
        with warn_if_slow(described(engine.url)):
            return question(engine)
    except (Unavailable, DatabaseError) as error:
        raise unusable(engine.url, error) from error
    finally:
        engine.dispose()


def open_migrated(url: URL) -> Engine:
    """Migrate the database if needed, and return an engine for it. Raises `StartRefused`."""
    engine = engine_of(url)
    try:
        if is_file(url):
            # Nobody else can read it: it holds password hashes.
            path = Path(url.database or "")
            path.touch(mode=0o600)
            make_database_private(path)
        with warn_if_slow(described(url)):
            usable = migrate.is_usable(engine)
        if not usable:
            _migrate(url)
        elif migrate.is_later(engine):
            log.info(
                "The database is at a later schema, %s, with which this version can work.", migrate.current(engine)
            )
    except StartRefused:
        engine.dispose()
        raise
    except (Unavailable, DatabaseError, OSError) as error:
        engine.dispose()
        raise unusable(url, error) from error
    return engine


def grant_rights(settings: Settings) -> ExcessPrivileges | None:
    """Grant the service's account its rights, and return its further rights; None if no account is configured.

    Raises `StartRefused`.
    """
    if settings.service_account is None:
        return None
    engine = create_engine_for(database_url(settings), without_timeouts=True)
    try:
        return migrate.grant(engine, DatabaseAccount.read(settings.service_account))
    except (Unavailable, DatabaseError, ValueError) as error:
        raise StartRefused(
            f"The account {settings.service_account} ({DATABASE_SERVICE_ACCOUNT.name}) cannot be given its rights: "
            f"{original_error(error)}. Create it first, and grant the one in {DATABASE_URL.name} its own rights "
            "WITH GRANT OPTION."
        ) from error
    finally:
        engine.dispose()


def engine_of(url: URL, *, without_timeouts: bool = False) -> Engine:
    """Return an engine for the URL; raise `StartRefused` if the driver refuses the value of a parameter."""
    try:
        return create_engine_for(url, without_timeouts=without_timeouts)
    except (TypeError, ValueError) as error:
        raise StartRefused(
            f"{described(url)} cannot be used: a parameter behind the question mark is wrong."
        ) from error


def _migrate(url: URL) -> None:
    """Apply the missing migrations, without a timeout for large tables; raise `StartRefused` for an unknown schema."""
    from alembic.util.exc import CommandError

    engine = create_engine_for(url, without_timeouts=True)
    try:
        migrate.upgrade(engine)
    except CommandError as error:
        raise StartRefused(
            f"The database is at a schema that this version of Unite cannot work with: {error}. "
            f"Start the later version that it was used with, or name another database in {DATABASE_URL.name}."
        ) from error
    finally:
        engine.dispose()


def is_file(url: URL) -> bool:
    """Return whether the database is an SQLite file."""
    return url.get_backend_name() == "sqlite"


@contextmanager
def errors_as_start_refused(url: URL) -> Iterator[None]:
    """Convert errors of the database and of other servers in the block to `StartRefused`."""
    try:
        yield
    except (DatabaseError, sqlite3.Error) as error:
        raise unusable(url, error) from error
    except Unavailable as error:
        raise StartRefused(error.detail) from error


def unusable(url: URL, error: Exception) -> StartRefused:
    """Return the error that says which database cannot be used, and why."""
    return StartRefused(f"{described(url)} cannot be used: {original_error(error)}")


def described(url: URL) -> str:
    """Return a name of the database with its path or URL, without secrets."""
    # The query is left out: one of its parameters is the password of a key.
    where = url.database if is_file(url) else url.set(query={}).render_as_string(hide_password=True)
    return f"The database {where}"


def original_error(error: Exception) -> object:
    """Return the original error of the database or the driver."""
    return error.orig if isinstance(error, DatabaseError) else error.__cause__ or error
