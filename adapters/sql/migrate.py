"""Schema migrations by Alembic: upgrade, downgrade, and checks of the current revision.

Alembic is configured here, without an ini file.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect

from adapters.sql.execution_options import READ_ONLY
from adapters.sql.mysql import grants
from adapters.sql.mysql.grants import DatabaseAccount, ExcessPrivileges

# Alembic is imported where a migration runs. It takes longer to load than everything else that a start does with a
# database which is up to date already.
if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["current", "downgrade", "grant", "head", "is_current", "is_later", "is_usable", "revisions", "upgrade"]

MIGRATIONS = Path(__file__).with_name("migrations")

VERSION_TABLE = "alembic_version"
"""The table in which Alembic stores the revision of a database."""

_REVISION = re.compile(r'^revision = "([^"]+)"$', re.MULTILINE)

# A named lock is valid for the whole server, and its name has at most 64 characters.
_LOCK = "CONCAT('unite ', SHA2(DATABASE(), 224))"
_LOCK_TIMEOUT_SECONDS = 24 * 3600

_RUNS_FROM = "~"
"""Separator in a revision such as `0012~0010`: versions of Unite that know 0010 can work with schema 0012."""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Apply all missing migrations up to `revision`.

    Safe to run at every start and in several processes at once: the others wait, and then have nothing to do. On SQLite
    all migrations are one transaction. MySQL commits each statement that changes a table, so that the statements before
    a failure stay.
    """
    from alembic import command  # noqa: PLC0415 - as said above

    with _exclusively(engine) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Revert all migrations after `revision` (`base`: all of them), and delete the data that they added."""
    from alembic import command  # noqa: PLC0415 - as said above

    with _exclusively(engine) as connection:
        command.downgrade(_config(connection), revision)


def grant(engine: Engine, account: DatabaseAccount) -> ExcessPrivileges:
    """Grant the service's account its privileges on every table, and revoke all others.

    Returns the privileges that it has beyond these and that could not be revoked.

    To be called after every upgrade, because a new table has no grants. Not for SQLite, which has no accounts. On MySQL
    and MariaDB the account of the engine needs the GRANT OPTION.
    """
    with _exclusively(engine) as connection:
        return grants.grant_privileges(connection, account)


def current(engine: Engine) -> str | None:
    """Return the current revision of the database; None if it was never migrated."""
    with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
        return revision_of(connection)


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the connected database; None if it has none, or several."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    statement = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608 - our own constant
    stored = connection.exec_driver_sql(statement).scalars().all()
    return stored[0] if len(stored) == 1 else None


def head() -> str:
    """Return the revision that this version of Unite needs."""
    return revisions()[-1]


def revisions() -> list[str]:
    """Return all revisions that this version of Unite knows, the oldest first.

    They are read from the files, whose names begin with the revision's number; a test compares them with Alembic's.
    """
    texts = [path.read_text("utf-8") for path in sorted((MIGRATIONS / "versions").glob("*.py"))]
    revisions = [revision for text in texts for revision in _REVISION.findall(text)]
    if not revisions:
        raise RuntimeError("There are no migrations; the installation is incomplete.")
    return revisions


def is_current(engine: Engine) -> bool:
    """Return whether the database has the schema that this version of Unite needs."""
    return current(engine) == head()


def is_usable(engine: Engine) -> bool:
    """Return whether this version of Unite can work with the database: with its own schema, or a compatible later one.

    The revision of a later schema contains which versions can work with it.
    """
    revision = current(engine)
    return revision == head() or (revision is not None and _is_later_and_usable(revision))


def is_later(engine: Engine) -> bool:
    """Return whether the database has a later schema with which this version of Unite can work."""
    revision = current(engine)
    return revision is not None and _is_later_and_usable(revision)


def _is_later_and_usable(revision: str) -> bool:
    known = revisions()
    _, _, runs_from = revision.partition(_RUNS_FROM)
    return revision not in known and runs_from in {each.partition(_RUNS_FROM)[0] for each in known}


def is_compared(name: str | None, kind: str, _parents: object) -> bool:
    """Return whether Alembic compares this object with `schema`; the index of words is only in migrations."""
    if name is None:
        return True
    return not (kind == "table" and name.startswith("lead_words"))


@contextmanager
def _exclusively(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction during which no other process migrates the same database.

    On SQLite the lock of the transaction is enough. MySQL has none that covers several statements which change tables,
    so that a named lock is used. It is released after the commit, because the next process reads the revision then, or
    with the connection, however that ends.
    """
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SELECT GET_LOCK({_LOCK}, {_LOCK_TIMEOUT_SECONDS})").scalar_one()
        connection.commit()
        try:
            with connection.begin():
                yield connection
        finally:
            connection.exec_driver_sql(f"SELECT RELEASE_LOCK({_LOCK})")


def _config(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - as said above

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
