"""Tests of query plans on MySQL and MariaDB, with tens of thousands of leads: every list uses a sorted index."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, insert, select

from adapters.sql.calls.call_ledger import _entry_to_row as entry_row
from adapters.sql.calls.call_tasks import _to_row as task_row
from adapters.sql.calls.tables import call_ledger, call_task_notes, call_tasks, lead_calls
from adapters.sql.engine import create_engine_for
from adapters.sql.events.activity import SqlActivityLog
from adapters.sql.events.tables import consents, deliveries
from adapters.sql.idempotency.tables import idempotency_answers
from adapters.sql.identity.sessions import _to_row as session_row
from adapters.sql.identity.tables import sessions, users
from adapters.sql.identity.users import _to_row as user_row
from adapters.sql.imports.imports import _to_row as import_row
from adapters.sql.imports.tables import lead_imports
from adapters.sql.leads.images import _to_row as image_row
from adapters.sql.leads.tables import lead_images, lead_status_choices, leads
from adapters.sql.migrate import upgrade
from adapters.sql.quotas.tables import quota_uses
from adapters.sql.schema import schema
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from tests.adapters.sql.questions import (
    ANN,
    BEN,
    COMING,
    EVENT_ID,
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
from tests.servers.fixtures import new_mysql_database
from tests.servers.kinds import Server
from unite_core.calls.model import CallOutcome, TaskStatus
from unite_core.calls.ports import LedgerFilter, TaskFilter
from unite_core.errors import NotFound
from unite_core.events import Event
from unite_core.identity.model import Role
from unite_core.imports.model import ImportStatus, RowKind
from unite_core.leads.details import LeadStatus
from unite_core.leads.model import ImageStatus
from unite_core.leads.ports import LeadFilter
from unite_core.notifications.model import DeliveryStatus
from unite_core.paging import PageRequest, Position
from unite_core.phone import Phone
from unite_core.testing.builders import (
    a_lead,
    a_rejection,
    a_session,
    a_task,
    a_user,
    an_entry,
    an_id,
    an_image,
    an_import,
)
from unite_core.testing.contracts.database import add_all
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING as NOW

LEADS = 40_000
OTHERS = 3_000
CHUNK = 2_000

CLAIMED = {"scope": "", "fingerprint": "f", "holder": "h", "claimed_at": NOW, "claimed_until": NOW}
CONSENT = {"id": None, "source": "", "phone": "+12125550100", "opted_out": True, "at": NOW}
USE = {"subject": "", "id": None, "at": NOW}
NOTE = {"author": ANN.id, "text": "Ask for Grace.", "at": NOW}
DEEP = PageRequest(limit=50, after=Position(NOW + timedelta(seconds=LEADS // 2), an_id()))


@pytest.fixture(scope="module")
def full(mysql_server: Server, worker_id: str) -> Iterator[Engine]:
    """A database with tens of thousands of leads, and thousands of everything else that is listed."""
    with new_mysql_database(mysql_server, worker_id) as url:
        engine = create_engine_for(url)
        upgrade(engine)
        _fill(engine)
        yield engine
        engine.dispose()


def _fill(engine: Engine) -> None:
    work = SqlUnitOfWorkFactory(engine)
    add_all(work, ANN, BEN, COMING, LEAD, TASK)
    sources, statuses, people = ("fair", "import"), list(LeadStatus), (ANN.id, BEN.id, None)
    many = (
        a_lead(
            name=f"Ann{number} Lee",
            phone=Phone(f"+1{2_000_000_000 + number * 2_654_435_761 % 7_999_999_999}"),
            email=f"ann.{number}@example.com",
            source=sources[number % 2],
            status=statuses[number % 5],
            assigned_to=people[number % 3],
            created_at=NOW + timedelta(seconds=number),
            import_id=COMING.id,
            import_row=number,
        )
        for number in range(LEADS)
    )
    while chunk := list(islice(many, CHUNK)):
        with work() as unit:
            unit.leads.add_many(chunk)
            unit.commit()
    with work() as unit:
        unit.rows.reject(COMING.id, [a_rejection(row, kind=list(RowKind)[row % 2]) for row in range(OTHERS)])
        unit.commit()
    events = [
        Event(
            id=an_id(),
            type="lead.changed",
            at=NOW + timedelta(seconds=number),
            lead_ids=(LEAD.id,) if number % 2 else (),
            import_id=COMING.id,
            delivery_id=None if number % 3 else EVENT_ID,
        )
        for number in range(OTHERS)
    ]
    with work() as unit:
        for event in events:
            unit.record(event)
        unit.commit()
    SqlActivityLog(engine).deliver(events)
    with engine.begin() as connection:
        _multiply(connection, users, [user_row(a_user()), user_row(a_user(role=Role.MANAGER, active=False))])
        _multiply(connection, lead_imports, [import_row(an_import(ANN, status=status)) for status in ImportStatus])
        _multiply(connection, lead_images, [image_row(an_image(LEAD, ANN, status=it)) for it in ImageStatus])
        _multiply(connection, sessions, [session_row(a_session(ANN))])
        _multiply(connection, idempotency_answers, [CLAIMED])
        _multiply(connection, consents, [CONSENT])
        _multiply(connection, quota_uses, [USE])
        _multiply_calls(connection)
        done = deliveries.c.id.in_([event.id for event in events])
        connection.execute(deliveries.update().where(~done).values(status=DeliveryStatus.DELIVERED.value))
        for table in schema.tables:
            connection.exec_driver_sql(f"ANALYZE TABLE {table}").all()


def _multiply_calls(connection: Connection) -> None:
    """Tasks of every status, of everybody and of many leads, each with notes and entries."""
    lead_ids = connection.execute(select(leads.c.id).limit(OTHERS)).scalars().all()
    kinds = [
        task_row(a_task(LEAD, ANN, assigned_to=user, status=status))
        for user in (ANN.id, BEN.id, None)
        for status in TaskStatus
    ]
    tasks = _multiply(connection, call_tasks, kinds)
    for task, lead_id in zip(tasks[::2], lead_ids, strict=False):
        moved = call_tasks.update().where(call_tasks.c.id == task["id"]).values(lead_id=lead_id)
        connection.execute(moved)
    notes = [{**NOTE, "id": an_id(), "task_id": task["id"], "number": it} for task in tasks for it in (1, 2)]
    connection.execute(insert(call_task_notes), notes)
    entries = [
        entry_row(an_entry(TASK, at=task["due_at"], agent_id=task["assigned_to"], lead_id=lead_id))
        | {"task_id": task["id"], "number": number}
        for task, lead_id in zip(tasks, lead_ids, strict=False)
        for number in (1, 2)
    ]
    connection.execute(insert(call_ledger), entries)
    counts = {"lead_id": None, **{outcome.value: number for number, outcome in enumerate(CallOutcome)}}
    connection.execute(
        insert(lead_calls), [{**counts, "lead_id": lead_id, "first_called_at": NOW} for lead_id in lead_ids]
    )
    connection.execute(insert(lead_status_choices), [{"lead_id": it, "chosen_at": NOW} for it in lead_ids])


def _multiply(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Add thousands of rows that are like these, each with its own id, a second after the one before."""
    own: dict[str, Callable[[int], object]] = {
        "id": lambda _: an_id(),
        "scope": str,
        "source": str,
        "subject": lambda number: str(number % 10),
        "email": "user{}@many.example".format,
    }
    later = ("created_at", "expires_at", "claimed_at", "due_at", "at", "called_at")
    many: list[dict[str, Any]] = []
    for number in range(OTHERS):
        row = {**rows[number % len(rows)]}
        row |= {name: make(number) for name, make in own.items() if name in row}
        row |= {name: NOW + timedelta(seconds=number) for name in later if name in row}
        many.append(row)
    connection.execute(insert(table), many)
    return many


