"""Tests of query plans on SQLite: every list uses a sorted index, without table scans and sorting."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from adapters.sql.engine import create_engine_for
from adapters.sql.events.activity import SqlActivityLog
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from tests.adapters.sql.questions import (
    ANN,
    BEN,
    COMING,
    LEAD,
    LEAD_LISTS,
    LEDGER_LISTS,
    NEXT,
    PAGE,
    QUESTIONS,
    TASK,
    TASK_LISTS,
    WHOLE_LISTS,
    Question,
    ask_log,
    work_off,
)
from tests.adapters.sql.statements import selects
from tests.databases import a_database
from unite_core.calls.model import TaskStatus
from unite_core.calls.ports import LedgerFilter, TaskFilter
from unite_core.errors import NotFound
from unite_core.imports.model import RowKind
from unite_core.leads.details import LeadStatus
from unite_core.leads.model import ImageStatus
from unite_core.leads.ports import LeadFilter
from unite_core.paging import PageRequest
from unite_core.testing.builders import a_lead, a_note, a_rejection, a_snapshot, a_task, an_entry, an_event, an_image
from unite_core.testing.contracts.database import add_all
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING as NOW

AUTOMATIC = {"uq_call_ledger_chain": "sqlite_autoindex_call_ledger_2"}
"""What SQLite calls the index of a constraint."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database with some of everything."""
    engine = a_database(tmp_path_factory.mktemp("plans"))
    _fill(engine, SqlUnitOfWorkFactory(engine))
    engine.dispose()
    return Path(engine.url.database or "").read_bytes()


@pytest.fixture
def full(filled: bytes, tmp_path: Path) -> Iterator[Engine]:
    """That database, for one test."""
    path = tmp_path / "full.db"
    path.write_bytes(filled)
    engine = create_engine_for(f"sqlite:///{path}")
    yield engine
    engine.dispose()


def _fill(engine: Engine, work: SqlUnitOfWorkFactory) -> None:
    add_all(work, ANN, BEN, COMING, LEAD, TASK)
    sources, statuses, people = ("fair", "import"), list(LeadStatus), (ANN.id, BEN.id, None)
    with work() as unit:
        unit.leads.add_many(
            [
                a_lead(
                    source=sources[number % 2],
                    status=statuses[number % 5],
                    assigned_to=people[number % 3],
                    created_at=NOW + timedelta(minutes=number),
                    import_id=COMING.id,
                    import_row=number,
                )
                for number in range(200)
            ]
        )
        for number in range(20):
            unit.images.add(an_image(LEAD, ANN, status=list(ImageStatus)[number % 2]))
        unit.rows.reject(COMING.id, [a_rejection(row, kind=list(RowKind)[row % 2]) for row in range(2, 100)])
        unit.rows.add_snapshots([a_snapshot(COMING, LEAD)])
        for number in range(200):
            status, at = list(TaskStatus)[number % 4], NOW + timedelta(minutes=number)
            task = a_task(LEAD, ANN, assigned_to=people[number % 3], status=status, due_at=at, notes=[a_note(ANN)])
            unit.tasks.add(task)
            unit.ledger.append(an_entry(task, at=at))
            unit.record(an_event(at=at))
        unit.commit()
    with engine.begin() as connection:
        for table in ("leads", "call_tasks", "call_ledger", "deliveries"):
            connection.exec_driver_sql(f"ANALYZE {table}")  # the others are too small to tell


def plan(engine: Engine, question: Question, *, analyzed: bool = True) -> list[str]:
    """What SQLite says it does for each SELECT of the question."""
    with selects(engine) as made, SqlUnitOfWorkFactory(engine, reading=True)() as unit, suppress(NotFound):
        question(unit)
    return explained(engine, made, analyzed=analyzed)


def explained(engine: Engine, made: list[tuple[str, Any]], *, analyzed: bool = True) -> list[str]:
    assert made
    with engine.begin() as connection:
        if not analyzed:
            connection.exec_driver_sql("DELETE FROM sqlite_stat1")
        return [
            row.detail
            for statement, parameters in made
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]


def walks_an_index(steps: list[str]) -> bool:
    """No table is read without an index, and nothing is put in order afterwards."""
    tables = [step for step in steps if step != "SCAN counted"]  # a handful of rows that an index gave already
    return not any("TEMP B-TREE" in step or (step.startswith("SCAN") and "INDEX" not in step) for step in tables)


