"""Tests of quotas under concurrent requests, on SQLite and on MySQL or MariaDB."""

import io
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from adapters.sql.unit_of_work import Outbox, SqlUnitOfWorkFactory
from tests.databases import a_database
from unite_core import (
    Actor,
    Credentials,
    FileToImport,
    NewCallTask,
    NewImage,
    NewImport,
    NewNote,
    NewUser,
    Quotas,
    Role,
    Rules,
    Unite,
    UniteError,
    build,
)
from unite_core.deadlocks import retry_on_deadlock
from unite_core.imports.ports import OpenImports
from unite_core.notifications.model import RATE_LIMITED, TEXTS
from unite_core.notifications.subscriptions import ACTIVITY_SUBSCRIPTION, TEXTS_SUBSCRIPTION
from unite_core.testing.builders import a_lead, a_task, a_user, an_event
from unite_core.testing.contracts.database import add_all, run_concurrently
from unite_core.testing.in_memory import InMemoryPorts, in_memory_ports

MANY = 20
FEW = 5


@pytest.fixture(params=["sqlite", "mysql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    engine: Engine = a_database(tmp_path) if request.param == "sqlite" else request.getfixturevalue("mysql_engine")
    yield engine
    engine.dispose()


@pytest.fixture
def ports(engine: Engine) -> InMemoryPorts:
    outbox = Outbox(subscriptions=(ACTIVITY_SUBSCRIPTION, TEXTS_SUBSCRIPTION))
    return in_memory_ports(
        work=SqlUnitOfWorkFactory(engine, outbox=outbox), reads=SqlUnitOfWorkFactory(engine, reading=True)
    )


@pytest.fixture
def unite(ports: InMemoryPorts) -> Unite:
    return build(ports, Rules(quotas=Quotas(open_imports=FEW, texts_per_number=FEW)))


def test_concurrent_relays_do_not_exceed_the_quota_of_texts_per_number(ports: InMemoryPorts, unite: Unite) -> None:
    ann = a_user(role=Role.AGENT, phone="+12125550102")
    add_all(ports.work, ann)
    texts = unite.notifications.relay.destinations[TEXTS]
    data = {"assigned_to": str(ann.id), "lead_name": "Grace", "due_at": "2026-03-02T09:30:00Z"}
    events = [an_event(type="call_task.assigned", data=data) for _ in range(MANY)]

    receipts = run_concurrently(MANY, lambda number: texts.deliver([events[number]])[0])

    assert sum(receipt.accepted for receipt in receipts) == len(ports.texts.sent) == FEW
    assert [it.response for it in receipts if it.skipped] == [{"reason": RATE_LIMITED}] * (MANY - FEW)


def code_of(action: Callable[[], object]) -> str:
    """The code of the error that the action raises; an empty text where it raises none."""
    try:
        retry_on_deadlock(action)
    except UniteError as error:
        return error.code
    return ""


def test_concurrent_announcements_do_not_exceed_the_quota_of_imports(ports: InMemoryPorts, unite: Unite) -> None:
    ann = a_user(role=Role.MANAGER)
    add_all(ports.work, ann)
    actor = Actor(user_id=ann.id, role=ann.role)

    def announce(number: int) -> str:
        new = NewImport(filename=f"{number}.csv", size=10)
        return code_of(lambda: unite.imports.announce(actor, new))

    assert Counter(run_concurrently(MANY, announce)) == {"": FEW, "too_many_imports": MANY - FEW}
    with ports.reads() as reads:
        assert reads.imports.count_open(ann.id) == OpenImports(FEW, FEW * 10)


def test_concurrent_files_and_announcements_do_not_exceed_the_quota_of_bytes(
    ports: InMemoryPorts, unite: Unite
) -> None:
    ann = a_user(role=Role.MANAGER)
    add_all(ports.work, ann)
    actor = Actor(user_id=ann.id, role=ann.role)
    unite = build(ports, Rules(quotas=Quotas(open_bytes=FEW * 10)))
    stored = [unite.imports.store_file(actor, io.BytesIO(b"Name\n%05d" % number)) for number in range(MANY)]

    def take(number: int) -> str:
        if number % 2:
            return code_of(lambda: unite.imports.announce(actor, NewImport(filename="a.csv", size=10)))
        file = FileToImport(stored=stored[number], filename="a.csv")
        return code_of(lambda: unite.imports.import_stored_file(actor, file))

    assert Counter(run_concurrently(MANY, take)) == {"": FEW, "too_many_import_bytes": MANY - FEW}
    with ports.reads() as reads:
        assert reads.imports.count_open(ann.id) == OpenImports(FEW, FEW * 10)


def test_concurrent_excess_files_do_not_exceed_their_quota_per_hour(ports: InMemoryPorts) -> None:
    ann = a_user(role=Role.MANAGER)
    add_all(ports.work, ann)
    actor = Actor(user_id=ann.id, role=ann.role)
    unite = build(ports, Rules(quotas=Quotas(open_imports=1, excess_files_per_hour=FEW)))
    unite.imports.announce(actor, NewImport(filename="a.csv", size=10))

    def store(_: int) -> str:
        return code_of(lambda: unite.imports.store_file(actor, io.BytesIO(b"Name")))

    assert Counter(run_concurrently(MANY, store)) == {"": FEW, "too_many_imports": MANY - FEW}


@pytest.mark.parametrize(
    ("quotas", "leads", "code"),
    [
        (Quotas(images_per_lead=FEW), 1, "too_many_images"),
        (Quotas(open_images=FEW), MANY, "too_many_announced_images"),
    ],
)
def test_concurrent_pictures_do_not_exceed_their_quotas(
    ports: InMemoryPorts, quotas: Quotas, leads: int, code: str
) -> None:
    unite = build(ports, Rules(quotas=quotas))
    ann, all_leads = a_user(role=Role.MANAGER), [a_lead() for _ in range(leads)]
    add_all(ports.work, ann, *all_leads)
    actor = Actor(user_id=ann.id, role=ann.role)

    def announce(number: int) -> str:
        new = NewImage(lead_id=all_leads[number % leads].id, content_type="image/png", size=10)
        return code_of(lambda: unite.leads.create_image(actor, new))

    assert Counter(run_concurrently(MANY, announce)) == {"": FEW, code: MANY - FEW}


def test_concurrent_notes_do_not_exceed_the_quota(ports: InMemoryPorts) -> None:
    unite = build(ports, Rules(quotas=Quotas(notes_per_hour=FEW)))
    ann, lead = a_user(role=Role.MANAGER), a_lead()
    tasks = [a_task(lead, ann) for _ in range(4)]
    add_all(ports.work, ann, lead, *tasks)
    actor = Actor(user_id=ann.id, role=ann.role)

    def write(number: int) -> str:
        note = NewNote(task_id=tasks[number % 4].id, text="She asked for a demonstration.")
        return code_of(lambda: unite.calls.note(actor, note))

    assert Counter(run_concurrently(MANY, write)) == {"": FEW, "quota_exceeded": MANY - FEW}


def test_concurrent_tasks_do_not_exceed_the_quota_of_their_lead(ports: InMemoryPorts) -> None:
    unite = build(ports, Rules(quotas=Quotas(pending_tasks_per_lead=FEW)))
    ann, lead = a_user(role=Role.MANAGER), a_lead()
    add_all(ports.work, ann, lead)
    actor = Actor(user_id=ann.id, role=ann.role)

    def create(_: int) -> str:
        new = NewCallTask(lead_id=lead.id, due_at=ports.clock.now())
        return code_of(lambda: unite.calls.create(actor, new))

    assert Counter(run_concurrently(MANY, create)) == {"": FEW, "too_many_call_tasks": MANY - FEW}


def test_concurrent_logins_do_not_exceed_the_quota_of_sessions(ports: InMemoryPorts) -> None:
    unite = build(ports, Rules(logins_per_minute=0, quotas=Quotas(sessions=FEW)))
    new = NewUser(email="ann@unite.example", name="Ann", role=Role.AGENT, password="correct horse battery")
    ann = unite.identity.create_user.unchecked(new)
    shown = Credentials(email=ann.email, password=new.password, address="192.0.2.1")

    run_concurrently(MANY, lambda _: code_of(lambda: unite.identity.log_in(shown)))

    with ports.work() as work:
        assert work.sessions.revoke_all(ann.id, now=ports.clock.now()) == FEW