def plan(engine: Engine, question: Question) -> list[dict[str, Any]]:
    """What MySQL says it does for each SELECT of the question."""
    with selects(engine) as made, SqlUnitOfWorkFactory(engine, reading=True)() as unit, suppress(NotFound):
        question(unit)
    return explained(engine, made)


def explained(engine: Engine, made: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    assert made
    explain = "EXPLAIN" if getattr(engine.dialect, "is_mariadb", False) else "EXPLAIN FORMAT=TRADITIONAL"
    with engine.connect() as connection:
        return [
            {"statement": statement, **row}
            for statement, parameters in made
            for row in connection.exec_driver_sql(f"{explain} {statement}", parameters).mappings()
        ]


def badly_done(steps: list[dict[str, Any]], *, whole_list: bool = False) -> list[dict[str, Any]]:
    """The steps that read a table as a whole, or put something in order that no index has in order.

    A list of everything walks its index from the end, as far as the page goes: that is `index`.
    """
    return [
        step
        for step in steps
        if not str(step["table"]).startswith("<")  # a handful of rows that another step gave
        and not (step["select_type"] == "DERIVED" and step["type"] == "range")  # MariaDB puts the few counted in order
        and (
            step["type"] == "ALL"
            or (step["type"] == "index" and not whole_list)
            or "filesort" in (step["Extra"] or "")
            or "temporary" in (step["Extra"] or "")
        )
    ]


def walked(steps: list[dict[str, Any]], table: str) -> set[str]:
    """The indexes that the lists of the table walked; what was counted before to choose one is not a list."""
    return {step["key"] for step in steps if step["table"] == table and "ORDER BY" in step["statement"]}


@pytest.mark.parametrize("request_", [PAGE, DEEP], ids=["first", "next"])
@pytest.mark.parametrize(
    ("filters", "index"),
    [*LEAD_LISTS, pytest.param(LeadFilter(q="ann"), "ix_leads_listed", id="words that all have")],
)
def test_a_list_of_leads_uses_the_index_of_its_filter(
    full: Engine, filters: LeadFilter, index: str, request_: PageRequest
) -> None:
    steps = plan(full, lambda unit: unit.leads.page(filters, request_))

    assert badly_done(steps) == []
    assert walked(steps, "leads") == {index}


@pytest.mark.parametrize("request_", [PAGE, NEXT], ids=["first", "next"])
@pytest.mark.parametrize(("filters", "index"), TASK_LISTS)
def test_a_list_of_call_tasks_uses_the_index_of_its_filter(
    full: Engine, filters: TaskFilter, index: str, request_: PageRequest
) -> None:
    steps = plan(full, lambda unit: unit.tasks.page(filters, request_))

    assert badly_done(steps, whole_list=index == "ix_call_tasks_due") == []
    assert walked(steps, "call_tasks") == {index}


@pytest.mark.parametrize("request_", [PAGE, NEXT], ids=["first", "next"])
@pytest.mark.parametrize(("filters", "index"), LEDGER_LISTS)
def test_a_list_of_the_ledger_uses_the_index_of_its_filter(
    full: Engine, filters: LedgerFilter, index: str, request_: PageRequest
) -> None:
    steps = plan(full, lambda unit: unit.ledger.page(filters, request_))

    assert badly_done(steps, whole_list=index in ("ix_call_ledger_at", "ix_call_ledger_called")) == []
    assert {step["key"] for step in steps if step["table"] == "call_ledger"} == {index}


def test_a_list_of_counted_calls_reads_few_more_rows_than_its_page(full: Engine) -> None:
    filters = LedgerFilter(called_from=NOW, called_to=NOW + timedelta(days=1), counted=True)
    with SqlUnitOfWorkFactory(full, reading=True)() as unit:
        assert unit._connection is not None
        unit._connection.exec_driver_sql("FLUSH STATUS")
        page = unit.ledger.page(filters, PAGE)
        rows = unit._connection.exec_driver_sql("SHOW SESSION STATUS").all()

    assert len(page.items) == PAGE.limit
    # Each task has two entries here: as many are passed over as are shown, and for each the end of its chain is read.
    assert sum(int(value) for name, value in rows if name.startswith("Handler_read")) <= 10 * PAGE.limit


@pytest.mark.parametrize("request_", [PAGE, DEEP], ids=["first", "next"])
def test_a_search_for_rare_words_uses_the_full_text_index_and_sorts_its_result(
    full: Engine, request_: PageRequest
) -> None:
    steps = plan(full, lambda unit: unit.leads.page(LeadFilter(q="ann4711"), request_))

    fulltext_steps = [step for step in steps if step["type"] == "fulltext"]
    assert [(step["table"], step["key"]) for step in fulltext_steps] == [("lead_words", "ft_lead_words")]
    by_words = [step for step in steps if "lead_words" in step["statement"]]
    assert [step["key"] for step in by_words if step["table"] == "leads"] == ["PRIMARY"]
    assert badly_done([step for step in steps if step not in fulltext_steps]) == []


def test_a_late_page_reads_no_more_rows_than_the_first(full: Engine) -> None:
    with SqlUnitOfWorkFactory(full, reading=True)() as unit:
        assert unit._connection is not None
        read: list[int] = []
        for request in (PAGE, DEEP):
            unit._connection.exec_driver_sql("FLUSH STATUS")
            unit.leads.page(LeadFilter(statuses=frozenset({LeadStatus.LOST})), request)
            rows = unit._connection.exec_driver_sql("SHOW SESSION STATUS").all()
            read.append(sum(int(value) for name, value in rows if name.startswith("Handler_read")))

    assert read[1] <= 2 * read[0]


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_other_query_uses_an_index(full: Engine, question: Question) -> None:
    assert badly_done(plan(full, question)) == []


def test_a_lookup_of_many_phone_numbers_uses_their_index(full: Engine) -> None:
    keys = [f"+121255501{number}" for number in range(99)]

    assert badly_done(plan(full, lambda unit: unit.leads.matches(keys, ["a@example.com", "b@c.de"]))) == []


@pytest.mark.parametrize("question", WHOLE_LISTS)
def test_an_unfiltered_list_uses_a_sorted_index(full: Engine, question: Question) -> None:
    assert badly_done(plan(full, question), whole_list=True) == []


@pytest.mark.parametrize("request_", [PAGE, NEXT], ids=["first", "next"])
def test_the_activity_log_is_read_in_the_order_of_an_index(full: Engine, request_: PageRequest) -> None:
    with selects(full) as made:
        ask_log(SqlActivityLog(full), request_)

    assert badly_done(explained(full, made)) == []


def test_scheduled_jobs_and_the_relay_use_indexes(full: Engine) -> None:
    with selects(full) as made, SqlUnitOfWorkFactory(full)() as unit:
        work_off(unit)

    assert badly_done(explained(full, made)) == []
