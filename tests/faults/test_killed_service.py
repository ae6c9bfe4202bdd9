"""The service is killed in the middle of an import, with all its processes, and started again."""

import csv
import io
import sqlite3
from collections import Counter
from pathlib import Path

from tests.service_process import eventually, service

ROWS = 20_000
WRONG_EVERY = 20
"""Every twentieth row has no name; every twentieth after those repeats the row before."""


def generated() -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["Name", "Email", "Phone"])
    for number in range(ROWS):
        kind = number % WRONG_EVERY
        who = number - 1 if kind == 2 else number
        writer.writerow(["" if kind == 0 else f"Lead {number}", f"lead{who}@example.com", ""])
    return buffer.getvalue().encode()


def test_an_import_goes_on_after_a_kill_with_no_row_twice_and_none_lost(tmp_path: Path) -> None:
    with service(tmp_path) as one:
        one.start()
        client = one.client()
        import_id = client.import_leads(generated())

        def begun() -> int:
            rows: int = client.lead_import(import_id)["counts"]["rows"]
            return rows

        seen = eventually(begun, "the import has begun")
        one.kill_all()
        eventually(lambda: not one.processes(), "none of its processes is left")
        left = counted(tmp_path)
        assert left["created"] >= 1
        assert left["created"] < ROWS - 2 * ROWS // WRONG_EVERY, "it was killed too late"

        one.start()
        client = one.client()
        eventually(lambda: client.lead_import(import_id)["status"] == "completed", "the same import completes")

        counts = client.lead_import(import_id)["counts"]
        repeated = wrong = ROWS // WRONG_EVERY
        assert counts == {
            "rows": ROWS,
            "created": ROWS - wrong - repeated,
            "updated": 0,
            "duplicate": repeated,
            "rejected": wrong,
        }
        assert seen <= ROWS
        assert counted(tmp_path) == {"created": ROWS - wrong - repeated, "duplicate": repeated, "rejected": wrong}
        names = leads(tmp_path)
        assert set(names) == {f"Lead {number}" for number in range(ROWS) if number % WRONG_EVERY not in (0, 2)}
        assert set(names.values()) == {1}


def leads(folder: Path) -> Counter[str]:
    """How often each lead is there, asked of the database itself."""
    return Counter(str(name) for (name,) in asked(folder, "SELECT name FROM leads WHERE deleted_at IS NULL"))


def counted(folder: Path) -> Counter[str]:
    """How many rows have left what behind."""
    kinds = Counter(str(kind) for (kind,) in asked(folder, "SELECT kind FROM import_rejections"))
    kinds["created"] = sum(leads(folder).values())
    return kinds


def asked(folder: Path, question: str) -> list[tuple[object, ...]]:
    database = sqlite3.connect(folder / "var" / "unite.sqlite3")
    try:
        return database.execute(question).fetchall()
    finally:
        database.close()