def all_by(steps: list[str], table: str, index: str) -> bool:
    """Whether every list of the table walked that index; what was counted before to choose one is not a list."""
    lists = [
        step for step in steps if step.split()[:2] in (["SEARCH", table], ["SCAN", table]) and "COVERING" not in step
    ]
    return bool(lists) and all(f"USING INDEX {index} " in f"{step} " for step in lists)


@pytest.mark.parametrize("request_", [PAGE, NEXT], ids=["first", "next"])
@pytest.mark.parametrize(
    ("filters", "index"),
    [
        *LEAD_LISTS,
        pytest.param(
            LeadFilter(sources=frozenset({"fair"}), statuses=frozenset({LeadStatus.LOST})),
            "ix_leads_status_listed",
            id="source and rarer status",
        ),
    ],
)
@pytest.mark.parametrize("analyzed", [True, False])
def test_a_list_of_leads_uses_the_index_of_its_filter(
    full: Engine, filters: LeadFilter, index: str, request_: PageRequest, *, analyzed: bool
) -> None:
    steps = plan(full, lambda unit: unit.leads.page(filters, request_), analyzed=analyzed)

    assert walks_an_index(steps), steps
    assert all_by(steps, "leads", index), steps


@pytest.mark.parametrize("request_", [PAGE, NEXT], ids=["first", "next"])
@pytest.mark.parametrize(("filters", "index"), TASK_LISTS)
@pytest.mark.parametrize("analyzed", [True, False])
def test_a_list_of_call_tasks_uses_the_index_of_its_filter(
    full: Engine, filters: TaskFilter, index: str, request_: PageRequest, *, analyzed: bool
) -> None:
    steps = plan(full, lambda unit: unit.tasks.page(filters, request_), analyzed=analyzed)

    assert walks_an_index(steps), steps
    assert all_by(steps, "call_tasks", index), steps


@pytest.mark.parametrize("request_", [PAGE, NEXT], ids=["first", "next"])
@pytest.mark.parametrize(("filters", "index"), LEDGER_LISTS)
@pytest.mark.parametrize("analyzed", [True, False])
def test_a_list_of_the_ledger_uses_the_index_of_its_filter(
    full: Engine, filters: LedgerFilter, index: str, request_: PageRequest, *, analyzed: bool
) -> None:
    steps = plan(full, lambda unit: unit.ledger.page(filters, request_), analyzed=analyzed)

    assert walks_an_index(steps), steps
    assert all_by(steps, "call_ledger", AUTOMATIC.get(index, index)), steps


def test_a_search_for_rare_words_uses_the_full_text_index(full: Engine) -> None:
    filters = LeadFilter(q="grace", statuses=frozenset({LeadStatus.LOST}), created_from=NOW)
    for request in (PAGE, NEXT):
        steps = plan(full, lambda unit, request=request: unit.leads.page(filters, request))  # type: ignore[misc]  # bound

        assert any("lead_words VIRTUAL TABLE INDEX" in step for step in steps), steps
        assert any("SEARCH leads USING INTEGER PRIMARY KEY" in step for step in steps), steps


@pytest.mark.parametrize("analyzed", [True, False])
def test_unfolded_entries_are_looked_up_in_the_ledger_by_primary_key(full: Engine, *, analyzed: bool) -> None:
    steps = plan(full, lambda unit: unit.rollups.unfolded(), analyzed=analyzed)

    assert [step for step in steps if step.startswith("SCAN")] == ["SCAN unfolded_entries"]
    assert "SEARCH call_ledger USING PRIMARY KEY (id=?)" in steps


@pytest.mark.parametrize("question", [*QUESTIONS, *WHOLE_LISTS])
def test_every_other_query_uses_an_index(full: Engine, question: Question) -> None:
    steps = plan(full, question)

    assert walks_an_index(steps), steps


@pytest.mark.parametrize("request_", [PAGE, NEXT], ids=["first", "next"])
def test_the_activity_log_is_read_in_the_order_of_an_index(full: Engine, request_: PageRequest) -> None:
    with selects(full) as made:
        ask_log(SqlActivityLog(full), request_)
    steps = explained(full, made)

    assert walks_an_index(steps), steps


def test_scheduled_jobs_and_the_relay_use_indexes(full: Engine) -> None:
    with selects(full) as made, SqlUnitOfWorkFactory(full)() as unit:
        work_off(unit)
    steps = explained(full, made)

    assert walks_an_index(steps), steps
