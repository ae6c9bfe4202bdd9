"""Insert the leads of one database into a new one with sqlite3's executemany; print rows and seconds as JSON.

Usage: python -m perf.plain_insert FROM_FOLDER TO_FOLDER [--without-words]

With `--without-words` the table's triggers, which update the search index, are dropped first.
"""

import json
import sqlite3
import sys
import time
from pathlib import Path

from adapters.sql.engine import create_engine_for
from adapters.sql.migrate import upgrade

BATCH = 2000
PRAGMAS = ("journal_mode", "synchronous", "cache_size", "temp_store", "foreign_keys")


def main() -> None:
    """Copy the rows in the order of their insertion; only the inserts are timed."""
    source = sqlite3.connect(next(Path(sys.argv[1]).glob("*.sqlite3")))
    folder = Path(sys.argv[2])
    folder.mkdir()
    path = folder / "plain.db"
    engine = create_engine_for(f"sqlite:///{path}")
    upgrade(engine)
    with engine.connect() as connection:
        # The settings of the service, read from a connection of its engine.
        settings = [(name, connection.exec_driver_sql(f"PRAGMA {name}").scalar()) for name in PRAGMAS]
    engine.dispose()
    target = sqlite3.connect(path, isolation_level=None)
    for name, value in settings:
        target.execute(f"PRAGMA {name} = {value}")
    users = source.execute("SELECT * FROM users").fetchall()
    target.execute("PRAGMA foreign_keys = OFF")
    target.executemany(f"INSERT INTO users VALUES ({', '.join('?' * len(users[0]))})", users)
    for name, value in settings:
        target.execute(f"PRAGMA {name} = {value}")
    if "--without-words" in sys.argv:
        triggers = target.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'leads'")
        for (name,) in triggers.fetchall():
            target.execute(f"DROP TRIGGER {name}")
    leads = source.execute("SELECT * FROM leads ORDER BY rowid")
    statement = f"INSERT INTO leads VALUES ({', '.join('?' * len(leads.description))})"
    rows, seconds = 0, 0.0
    while batch := leads.fetchmany(BATCH):
        since = time.perf_counter()
        target.execute("BEGIN IMMEDIATE")
        target.executemany(statement, batch)
        target.execute("COMMIT")
        seconds += time.perf_counter() - since
        rows += len(batch)
    print(json.dumps({"rows": rows, "seconds": seconds}))


if __name__ == "__main__":
    main()
