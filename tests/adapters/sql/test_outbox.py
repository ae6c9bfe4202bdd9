"""Whom a recorded event wakes, and when."""

from collections.abc import Collection

from sqlalchemy import Engine

from adapters.sql.unit_of_work import Outbox, SqlWork
from unite_core.notifications.model import ACTIVITY, TOPIC
from unite_core.testing.builders import an_event


def test_a_relay_is_woken_once_after_the_commit_of_what_was_recorded_and_never_otherwise(engine: Engine) -> None:
    found: list[int] = []

    def look(_: Collection[str]) -> None:
        with SqlWork(engine)() as work:
            event = an_event()
            found.append(len(work.deliveries.claim(ACTIVITY, now=event.at, until=event.at, limit=10)))

    units = SqlWork(engine, outbox=Outbox(wake=look))
    with units() as work:
        work.commit()
    with units() as work:
        work.record(an_event())
    assert found == []

    with units() as work:
        work.record(an_event())
        work.record(an_event())
        work.commit()

    assert found == [2]


def test_nobody_is_woken_who_is_told_nothing(engine: Engine) -> None:
    woken: list[set[str]] = []
    units = SqlWork(engine, outbox=Outbox((ACTIVITY, TOPIC), wake=lambda told: woken.append({*told})))

    for kinds in (["lead.created"], ["lead.created", "call_task.created"]):
        with units() as work:
            for kind in kinds:
                work.record(an_event(type=kind))
            work.commit()

    assert woken == [{ACTIVITY}, {ACTIVITY, TOPIC}]
