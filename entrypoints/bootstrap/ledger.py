"""The call ledger of an installation, to be looked at and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

from adapters.sql.engine import create_engine_for
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from entrypoints.bootstrap.database import database_is_current, database_url
from entrypoints.bootstrap.refusal import StartRefused
from entrypoints.settings import Settings
from unite_core.calls.use_cases.verification import VerifyLedger


@contextmanager
def open_ledger_read_only(settings: Settings) -> Iterator[VerifyLedger]:
    """What verifies the ledger in the database that the settings name, in which nothing is made, migrated or written.

    Raises `StartRefused` where it has not exactly the tables that this version of Unite works with.
    """
    if not database_is_current(settings):
        raise StartRefused(
            "The database is not there, or not of this version of Unite; `migrate` makes it, and brings it up to date."
        )
    engine = create_engine_for(database_url(settings))
    try:
        yield VerifyLedger(SqlUnitOfWorkFactory(engine, reading=True))
    finally:
        engine.dispose()
