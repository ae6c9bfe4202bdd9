"""Measure SqlLeads.add_many, compared with sqlite3's executemany of the same rows, 2,000 per transaction.

python -m perf.sql_add_many [leads]
"""

import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.sql.engine import create_engine_for
from adapters.sql.migrate import upgrade
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from unite_core.leads.model import Lead
from unite_core.phone import Phone
from unite_core.testing.builders import a_lead, an_id

CHUNK = 2_000


def leads(first: int) -> list[Lead]:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=first)
    # The phone numbers are not sorted, as in a real file.
    numbers = [2_000_000_000 + number * 2_654_435_761 % 7_999_999_999 for number in range(first, first + CHUNK)]
    return [
        a_lead(
            name=f"Ada Lovelace {number % 977}",
            phone=Phone(f"+1{number}"),
            email=f"ada.{number}@example.org",
            created_at=now,
            updated_at=now,
            import_id=IMPORT,
            import_row=row,
        )
        for row, number in enumerate(numbers, first)
    ]


IMPORT = an_id()


def main() -> None:
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        unite, plain = Path(folder, "unite.db"), Path(folder, "plain.db")
        work = SqlUnitOfWorkFactory(create_engine_for(f"sqlite:///{unite}"))
        for path in (unite, plain):
            upgrade(create_engine_for(f"sqlite:///{path}"))
        driver = sqlite3.connect(plain, isolation_level=None)
        for pragma in ("synchronous = NORMAL", "foreign_keys = ON", "temp_store = MEMORY", "cache_size = -32768"):
            driver.execute(f"PRAGMA {pragma}")
        spent = {"add_many": 0.0, "executemany": 0.0}
        for first in range(0, total, CHUNK):
            new = leads(first)
            since = time.perf_counter()
            with work() as unit:
                unit.leads.add_many(new)
                unit.commit()
            spent["add_many"] += time.perf_counter() - since
            with closing(sqlite3.connect(unite)) as source:
                rows = source.execute("SELECT * FROM leads WHERE rowid > ? ORDER BY rowid", (first,)).fetchall()
            placeholders = ", ".join("?" * len(rows[0]))
            since = time.perf_counter()
            driver.execute("BEGIN IMMEDIATE")
            driver.executemany(f"INSERT INTO leads VALUES ({placeholders})", rows)
            driver.execute("COMMIT")
            spent["executemany"] += time.perf_counter() - since
        for method, seconds in spent.items():
            print(f"{method:12} {total / seconds:>8,.0f} leads/s")
        print(f"ratio        {spent['executemany'] / spent['add_many']:>8.2f}")


if __name__ == "__main__":
    main()
