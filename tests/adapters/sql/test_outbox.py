"""Tests of the outbox: which relays a recorded event wakes, and when."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event

from adapters.sql.unit_of_work import Outbox, SqlUnitOfWorkFactory
from unite_core.imports.model import ImportStatus, LeadImport
from unite_core.notifications.model import ACTIVITY, TOPIC
from unite_core.notifications.subscriptions import ACTIVITY_SUBSCRIPTION, TOPIC_SUBSCRIPTION
from unite_core.testing.builders import a_user, an_event, an_import


def test_relays_are_woken_once_after_the_commit_of_an_event_and_never_otherwise(engine: Engine) -> None:
    results: list[int] = []

    def look(_: Collection[str]) -> None:
        with SqlUnitOfWorkFactory(engine)() as work:
            now = an_event().at
            results.append(len(work.deliveries.claim(ACTIVITY, now=now, until=now, limit=10)))

    units = SqlUnitOfWorkFactory(engine, outbox=Outbox(wake=look))
    with units() as work:
        work.commit()
    with units() as work:
        work.record(an_event())
    assert results == []

    with units() as work:
        work.record(an_event())
        work.record(an_event())
        work.commit()

    assert results == [2]


def test_only_relays_of_subscribed_destinations_are_woken(engine: Engine) -> None:
    woken: list[set[str]] = []
    units = SqlUnitOfWorkFactory(
        engine,
        outbox=Outbox((ACTIVITY_SUBSCRIPTION, TOPIC_SUBSCRIPTION), wake=lambda names: woken.append({*names})),
    )

    for kinds in (["lead.created"], ["lead.created", "call_task.created"]):
        with units() as work:
            for kind in kinds:
                work.record(an_event(type=kind))
            work.commit()

    assert woken == [{ACTIVITY}, {ACTIVITY, TOPIC}]


def test_all_events_of_a_unit_of_work_are_stored_by_two_statements(engine: Engine) -> None:
    units = SqlUnitOfWorkFactory(engine, outbox=Outbox((ACTIVITY_SUBSCRIPTION, TOPIC_SUBSCRIPTION)))
    with inserts(engine) as made, units() as work:
        for _ in range(5):
            work.record(an_event(type="call_task.created"))
        work.commit()

    assert [statement.split()[2] for statement in made] == ["outbox_events", "deliveries"]


@contextmanager
def inserts(engine: Engine) -> Iterator[list[str]]:
    """The INSERT statements that are made in the block."""
    made: list[str] = []

    def record(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT"):
            made.append(statement)

    event.listen(engine, "before_cursor_execute", record)
    yield made
    event.remove(engine, "before_cursor_execute", record)


OWN, CURRENT = f"00-{'4b' * 16}-{'f0' * 8}-01", f"00-{'5c' * 16}-{'e1' * 8}-01"


def test_an_event_gets_the_current_span_unless_it_has_one(engine: Engine) -> None:
    traced, untraced = SqlUnitOfWorkFactory(engine, traceparent=lambda: CURRENT), SqlUnitOfWorkFactory(engine)
    events = {name: an_event(traceparent=name) for name in (OWN, None)}
    later = an_event()
    with traced() as work:
        for event_ in events.values():
            work.record(event_)
        work.commit()
    with untraced() as work:
        work.record(later)
        work.commit()

    with untraced() as work:
        claimed = work.deliveries.claim(ACTIVITY, now=later.at, until=later.at, limit=10)
    assert {event_.id: event_.traceparent for _, event_ in claimed} == {
        events[OWN].id: OWN,
        events[None].id: CURRENT,
        later.id: None,
    }


def test_an_import_gets_the_span_that_makes_it_due(engine: Engine) -> None:
    current = ["of-the-announcement", CURRENT, "of-a-job"]
    units = SqlUnitOfWorkFactory(engine, traceparent=lambda: current[0])
    ann = a_user()
    coming = an_import(ann, status=ImportStatus.AWAITING_UPLOAD)
    with units() as work:
        work.users.add(ann)
        work.imports.add(coming)
        work.commit()

    def change(**changes: object) -> LeadImport:
        del current[0]
        with units() as work:
            stored = work.imports.get(coming.id)
            for name, value in changes.items():
                setattr(stored, name, value)
            stored.mark_updated()
            work.imports.save(stored)
            work.commit()
        with units() as work:
            return work.imports.get(coming.id)

    assert change(status=ImportStatus.QUEUED).traceparent == CURRENT
    assert change(status=ImportStatus.RUNNING).traceparent == CURRENT
