"""On MySQL and MariaDB every list walks an index in its own order, over a hundred thousand leads."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, create_engine, insert, make_url

from adapters.sql.activity import SqlActivityLog
from adapters.sql.engine import create_engine_for
from adapters.sql.event_tables import deliveries
from adapters.sql.images import _to_row as image_row
from adapters.sql.imports import _to_row as import_row
from adapters.sql.migrate import upgrade
from adapters.sql.schema import schema
from adapters.sql.sessions import _to_row as session_row
from adapters.sql.tables import idempotency_answers, lead_images, lead_imports, sessions, users
from adapters.sql.unit_of_work import SqlWork
from adapters.sql.users import _to_row as user_row
from tests.adapters.sql.statements import selects
from tests.servers.kinds import Server
from unite_core.application import AllWork
from unite_core.errors import NotFound
from unite_core.events import Event
from unite_core.identity.model import Role
from unite_core.identity.ports import UserFilter
from unite_core.imports.model import ImportStatus, RowKind
from unite_core.imports.ports import ImportFilter
from unite_core.leads.model import ImageStatus, LeadStatus
from unite_core.leads.ports import LeadFilter
from unite_core.notifications.model import ACTIVITY, DeliveryStatus
from unite_core.notifications.ports import DeliveryFilter
from unite_core.paging import PageRequest, Position
from unite_core.phone import Phone
from unite_core.testing.builders import a_lead, a_rejection, a_session, a_user, an_id, an_image, an_import
from unite_core.testing.contracts.database import put
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING as NOW

LEADS = 100_000
OTHERS = 3_000
CHUNK = 2_000

ANN = a_user(role=Role.ADMIN)
BEN = a_user()
COMING = an_import(ANN)
PICTURED = a_lead()
HALFWAY = NOW + timedelta(seconds=LEADS // 2)
CLAIMED = {"scope": "", "fingerprint": "f", "holder": "h", "claimed_at": NOW, "claimed_until": NOW}
PAGE = PageRequest(limit=50)
NEXT = PageRequest(limit=50, after=Position(HALFWAY, an_id()))


@pytest.fixture(scope="module")
def full(mysql_server: Server, worker_id: str) -> Iterator[Engine]:
    """A database with a hundred thousand leads, and thousands of everything else that is listed."""
    name = f"unite_{worker_id}_plans"
    root = create_engine(mysql_server.url, isolation_level="AUTOCOMMIT")
    with root.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine = create_engine_for(make_url(mysql_server.url).set(database=name))
    upgrade(engine)
    _fill(engine)
    yield engine
    engine.dispose()
    with root.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}")
    root.dispose()


def _fill(engine: Engine) -> None:
    work = SqlWork(engine)
    put(work, ANN, BEN, COMING, PICTURED)
    sources, statuses, people = ("fair", "import"), list(LeadStatus), (ANN.id, BEN.id, None)
    leads = (
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
    while chunk := list(islice(leads, CHUNK)):
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
            lead_ids=(PICTURED.id,) if number % 2 else (),
            import_id=COMING.id,
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
        _multiply(connection, lead_images, [image_row(an_image(PICTURED, ANN, status=it)) for it in ImageStatus])
        _multiply(connection, sessions, [session_row(a_session(ANN))])
        _multiply(connection, idempotency_answers, [CLAIMED])
        done = deliveries.c.id.in_([event.id for event in events])
        connection.execute(deliveries.update().where(~done).values(status=DeliveryStatus.DELIVERED.value))
        for table in schema.tables:
            connection.exec_driver_sql(f"ANALYZE TABLE {table}").all()


def _multiply(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add thousands of rows that are like these, each with its own id, a second after the one before."""
    own: dict[str, Callable[[int], object]] = {
        "id": lambda _: an_id(),
        "scope": str,
        "email": "user{}@many.example".format,
    }
    later = ("created_at", "expires_at", "claimed_at")
    many = []
    for number in range(OTHERS):
        row = {**rows[number % len(rows)]}
        row |= {name: make(number) for name, make in own.items() if name in row}
        row |= {name: NOW + timedelta(seconds=number) for name in later if name in row}
        many.append(row)
    connection.execute(insert(table), many)


def plan(engine: Engine, question: Callable[[AllWork], object]) -> list[dict[str, Any]]:
    """What MySQL says it does for each SELECT of the question."""
    with selects(engine) as made, SqlWork(engine, reading=True)() as unit, suppress(NotFound):
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
        and (
            step["type"] == "ALL"
            or (step["type"] == "index" and not whole_list)
            or "filesort" in (step["Extra"] or "")
            or "temporary" in (step["Extra"] or "")
        )
    ]


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
        (LeadFilter(visible_to=BEN.id), "ix_leads_assigned_listed"),
        (LeadFilter(sources=frozenset({"none"}), statuses=frozenset({LeadStatus.LOST})), "ix_leads_source_listed"),
        (LeadFilter(sources=frozenset(map(str, range(30)))), "ix_leads_listed"),
        (LeadFilter(question=("ann",)), "ix_leads_listed"),
    ],
    ids=[
        "all",
        "of an hour",
        "one status",
        "two statuses",
        "one source",
        "one agent",
        "nobody",
        "visible to an agent",
        "source and status",
        "thirty sources",
        "words that all have",
    ],
)
def test_a_list_of_leads_walks_the_index_of_its_filter(
    full: Engine, wanted: LeadFilter, index: str, request_: PageRequest
) -> None:
    steps = plan(full, lambda unit: unit.leads.page(wanted, request_))

    assert badly_done(steps) == []
    assert steps[-1]["key"] == index


