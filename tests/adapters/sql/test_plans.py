"""Every list walks an index in its own order: no table is read as a whole, nothing is sorted."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from adapters.sql.unit_of_work import SqlWork
from tests.adapters.sql.statements import selects
from unite_core.errors import NotFound
from unite_core.identity.model import Role
from unite_core.identity.ports import UserFilter
from unite_core.imports.model import ImportStatus, RowKind
from unite_core.imports.ports import ImportFilter, ImportsWork
from unite_core.leads.model import ImageStatus, LeadStatus
from unite_core.leads.ports import LeadFilter
from unite_core.paging import PageRequest, Position
from unite_core.testing.builders import a_lead, a_rejection, a_snapshot, a_user, an_id, an_image, an_import
from unite_core.testing.contracts.database import put
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING as NOW

ANN = a_user(role=Role.ADMIN)
BEN = a_user()
COMING = an_import(ANN)
LEAD = a_lead()
PAGE = PageRequest(limit=10)
NEXT = PageRequest(limit=10, after=Position(NOW + timedelta(minutes=50), an_id()))


@pytest.fixture
def full(engine: Engine, work: SqlWork) -> Engine:
    """A database with some of everything."""
    put(work, ANN, BEN, COMING, LEAD)
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
        unit.rows.remember([a_snapshot(COMING, LEAD)])
        unit.commit()
    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE leads")  # the other tables are too small to tell
    return engine


def plan(engine: Engine, question: Callable[[ImportsWork], object], *, analyzed: bool = True) -> list[str]:
    """What SQLite says it does for each SELECT of the question."""
    with selects(engine) as made, SqlWork(engine, reading=True)() as unit, suppress(NotFound):
        question(unit)
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


@pytest.mark.parametrize("request_", [PAGE, NEXT], ids=["first", "next"])
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (LeadFilter(), "ix_leads_listed"),
        (LeadFilter(created_from=NOW, created_to=NOW + timedelta(hours=1)), "ix_leads_listed"),
        (LeadFilter(statuses=frozenset({LeadStatus.LOST})), "ix_leads_status_listed"),
        (LeadFilter(statuses=frozenset({LeadStatus.LOST, LeadStatus.NEW})), "ix_leads_status_listed"),
        (LeadFilter(sources=frozenset({"fair"})), "ix_leads_source_listed"),
        (LeadFilter(assigned_to=frozenset({BEN.id})), "ix_leads_assigned_listed"),
        (LeadFilter(unassigned=True), "ix_leads_assigned_listed"),
        (LeadFilter(assigned_to=frozenset({BEN.id, ANN.id}), unassigned=True), "ix_leads_assigned_listed"),
        (LeadFilter(visible_to=BEN.id), "ix_leads_assigned_listed"),
        (LeadFilter(visible_to=BEN.id, assigned_to=frozenset({BEN.id, ANN.id})), "ix_leads_assigned_listed"),
        (LeadFilter(sources=frozenset({"fair"}), statuses=frozenset({LeadStatus.LOST})), "ix_leads_status_listed"),
        (LeadFilter(sources=frozenset(map(str, range(30)))), "ix_leads_listed"),
    ],
    ids=[
        "all",
        "of an hour",
        "one status",
        "two statuses",
        "one source",
        "one agent",
        "nobody",
        "two agents or nobody",
        "visible to an agent",
        "of two agents, visible to one",
        "source and status",
        "thirty sources",
    ],
)
@pytest.mark.parametrize("analyzed", [True, False])
def test_a_list_of_leads_walks_the_index_of_its_filter(
    full: Engine, wanted: LeadFilter, index: str, request_: PageRequest, *, analyzed: bool
) -> None:
    steps = plan(full, lambda unit: unit.leads.page(wanted, request_), analyzed=analyzed)

    assert walks_an_index(steps), steps
    assert f"USING INDEX {index} " in steps[-1], steps


def test_rare_words_are_found_in_their_index(full: Engine) -> None:
    wanted = LeadFilter(question=("grace",), statuses=frozenset({LeadStatus.LOST}), created_from=NOW)
    for request in (PAGE, NEXT):
        steps = plan(full, lambda unit, request=request: unit.leads.page(wanted, request))  # type: ignore[misc]  # bound

        assert any("lead_words VIRTUAL TABLE INDEX" in step for step in steps), steps
        assert any("SEARCH leads USING INTEGER PRIMARY KEY" in step for step in steps), steps


@pytest.mark.parametrize(
    "question",
    [
        lambda unit: unit.leads.get(LEAD.id),
        lambda unit: unit.leads.matches(["+12125550100"] * 3, ["a@example.com"]),
        lambda unit: unit.leads.untouched_of_import(COMING.id, after_row=3, limit=10),
        lambda unit: unit.images.get(LEAD.id, an_id()),
        lambda unit: unit.images.page(LEAD.id, PAGE),
        lambda unit: unit.images.page(LEAD.id, NEXT),
        lambda unit: unit.images.leads_with_images([LEAD.id]),
        lambda unit: unit.images.abandoned(before=NOW, limit=10),
        lambda unit: unit.users.get(ANN.id),
        lambda unit: unit.users.find_by_email(ANN.email),
        lambda unit: unit.users.page(UserFilter(), NEXT),
        lambda unit: unit.users.page(UserFilter(role=Role.AGENT, active=True), NEXT),
        lambda unit: unit.users.page(UserFilter(active=False), PAGE),
        lambda unit: unit.users.active_admins(),
        lambda unit: unit.sessions.get(an_id()),
        lambda unit: unit.sessions.find_by_refresh("a" * 64),
        lambda unit: unit.imports.get(COMING.id),
        lambda unit: unit.imports.page(ImportFilter(), NEXT),
        lambda unit: unit.imports.page(ImportFilter(statuses=frozenset({ImportStatus.FAILED})), NEXT),
        lambda unit: unit.imports.page(ImportFilter(statuses=frozenset(ImportStatus)), PAGE),
        lambda unit: unit.imports.find_same_file("a" * 64),
        lambda unit: unit.imports.unfinished(now=NOW, limit=10),
        lambda unit: unit.imports.abandoned(before=NOW, limit=10),
        lambda unit: unit.rows.rejections(COMING.id, kind=None, after_row=5, limit=10),
        lambda unit: unit.rows.rejections(COMING.id, kind=RowKind.REJECTED, after_row=5, limit=10),
        lambda unit: unit.rows.remembered(COMING.id, limit=10),
        lambda unit: unit.rows.remembered(COMING.id, limit=10, lead_ids=[LEAD.id]),
        lambda unit: unit.rehearsal.matches(COMING.id, ["+12125550100"], ["a@example.com"]),
    ],
)
def test_every_other_question_has_an_index(full: Engine, question: Callable[[ImportsWork], object]) -> None:
    steps = plan(full, question)

    assert walks_an_index(steps), steps


def test_the_schedules_find_what_is_old_by_an_index(full: Engine) -> None:
    with selects(full) as made, SqlWork(full)() as unit:
        unit.sessions.purge(before=NOW, limit=10)
        unit.answers.purge(before=NOW, limit=10)
    with full.begin() as connection:
        steps = [
            row.detail
            for statement, parameters in made
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    assert len(steps) == 2
    assert walks_an_index(steps), steps
