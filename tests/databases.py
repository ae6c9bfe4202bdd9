"""Databases to test with, migrated once and copied for each test."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from adapters.sql.engine import BUSY_TIMEOUT, create_engine_for
from adapters.sql.migrate import upgrade


def a_database(folder: Path, *, timeout: float = BUSY_TIMEOUT) -> Engine:
    """An engine over an empty SQLite database at the newest schema; whoever asks for it disposes of it."""
    path = folder / "unite.db"
    path.write_bytes(_migrated())
    return create_engine_for(f"sqlite:///{path}", timeout=timeout)


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, "unite.db")
        engine = create_engine_for(f"sqlite:///{path}")
        upgrade(engine)
        engine.dispose()
        return path.read_bytes()
