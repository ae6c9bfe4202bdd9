"""Bringing a database to the schema that this version of Unite needs. There is no ini file: Alembic is told here."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from adapters.sql import grants, mysql_words
from adapters.sql.execution_options import READ_ONLY
from adapters.sql.grants import DatabaseAccount, ExcessPrivileges

MIGRATIONS = Path(__file__).with_name("migrations")

# A named lock is of the whole server, and its name has 64 characters at the most.
_LOCK = "CONCAT('unite ', SHA2(DATABASE(), 224))"
_TIMEOUT = 24 * 3600

_RUNS_FROM = "~"
"""In a revision such as `0012~0010`: versions of Unite that know 0010 can work with the schema 0012."""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Apply every migration up to `revision` that is missing.

    Safe to run at every start and in several processes at once: the later ones wait and find nothing to do. On
    SQLite it is all or none; MySQL commits each statement that changes a table, so that those before a failure stay.
    """
    with _alone(engine) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take back every migration after `revision` (`base`: all of them) with what they hold."""
    with _alone(engine) as connection:
        command.downgrade(_config(connection), revision)


def grant(engine: Engine, account: DatabaseAccount) -> ExcessPrivileges:
    """Give the account that the service works with its rights on every table there is, and take all others away.

    What it has beyond them and could not be taken away is told.

    To be done after every upgrade: a new table has none. On SQLite there are no accounts; on MySQL and MariaDB it takes
    one that may give on what it has.
    """
    with _alone(engine) as connection:
        return grants.grant_privileges(connection, account)


def current(engine: Engine) -> str | None:
    """The revision that the database is at; None for one that was never migrated."""
    with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The revision that this version of Unite needs."""
    revision = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    if revision is None:
        raise RuntimeError("There are no migrations; the installation is incomplete.")
    return revision


def revisions() -> set[str]:
    """Every revision that this version of Unite knows."""
    return {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


def is_current(engine: Engine) -> bool:
    """Whether the database is at the schema that this version of Unite needs."""
    return current(engine) == head()


def is_usable(engine: Engine) -> bool:
    """Whether this version of Unite can work with the database as it is: at its own schema, or at a later one.

    The later schema says in its revision which versions can, so that one that is older than it need not know it.
    """
    revision = current(engine)
    return revision == head() or (revision is not None and _is_later_and_usable(revision))


def is_later(engine: Engine) -> bool:
    """Whether the database is at a later schema, with which this version of Unite can work."""
    revision = current(engine)
    return revision is not None and _is_later_and_usable(revision)


def _is_later_and_usable(revision: str) -> bool:
    known = revisions()
    _, _, runs_from = revision.partition(_RUNS_FROM)
    return revision not in known and runs_from in {each.partition(_RUNS_FROM)[0] for each in known}


def is_compared(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a thing in the database is described in `schema`: the index of words is made by migrations alone."""
    if name is None:
        return True
    return not (name.startswith("lead_words") if kind == "table" else name == mysql_words.INDEX)


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction in which nobody else migrates the same database.

    SQLite's own lock sees to that. MySQL has none for several statements that change tables, so that a named one is
    taken, which is gone with the connection, however that ends.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            yield connection
            return
        connection.exec_driver_sql(f"SELECT GET_LOCK({_LOCK}, {_TIMEOUT})").scalar_one()
        try:
            yield connection
        finally:
            connection.exec_driver_sql(f"SELECT RELEASE_LOCK({_LOCK})")


def _config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
