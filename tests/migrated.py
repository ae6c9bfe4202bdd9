"""The content of a SQLite database that was migrated once."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.sql.engine import create_engine_for
from adapters.sql.migrate import upgrade


@cache
def migrated() -> bytes:
    """Return the content of an empty SQLite database with the newest schema."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "unite.db")
        engine = create_engine_for(f"sqlite:///{path}")
        upgrade(engine)
        engine.dispose()
        return path.read_bytes()
