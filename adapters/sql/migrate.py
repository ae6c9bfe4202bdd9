"""Bringing a database to the schema that this version of Unite needs. There is no ini file: Alembic is told here."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from adapters.sql.engine import READING

MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Apply every migration up to `revision` that is missing, all or none.

    Safe to run at every start and in several processes at once: the later ones wait and find nothing to do.
    """
    with engine.begin() as connection:
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take back every migration after `revision` (`base`: all of them) with what they hold."""
    with engine.begin() as connection:
        command.downgrade(_config(connection), revision)


def current(engine: Engine) -> str | None:
    """The revision that the database is at; None for one that was never migrated."""
    with engine.connect().execution_options(**{READING: True}) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The revision that this version of Unite needs."""
    revision = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    if revision is None:
        raise RuntimeError("There are no migrations; the installation is incomplete.")
    return revision


def is_current(engine: Engine) -> bool:
    """Whether the database is at the schema that this version of Unite needs."""
    return current(engine) == head()


def compared(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a thing in the database is described in `tables`: the index of words is made by migrations alone."""
    return not (kind == "table" and name is not None and name.startswith("lead_words"))


def _config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
