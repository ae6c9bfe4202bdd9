"""Events on the embedded default: the activity log fails, a worker dies in between, an import is in the way."""

import logging
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine

from adapters.sql.events.activity import SqlActivityLog
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from entrypoints.bootstrap import OPERATOR, Started, start
from entrypoints.settings import read_settings
from tests.databases import a_database
from tests.service_process import ADMIN, conversation, environment, eventually, service
from unite_core import Actor, Lead, NewLead, NewUser, PageRequest, Role, Unite, build
from unite_core.calls.use_cases import NewCallTask
from unite_core.errors import Unavailable
from unite_core.events import Event
from unite_core.notifications.model import ACTIVITY, CLAIM_TTL, TEXTS, DeliveryStatus, Receipt
from unite_core.notifications.ports import DeliveryFilter
from unite_core.notifications.use_cases import Relayed
from unite_core.testing.builders import acting
from unite_core.testing.in_memory import FixedClock, in_memory_ports

ROWS = 200_000
AGENT = NewUser(email="ada@example.com", name="Ada", role=Role.AGENT, password=ADMIN["password"], phone="+12125550102")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = a_database(tmp_path)
    yield engine
    engine.dispose()


class Failing(SqlActivityLog):
    """An activity log that fails while it is `down`: before it has stored anything, or when it has."""

    def __init__(self, engine: Engine, *, stores: bool) -> None:
        super().__init__(engine)
        self.down = True
        self.stores = stores

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        receipts = super().deliver(events, again) if self.stores or not self.down else []
        if self.down:
            raise Unavailable("The activity log is being moved.")
        return receipts


def add_user(unite: Unite) -> Actor:
    admin = NewUser(email=ADMIN["email"], name="Ann", role=Role.ADMIN, password=ADMIN["password"])
    return acting(unite.identity.create_user.unchecked(admin))


def add(unite: Unite, actor: Actor, *names: str) -> list[Lead]:
    return [unite.leads.add(actor, NewLead(name=name, email=f"{name}@example.com")) for name in names]


def histories(database: Path) -> Counter[tuple[bytes, str]]:
    """How often each lead has which type of event in its history, asked of the database itself."""
    question = "SELECT lead_id, type FROM activity_leads JOIN activity ON activity.id = event_id"
    return Counter((bytes(lead_id), str(kind)) for lead_id, kind in asked(database, question))


def asked(database: Path, question: str) -> list[tuple[bytes, object]]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(question).fetchall()
    finally:
        connection.close()


def statuses(unite: Unite) -> set[tuple[DeliveryStatus, int]]:
    page = unite.notifications.list_deliveries(OPERATOR, DeliveryFilter(), PageRequest(limit=200))
    return {(it.status, it.attempts) for it in page.items}


@pytest.mark.parametrize("stores", [False, True], ids=["before it stored them", "after it stored them"])
def test_what_happens_while_the_activity_log_fails_arrives_afterwards_once(
    tmp_path: Path, engine: Engine, *, stores: bool
) -> None:
    log, clock = Failing(engine, stores=stores), FixedClock()
    unite = build(
        in_memory_ports(
            clock=clock,
            work=SqlUnitOfWorkFactory(engine),
            reads=SqlUnitOfWorkFactory(engine, reading=True),
            activity=log,
        )
    )
    ann = add_user(unite)
    leads = add(unite, ann, "ada", "ben")
    for _ in range(20):
        assert unite.notifications.relay(ACTIVITY).delivered == 0
        clock.advance(CLAIM_TTL)
    leads += add(unite, ann, "cleo")

    log.down = False

    assert unite.notifications.relay(ACTIVITY).delivered == 3
    assert histories(tmp_path / "unite.db") == {(lead.id.bytes, "lead.created"): 1 for lead in leads}
    assert {status for status, _ in statuses(unite)} == {DeliveryStatus.DELIVERED}
    assert unite.notifications.relay(ACTIVITY).delivered == 0


