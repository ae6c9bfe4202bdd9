"""Open the call ledger read-only, for verification."""

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
    """Yield the use case that verifies the ledger in the configured database, without creating or changing anything.

    Raises `StartRefused` if this version of Unite cannot work with the schema.
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
