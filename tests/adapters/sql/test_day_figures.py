"""The figures of a day as the stand-in counts them, on SQLite and on MySQL or MariaDB."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from adapters.sql.day_figures import SqlDayFigures
from adapters.sql.unit_of_work import SqlWork
from tests.databases import a_database
from unite_core.calls.ledger import EntryKind, LedgerEntry
from unite_core.calls.model import Outcome
from unite_core.summaries.model import DayFigure
from unite_core.testing.builders import a_lead, a_task, a_user, an_entry
from unite_core.testing.contracts.database import put

MONDAY = date(2026, 3, 2)
NOTHING = DayFigure(total_calls=0, completed=0, missed=0, contacts=0, conversions=0)


@pytest.fixture(params=["sqlite", "mysql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    engine: Engine = a_database(tmp_path) if request.param == "sqlite" else request.getfixturevalue("mysql_engine")
    yield engine
    engine.dispose()


class Ledger:
    """Chains of entries in a database, each of a task of its own."""

    def __init__(self, engine: Engine) -> None:
        self.work = SqlWork(engine)
        self.manager, self.lead = a_user(), a_lead()
        put(self.work, self.manager, self.lead)

    def write(self, at: str, *entries: dict[str, Any]) -> None:
        """A chain whose first entry is of that moment; the others are of a day later."""
        task = a_task(self.lead, self.manager)
        chain: list[LedgerEntry] = []
        for number, entry in enumerate(entries or ({},)):
            moment = datetime.fromisoformat(at).replace(day=datetime.fromisoformat(at).day + bool(number))
            chain.append(an_entry(task, chain, at=moment, **entry))
        put(self.work, task, *chain)


def no_call(kind: EntryKind) -> dict[str, Any]:
    return {"kind": kind, "outcome": None, "duration_seconds": None}


def test_a_day_without_entries_has_no_calls(engine: Engine) -> None:
    assert SqlDayFigures(engine)(MONDAY, "UTC") == NOTHING


def test_calls_are_counted_by_what_became_of_them(engine: Engine) -> None:
    ledger = Ledger(engine)
    for outcome in Outcome:
        ledger.write("2026-03-02T12:00Z", {"outcome": outcome})
    ledger.write("2026-03-02T12:00Z", {"outcome": Outcome.CONVERTED})
    ledger.write("2026-03-02T12:00Z", no_call(EntryKind.MISSED))
    ledger.write("2026-03-02T12:00Z", no_call(EntryKind.CANCELLED))

    assert SqlDayFigures(engine)(MONDAY, "UTC") == DayFigure(
        total_calls=10, completed=9, missed=1, contacts=5, conversions=2
    )


def test_the_last_entry_of_a_call_counts_on_the_day_of_the_first(engine: Engine) -> None:
    ledger = Ledger(engine)
    ledger.write("2026-03-02T12:00Z", {"outcome": Outcome.CONVERTED}, {"outcome": Outcome.BUSY})
    ledger.write("2026-03-02T12:00Z", no_call(EntryKind.MISSED), {"outcome": Outcome.CONNECTED})

    figures = SqlDayFigures(engine)

    assert figures(MONDAY, "UTC") == DayFigure(total_calls=2, completed=2, missed=0, contacts=1, conversions=0)
    assert figures(date(2026, 3, 3), "UTC") == NOTHING


def test_a_day_is_that_of_the_zone(engine: Engine) -> None:
    ledger = Ledger(engine)
    for at in ("2026-03-28T22:59:59Z", "2026-03-28T23:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00Z"):
        ledger.write(at)

    figures = SqlDayFigures(engine)

    assert [figures(date(2026, 3, day), "Europe/Berlin").total_calls for day in (28, 29, 30)] == [1, 2, 1]


def test_a_day_before_one_that_a_zone_leaves_out_ends_where_the_next_one_begins(engine: Engine) -> None:
    ledger = Ledger(engine)
    for at in ("2011-12-30T09:59:59Z", "2011-12-30T10:00Z"):
        ledger.write(at)

    figures = SqlDayFigures(engine)

    assert [figures(date(2011, 12, day), "Pacific/Apia").total_calls for day in (29, 31)] == [1, 1]
