"""Generate a realistic call ledger of 400 days and 200 agents, and load it into MySQL by LOAD DATA.

Calls are made from Monday to Friday, and a few on Saturdays, mostly in the late morning and the afternoon. A lead is
called one to nine times over some weeks, mostly by the same agent. 4 % of the entries are corrections of earlier ones.
There are no call tasks, because no report of calls reads them. Hashes are not valid.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from adapters.sql.calls.tables import call_ledger
from adapters.sql.migrate import upgrade
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from unite_core.calls.model import CallOutcome
from unite_core.testing.builders import a_user

DAYS = 400
AGENTS = 200
CALLS_PER_LEAD = 2.94
"""Average number of entries per lead, to get about the requested number of entries."""
BEFORE_ROLLUPS = "0005"
FULL_TEXT_INDEX = "ft_leads_search_text"
"""The full-text index that `leads` has at that revision. Loading is slow with it, and a later migration drops it."""

DAYS_PER_FILE = 20

SOURCES = ("website", "referral", "fair", "partner", "import", "cold list", "newsletter", "search", "social", "api")
SOURCE_WEIGHTS = (22, 9, 4, 8, 25, 12, 5, 7, 5, 3)
HOUR_WEIGHTS = {8: 4, 9: 9, 10: 13, 11: 13, 12: 6, 13: 8, 14: 12, 15: 12, 16: 11, 17: 7, 18: 4, 19: 1}
RESULTS = (*(outcome.value for outcome in CallOutcome), "missed", "cancelled")
RESULT_WEIGHTS = {
    "connected": 17,
    "voicemail": 21,
    "no_answer": 29,
    "busy": 5,
    "wrong_number": 4,
    "callback_requested": 6,
    "not_interested": 8,
    "converted": 3,
    "missed": 5,
    "cancelled": 2,
}
TALKS = frozenset({"connected", "callback_requested", "not_interested", "converted"})
ENDS = frozenset({"converted", "not_interested", "wrong_number"})
ATTEMPTS = (1, 2, 3, 4, 5, 6, 7, 8, 9)
ATTEMPT_WEIGHTS = (18, 17, 15, 13, 11, 9, 7, 5, 5)
CORRECTED = 0.042

LEDGER_COLUMNS = (
    "@id, @task_id, number, kind, @lead_id, @agent_id, @actor_id, at, outcome, duration_seconds, started_at, @corrects,"
    " called_at, source, attempt"
)
LEDGER_SET = ", ".join(
    [
        *(f"{name} = UNHEX(@{name})" for name in ("id", "task_id", "lead_id", "agent_id", "actor_id", "corrects")),
        "format = 2, previous_hash = IF(number = 1, REPEAT('0', 64), SHA2(@corrects, 256)), hash = SHA2(@id, 256)",
    ]
)
LEAD_COLUMNS = "@id, name, email, status, source, @assigned_to, created_at, updated_at, listed_at"
LEAD_SET = "id = UNHEX(@id), assigned_to = UNHEX(@assigned_to), version = 1, search_text = ''"
COUNT_COLUMNS = f"@lead_id, first_called_at, {', '.join(outcome.value for outcome in CallOutcome)}"
COUNT_SET = "lead_id = UNHEX(@lead_id)"

LOADS = {
    "leads": (LEAD_COLUMNS, LEAD_SET),
    "lead_calls": (COUNT_COLUMNS, COUNT_SET),
    "call_ledger": (LEDGER_COLUMNS, LEDGER_SET),
}

_CLOCK = [f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}" for second in range(24 * 3600)]
_LAST_SECOND = 24 * 3600 - 1
_NULL = "\\N"


def agent_ids() -> list[UUID]:
    """Return the ids of the agents, the same each time."""
    return [UUID(int=(0x0190 << 112) | (7 << 76) | (2 << 62) | number) for number in range(1, AGENTS + 1)]


def last_day() -> date:
    """Return the last day of the history: yesterday."""
    return datetime.now(UTC).date() - timedelta(days=1)


@dataclass
class _Writer:
    """Generates lines for the three tables, day by day. Calls are generated with their lead and wait for their day."""

    entries: int
    random: Random
    agents: list[str] = field(default_factory=lambda: [each.hex for each in agent_ids()])
    number: int = 0
    waiting: dict[int, list[str]] = field(default_factory=dict)
    leads: list[str] = field(default_factory=list)
    counts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        first = last_day() - timedelta(days=DAYS - 1)
        self.dates = [first + timedelta(days=day) for day in range(DAYS)]
        self.work = [(1.0, 1.0, 1.0, 1.0, 1.0, 0.12, 0.0)[date.weekday()] for date in self.dates]
        self.hours = [hour for hour, weight in HOUR_WEIGHTS.items() for _ in range(weight)]
        self.results = [result for result, weight in RESULT_WEIGHTS.items() for _ in range(weight)]
        self.sources = [it for it, weight in zip(SOURCES, SOURCE_WEIGHTS, strict=True) for _ in range(weight)]
        self.attempts = [it for it, weight in zip(ATTEMPTS, ATTEMPT_WEIGHTS, strict=True) for _ in range(weight)]
        self.leads_per_day = self.entries / CALLS_PER_LEAD / sum(self.work)

    def day(self, day: int) -> list[str]:
        """Generate the leads of a day; return the lines of the ledger for that day."""
        for _ in range(int(self.leads_per_day * self.work[day] * self.random.uniform(0.9, 1.1))):
            self._lead(day)
        return sorted(self.waiting.pop(day, []))

    def _lead(self, day: int) -> None:
        random, second = self.random, self._second()
        lead, agent = self._id(day, second), random.choice(self.agents)
        source = random.choice(self.sources)
        created_at = self._at(day, second)
        self.leads.append(
            f"{lead}\tLead {self.number}\tlead{self.number}@example.com\tnew\t{source}\t{agent}\t{created_at}"
            f"\t{created_at}\t{created_at}\n"
        )
        counted: dict[str, int] = {}
        first, attempt = "", 0
        second = min(_LAST_SECOND, second + int(random.expovariate(1 / 1500)))
        for _ in range(random.choice(self.attempts)):
            caller = agent if random.random() < 0.85 else random.choice(self.agents)
            result = random.choice(self.results)
            made = result in RESULT_WEIGHTS and result not in ("missed", "cancelled")
            attempt += made
            result = self._call(day, second, lead, caller, source, result, attempt)
            if made:
                first = first or self._at(day, second)
                counted[result] = counted.get(result, 0) + 1
                if result in ENDS:
                    break
            day, second = self._later(day), self._second()
            if day >= DAYS:
                break
        if first:
            numbers = "\t".join(str(counted.get(outcome.value, 0)) for outcome in CallOutcome)
            self.counts.append(f"{lead}\t{first}\t{numbers}\n")

    def _call(self, day: int, second: int, lead: str, agent: str, source: str, result: str, attempt: int) -> str:
        """Add a call, and sometimes a correction of it; return the final result."""
        random = self.random
        made = result not in ("missed", "cancelled")
        duration = int(random.expovariate(1 / 240)) if result in TALKS else int(random.expovariate(1 / 25))
        called_at, written = self._at(day, second), min(_LAST_SECOND, second + duration)
        task, entry = self._id(day, second), self._id(day, written)
        actor = agent if made or result == "cancelled" else _NULL

        def line(entry: str, number: int, kind: str, at: str, result: str, corrects: str) -> str:
            call = f"{result}\t{duration}\t{called_at}" if made else f"{_NULL}\t{_NULL}\t{_NULL}"
            return (
                f"{entry}\t{task}\t{number}\t{kind}\t{lead}\t{agent}\t{actor}\t{at}\t{call}\t{corrects}"
                f"\t{called_at}\t{source}\t{attempt if made else _NULL}\n"
            )

        kind = "completed" if made else result
        self._write(day, line(entry, 1, kind, self._at(day, written), result, _NULL))
        corrected_on = self._later(day, 2)
        if made and corrected_on < DAYS and random.random() < CORRECTED:
            result = random.choice(self.results[: -RESULT_WEIGHTS["missed"] - RESULT_WEIGHTS["cancelled"]])
            second = self._second()
            correction = self._id(corrected_on, second)
            at = self._at(corrected_on, second)
            self._write(corrected_on, line(correction, 2, "correction", at, result, entry))
        return result

    def _write(self, day: int, line: str) -> None:
        self.waiting.setdefault(day, []).append(line)

    def _later(self, day: int, max_days: int = 9) -> int:
        """Return a later working day, up to `max_days` later or a little more."""
        day += self.random.randint(1, max_days)
        while day < DAYS and self.random.random() >= self.work[day]:
            day += 1
        return day

    def _second(self) -> int:
        return self.random.choice(self.hours) * 3600 + self.random.randrange(3600)

    def _at(self, day: int, second: int) -> str:
        return f"{self.dates[day]} {_CLOCK[second]}"

    def _id(self, day: int, second: int) -> str:
        """Return an id that sorts by its moment, like the ids of Unite."""
        self.number += 1
        return f"{(self.dates[day].toordinal() * 86_400 + second):012x}{self.number:020x}"


def _write_files(entries: int, folder: Path, files: "multiprocessing.Queue[dict[str, Path] | None]") -> None:
    os.nice(10)
    writer = _Writer(entries, Random(20260101))
    for begin in range(0, DAYS, DAYS_PER_FILE):
        lines: list[str] = []
        for day in range(begin, begin + DAYS_PER_FILE):
            lines += writer.day(day)
        written = {}
        for table, content in (("leads", writer.leads), ("lead_calls", writer.counts), ("call_ledger", lines)):
            written[table] = folder / f"{table}.{begin}.tsv"
            written[table].write_text("".join(content))
            content.clear()
        files.put(written)
    files.put(None)


def _files(entries: int, folder: Path) -> Iterator[dict[str, Path]]:
    """Yield the files to load; another process writes them, up to two ahead."""
    files: multiprocessing.Queue[dict[str, Path] | None] = multiprocessing.Queue(2)
    process = multiprocessing.Process(target=partial(_write_files, entries, folder, files))
    process.start()
    try:
        while written := files.get():
            yield written
    finally:
        process.terminate()
        process.join()


def load(engine: Engine, entries: int, folder: Path, progress: Callable[[str], None]) -> dict[str, Any]:
    """Fill an empty database with about that many entries, and migrate it; return how long each part took.

    The migration that adds the rollups counts them. The server has to allow `local_infile`.
    """
    upgrade(engine, BEFORE_ROLLUPS)
    took = {}
    with engine.connect() as connection:
        for setting in ("sql_log_bin = 0", "foreign_key_checks = 0", "unique_checks = 0"):
            connection.exec_driver_sql(f"SET SESSION {setting}")
        connection.exec_driver_sql(f"ALTER TABLE leads DROP INDEX {FULL_TEXT_INDEX}")
        dropped = [index for index in call_ledger.indexes if index.name]
        connection.exec_driver_sql(
            f"ALTER TABLE call_ledger {', '.join(f'DROP INDEX {index.name}' for index in dropped)}"
        )
        since = time.perf_counter()
        for number, files in enumerate(_files(entries, folder), start=1):
            for table, file in files.items():
                _load(connection, table, file)
                file.unlink()
            progress(f"loaded {number * DAYS_PER_FILE} of {DAYS} days")
        added = [f"ADD INDEX {each.name} ({', '.join(column.name for column in each.columns)})" for each in dropped]
        for clause in added:
            connection.exec_driver_sql(f"ALTER TABLE call_ledger {clause}")
            progress(clause)
        connection.exec_driver_sql("ANALYZE TABLE call_ledger, leads, lead_calls").all()
        took["loading, s"] = round(time.perf_counter() - since)
    since = time.perf_counter()
    upgrade(engine)
    took["counting the ledger into rollups by the migration, s"] = round(time.perf_counter() - since)
    progress("migrated")
    with SqlUnitOfWorkFactory(engine)() as work:
        for number, agent_id in enumerate(agent_ids(), start=1):
            work.users.add(a_user(id=agent_id, name=f"Agent {number}"))
        work.commit()
    with engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE TABLE call_rollups, agent_rollups, weekly_rollups, users").all()
    return took


def _load(connection: Connection, table: str, file: Path) -> None:
    columns, values = LOADS[table]
    connection.exec_driver_sql(f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {table} ({columns}) SET {values}")
    connection.commit()