def test_what_a_worker_had_handed_over_when_it_was_killed_is_settled_by_the_next_and_stored_once(
    tmp_path: Path,
) -> None:
    with start(read_settings(environment(tmp_path))) as started:
        leads = add(started.unite, add_user(started.unite), "ada", "ben", "cleo")
        assert len(kill_after_hand_over(tmp_path, ACTIVITY)) == 3
        assert statuses(started.unite) == {(DeliveryStatus.PENDING, 1)}
        assert started.unite.notifications.relay(ACTIVITY).delivered == 0

        assert relay_later(started, ACTIVITY, CLAIM_TTL).delivered == 3

        assert histories(tmp_path / "var" / "unite.sqlite3") == {(lead.id.bytes, "lead.created"): 1 for lead in leads}
        assert statuses(started.unite) == {(DeliveryStatus.DELIVERED, 2)}


def test_a_text_that_a_killed_worker_had_sent_is_sent_once_more_for_each_kill_and_no_other_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with start(read_settings(environment(tmp_path))) as started:
        admin = add_user(started.unite)
        ada = started.unite.identity.create_user(admin, AGENT)
        (lead,) = add(started.unite, admin, "grace")
        for _ in range(3):
            due_at = datetime.now(UTC)
            started.unite.calls.create(admin, NewCallTask(lead_id=lead.id, due_at=due_at, assigned_to=ada.id))

        sent = Counter(kill_after_hand_over(tmp_path, TEXTS))
        sent += Counter(kill_after_hand_over(tmp_path, TEXTS, ahead=CLAIM_TTL))
        with caplog.at_level(logging.INFO):
            assert relay_later(started, TEXTS, 2 * CLAIM_TTL).delivered == 3

        filters = DeliveryFilter(destination=TEXTS)
        page = started.unite.notifications.list_deliveries(OPERATOR, filters, PageRequest())
        shown = {f"file-{it.id}": str(it.event_id) for it in page.items}
        sent += Counter(shown[record.sid] for record in caplog.records if hasattr(record, "sid"))
        assert sorted(sent.values()) == [1, 1, 3]
        assert sent.keys() == set(shown.values())
        assert {(it.status, it.attempts) for it in page.items} == {(DeliveryStatus.DELIVERED, 3)}


def kill_after_hand_over(folder: Path, destination: str, ahead: timedelta = timedelta()) -> list[str]:
    """Have a worker of its own hand over what waits, and end it before it does anything more; the ids of the events."""
    command = ["tests.faults.stuck_relay", str(ahead.total_seconds())]
    with conversation(command, folder, environment(folder)) as worker:
        words = (line.split() for line in worker.lines())
        return next(ids for name, *ids in words if name == destination)


def relay_later(started: Started, destination: str, by: timedelta) -> Relayed:
    """Relay when so much time has passed."""
    relay = started.unite.notifications.relay
    return replace(relay, clock=FixedClock(relay.clock.now() + by))(destination)


def test_neither_an_event_nor_a_missed_call_waits_for_the_import_that_the_worker_is_at(tmp_path: Path) -> None:
    with service(tmp_path, UNITE_MISSED_AFTER_MINUTES="0") as one:
        one.start()
        client = one.client()
        content = "Name,Email\n" + "".join(f"Lead {it},lead{it}@example.com\n" for it in range(ROWS))
        import_id = client.import_leads(content.encode())
        eventually(lambda: client.lead_import(import_id)["counts"]["rows"], "the import has begun")

        lead = client.call("POST", "/v1/leads", json={"name": "Grace", "email": "grace@example.com"})

        due = {"lead_id": lead["id"], "due_at": "2026-03-02T09:30:00Z"}
        task = client.call("POST", "/v1/call-tasks", json=due)

        eventually(lambda: has_arrived(tmp_path, lead["id"]), "the lead's history has begun")
        path = f"/v1/call-tasks/{task['id']}"
        eventually(lambda: client.call("GET", path)["status"] == "missed", "the call is missed")
        assert client.lead_import(import_id)["status"] == "running"


def has_arrived(folder: Path, lead_id: str) -> bool:
    """Whether the history of the lead has begun."""
    question = f"SELECT lead_id, event_id FROM activity_leads WHERE lead_id = X'{lead_id.replace('-', '')}'"
    return bool(asked(folder / "var" / "unite.sqlite3", question))