@pytest.mark.parametrize("request_", [PAGE, NEXT], ids=["first", "next"])
def test_rare_words_are_found_in_their_index_and_what_they_find_is_put_in_order(
    full: Engine, request_: PageRequest
) -> None:
    steps = plan(full, lambda unit: unit.leads.page(LeadFilter(question=("ann4711",)), request_))

    assert (steps[-1]["type"], steps[-1]["key"]) == ("fulltext", "ft_leads_search_text")
    assert badly_done(steps[:-1]) == []


def test_a_page_deep_in_the_list_is_as_near_as_the_first(full: Engine) -> None:
    with SqlWork(full, reading=True)() as unit:
        assert unit._connection is not None
        read: list[int] = []
        for request in (PAGE, NEXT):
            unit._connection.exec_driver_sql("FLUSH STATUS")
            unit.leads.page(LeadFilter(statuses=frozenset({LeadStatus.LOST})), request)
            rows = unit._connection.exec_driver_sql("SHOW SESSION STATUS").all()
            read.append(sum(int(value) for name, value in rows if name.startswith("Handler_read")))

    assert read[1] <= 2 * read[0]


@pytest.mark.parametrize(
    "question",
    [
        lambda unit: unit.leads.get(PICTURED.id),
        lambda unit: unit.leads.matches([f"+121255501{number}" for number in range(99)], ["a@example.com", "b@c.de"]),
        lambda unit: unit.leads.untouched_of_import(COMING.id, after_row=3, limit=10),
        lambda unit: unit.images.get(PICTURED.id, an_id()),
        lambda unit: unit.images.page(PICTURED.id, NEXT),
        lambda unit: unit.images.leads_with_images([PICTURED.id]),
        lambda unit: unit.images.abandoned(before=NOW, limit=10),
        lambda unit: unit.users.get(ANN.id),
        lambda unit: unit.users.find_by_email(ANN.email),
        lambda unit: unit.users.page(UserFilter(role=Role.AGENT), NEXT),
        lambda unit: unit.users.page(UserFilter(role=Role.AGENT, active=True), PAGE),
        lambda unit: unit.users.page(UserFilter(active=False), PAGE),
        lambda unit: unit.users.active_admins(),
        lambda unit: unit.sessions.get(an_id()),
        lambda unit: unit.sessions.find_by_refresh("a" * 64),
        lambda unit: unit.imports.get(COMING.id),
        lambda unit: unit.imports.page(ImportFilter(statuses=frozenset({ImportStatus.FAILED})), NEXT),
        lambda unit: unit.imports.page(ImportFilter(statuses=frozenset(ImportStatus)), PAGE),
        lambda unit: unit.imports.find_same_file("a" * 64),
        lambda unit: unit.imports.unfinished(now=NOW, limit=10),
        lambda unit: unit.imports.abandoned(before=NOW, limit=10),
        lambda unit: unit.rows.rejections(COMING.id, kind=None, after_row=5, limit=10),
        lambda unit: unit.rows.rejections(COMING.id, kind=RowKind.REJECTED, after_row=5, limit=10),
        lambda unit: unit.rows.remembered(COMING.id, limit=10),
        lambda unit: unit.rows.remembered(COMING.id, limit=10, lead_ids=[PICTURED.id]),
        lambda unit: unit.rehearsal.matches(COMING.id, ["+12125550100"], ["a@example.com"]),
        lambda unit: unit.deliveries.page(DeliveryFilter(status=DeliveryStatus.DEAD), NEXT),
        lambda unit: unit.deliveries.page(DeliveryFilter(destination=ACTIVITY), PAGE),
        lambda unit: unit.deliveries.page(DeliveryFilter(destination="topic", status=DeliveryStatus.DEAD), PAGE),
        lambda unit: unit.deliveries.page(DeliveryFilter(event_id=an_id()), PAGE),
        lambda unit: unit.deliveries.get(an_id()),
    ],
)
def test_every_other_question_has_an_index(full: Engine, question: Callable[[AllWork], object]) -> None:
    assert badly_done(plan(full, question)) == []


@pytest.mark.parametrize(
    "question",
    [
        lambda unit: unit.users.page(UserFilter(), PAGE),
        lambda unit: unit.users.page(UserFilter(), NEXT),
        lambda unit: unit.imports.page(ImportFilter(), PAGE),
        lambda unit: unit.imports.page(ImportFilter(), NEXT),
        lambda unit: unit.deliveries.page(DeliveryFilter(), PAGE),
        lambda unit: unit.deliveries.page(DeliveryFilter(), NEXT),
    ],
)
def test_a_list_of_everything_walks_its_index(full: Engine, question: Callable[[AllWork], object]) -> None:
    assert badly_done(plan(full, question), whole_list=True) == []


@pytest.mark.parametrize("request_", [PAGE, NEXT], ids=["first", "next"])
def test_what_happened_is_read_in_the_order_of_an_index(full: Engine, request_: PageRequest) -> None:
    log = SqlActivityLog(full)
    with selects(full) as made:
        log.of_lead(PICTURED.id, request_)
        log.of_import(COMING.id, request_)

    assert badly_done(explained(full, made)) == []


def test_the_schedules_and_the_relay_find_their_work_by_an_index(full: Engine) -> None:
    with selects(full) as made, SqlWork(full)() as unit:
        unit.sessions.purge(before=NOW, limit=10)
        unit.answers.purge(before=NOW, limit=10)
        unit.deliveries.purge(before=NOW, limit=10)
        unit.deliveries.hasten(ACTIVITY, now=NOW, limit=10)
        unit.deliveries.claim(ACTIVITY, now=NOW, until=NOW + timedelta(minutes=1), limit=10)

    assert badly_done(explained(full, made)) == []
