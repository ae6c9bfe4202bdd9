"""Tests of the report of calls by agent and day, and of the time up to which it is complete."""

from datetime import date, timedelta
from typing import Any

from unite_core.application import build
from unite_core.calls.ledger import EntryKind
from unite_core.calls.model import CallOutcome
from unite_core.identity.model import Role
from unite_core.periods import Period
from unite_core.reports.agent_activity import ActivityFigures
from unite_core.testing.builders import a_lead, a_task, a_user, acting, an_actor, an_entry, an_event, an_event_of
from unite_core.testing.contracts.database import add_all
from unite_core.testing.in_memory import (
    A_MONDAY_MORNING,
    InMemoryActivityLog,
    InMemoryCallDocuments,
    InMemoryPorts,
    in_memory_ports,
)

WEEK = Period(date(2026, 3, 2), date(2026, 3, 8), "Asia/Tokyo")
MANAGER = an_actor(Role.MANAGER)
MISSED: dict[str, Any] = {"kind": EntryKind.MISSED, "outcome": None, "duration_seconds": None}


def with_documents() -> InMemoryPorts:
    documents = InMemoryCallDocuments()
    return in_memory_ports(documents=documents, activity=InMemoryActivityLog(documents))


def test_each_agent_has_totals_and_figures_for_each_day_with_calls() -> None:
    for ports in (in_memory_ports(), with_documents()):
        ann, ben, lead = a_user(name="Ann"), a_user(name="Ben"), a_lead()
        days = [A_MONDAY_MORNING + timedelta(days=it) for it in range(3)]
        tasks = [a_task(lead, ann, assigned_to=whose) for whose in (ben.id, ann.id, ann.id, ann.id, None, None)]
        entries = [
            an_entry(tasks[0], at=days[0]),
            an_entry(tasks[1], at=days[0], outcome=CallOutcome.CONVERTED),
            an_entry(tasks[2], at=days[2], outcome=CallOutcome.BUSY, duration_seconds=5),
            an_entry(tasks[3], at=days[2], called_at=days[2], **MISSED),
            an_entry(tasks[4], at=days[1], called_at=days[1], **MISSED),
            an_entry(tasks[5], at=days[2], called_at=days[2], **{**MISSED, "kind": EntryKind.CANCELLED}),
        ]
        add_all(ports.work, ann, ben, lead, *tasks, *entries)
        ports.activity.deliver([an_event_of(entry) for entry in entries])
        unite = build(ports)

        agents = unite.reports.activity(MANAGER, WEEK).agents

        assert [agent.agent.name for agent in agents] == ["Ann", "Ben", None]
        assert [numbers(agent.figures) for agent in agents] == [
            (3, 2, 1, 1, 1, 305),
            (1, 1, 0, 1, 0, 300),
            (1, 0, 1, 0, 0, 0),
        ]
        assert [(day.date.day, numbers(day.figures)) for day in agents[0].by_day] == [
            (2, (1, 1, 0, 1, 1, 300)),
            (4, (2, 1, 1, 0, 0, 5)),
        ]
        [own] = unite.reports.activity(acting(ben), WEEK).agents
        assert own == agents[1]


def numbers(figures: ActivityFigures) -> tuple[int, ...]:
    counts = (figures.calls, figures.completed, figures.missed, figures.contacts, figures.conversions)
    return (*(count.value for count in counts), figures.duration_seconds)


def test_it_is_complete_up_to_the_oldest_pending_event_of_a_call() -> None:
    ports = with_documents()
    unite = build(ports)
    entry = an_entry(a_task(a_lead(), a_user()), at=A_MONDAY_MORNING - timedelta(hours=1))
    with ports.work() as unit:
        unit.record(an_event(at=A_MONDAY_MORNING - timedelta(hours=2)))
        unit.record(an_event_of(entry))
        unit.commit()

    about = unite.reports.activity(MANAGER, WEEK).about
    assert (about.complete_through, about.generated_at) == (entry.at, ports.clock.now())

    unite.notifications.relay("activity")
    assert unite.reports.activity(MANAGER, WEEK).about.complete_through == ports.clock.now()


def test_without_documents_it_is_complete() -> None:
    ports = in_memory_ports()
    with ports.work() as unit:
        unit.record(an_event_of(an_entry(a_task(a_lead(), a_user()), at=A_MONDAY_MORNING - timedelta(hours=1))))
        unit.commit()

    assert build(ports).reports.activity(MANAGER, WEEK).about.complete_through == ports.clock.now()


def test_a_correction_after_the_day_changes_restated_at() -> None:
    for ports in (in_memory_ports(), with_documents()):
        ann, lead = a_user(), a_lead()
        task = a_task(lead, ann, assigned_to=ann.id)
        entry = an_entry(task, at=A_MONDAY_MORNING)
        right = an_entry(task, [entry], at=A_MONDAY_MORNING + timedelta(days=9), called_at=entry.called_at)
        add_all(ports.work, ann, lead, task, entry, right)
        ports.activity.deliver([an_event_of(entry), an_event_of(right)])

        assert build(ports).reports.activity(MANAGER, WEEK).about.restated_at == right.at
