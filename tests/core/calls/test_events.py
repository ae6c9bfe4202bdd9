"""Tests of the events of call tasks and of the call log, and of their data."""

import json
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from unite_core import (
    CallOutcome,
    CallTask,
    CompletedCall,
    Completion,
    Conflict,
    Correction,
    Event,
    Forbidden,
    Invalid,
    LedgerEntry,
    PreconditionFailed,
)
from unite_core.notifications.audience import AUDIENCES
from unite_core.testing.scenario import HOUR, Scenario
from unite_core.unit_of_work import before_commit


def of(scenario: Scenario, event_type: str) -> Event:
    (event,) = (event for event in scenario.events() if event.type == event_type)
    return event


def common(scenario: Scenario, task: CallTask, **more: Any) -> dict[str, Any]:
    """What every event about a task of Ann's, created by the manager, holds."""
    return {
        "task_id": str(task.id),
        "lead_name": "Grace Hopper",
        "assigned_to": str(scenario.ann.user_id),
        "created_by": str(scenario.manager.user_id),
        "due_at": "2026-03-02T10:00:00Z",
        **more,
    }


def entry_data(entry: LedgerEntry, **more: Any) -> dict[str, Any]:
    """What an event holds of an entry of a call that Ann was to make, without moments and results."""
    return {
        "id": str(entry.id),
        "task_id": str(entry.task_id),
        "number": entry.number,
        "agent_id": str(entry.agent_id),
        "source": "api",
        "hash": entry.hash,
        **more,
    }


NO_CALL: dict[str, Any] = {"outcome": None, "duration_seconds": None, "attempt": None, "corrects": None}


def test_creating_a_task_records_its_creation_and_its_assignment(scenario: Scenario) -> None:
    elsewhere = (scenario.now + HOUR).astimezone(timezone(timedelta(hours=2)))

    task = scenario.create_call_task(due_at=elsewhere, note="Ask for Grace.")

    created, assigned = scenario.events()[-2:]
    assert (created.type, assigned.type) == ("call_task.created", "call_task.assigned")
    for event in (created, assigned):
        assert (event.at, event.actor_id, event.correlation_id) == (
            scenario.now,
            scenario.manager.user_id,
            "of-manager",
        )
        assert (event.lead_ids, event.import_id, event.delivery_id) == ((task.lead_id,), None, None)
        assert event.data == common(scenario, task)


def test_assigning_a_task_records_the_new_assignee(scenario: Scenario) -> None:
    task = scenario.create_call_task()

    scenario.assign(task, scenario.ben)

    event = scenario.events()[-1]
    assert (event.type, event.data) == (
        "call_task.assigned",
        common(scenario, task, assigned_to=str(scenario.ben.user_id)),
    )


def test_a_note_records_an_event_without_its_text(scenario: Scenario) -> None:
    task = scenario.create_call_task()

    noted = scenario.add_note(task, "Ask for Grace.", scenario.ann)

    event = of(scenario, "call_task.noted")
    assert (event.actor_id, event.data) == (
        scenario.ann.user_id,
        common(scenario, task, note_id=str(noted.notes[0].id)),
    )


def test_a_completion_records_its_entry_and_the_follow_up(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    so_far = len(scenario.events())

    done = scenario.complete(
        task, outcome=CallOutcome.CALLBACK_REQUESTED, duration_seconds=90, follow_up_at=scenario.now + HOUR
    )

    completed, moved, created, assigned = scenario.events()[so_far:]
    (entry,) = scenario.ledger(task)
    assert (completed.type, completed.at, completed.actor_id) == ("call_task.completed", entry.at, scenario.ann.user_id)
    assert completed.data == common(
        scenario,
        task,
        outcome="callback_requested",
        duration_seconds=90,
        follow_up_task_id=str(done.follow_up_id),
        entry_id=str(entry.id),
        entry_hash=entry.hash,
        entry=entry_data(
            entry,
            kind="completed",
            result="callback_requested",
            outcome="callback_requested",
            duration_seconds=90,
            called_at="2026-03-02T08:58:30Z",
            at="2026-03-02T09:00:00Z",
            attempt=1,
            corrects=None,
        ),
    )
    assert (moved.type, moved.lead_ids) == ("lead.changed", (task.lead_id,))
    for event, event_type in ((created, "call_task.created"), (assigned, "call_task.assigned")):
        assert (event.type, event.actor_id) == (event_type, scenario.ann.user_id)
        assert event.data == common(
            scenario, task, task_id=str(done.follow_up_id), created_by=str(scenario.ann.user_id)
        )


def test_a_completion_without_a_follow_up_records_none(scenario: Scenario) -> None:
    scenario.complete(scenario.create_call_task())

    assert of(scenario, "call_task.completed").data["follow_up_task_id"] is None


def test_a_cancellation_records_its_reason(scenario: Scenario) -> None:
    task = scenario.create_call_task()

    scenario.cancel(task, "She called herself.")

    (entry,) = scenario.ledger(task)
    event = of(scenario, "call_task.cancelled")
    assert (event.at, event.actor_id) == (entry.at, scenario.manager.user_id)
    assert event.data == common(
        scenario,
        task,
        entry_id=str(entry.id),
        entry_hash=entry.hash,
        reason="She called herself.",
        entry=entry_data(
            entry,
            kind="cancelled",
            result="cancelled",
            called_at="2026-03-02T10:00:00Z",
            at="2026-03-02T09:00:00Z",
            **NO_CALL,
        ),
    )


def test_a_missed_call_is_recorded_without_an_actor(scenario: Scenario) -> None:
    task = scenario.create_call_task()

    scenario.miss(task)

    (entry,) = scenario.ledger(task)
    event = of(scenario, "call_task.missed")
    assert (event.at, event.actor_id, event.correlation_id) == (entry.at, None, None)
    assert event.data == common(
        scenario,
        task,
        entry_id=str(entry.id),
        entry_hash=entry.hash,
        reason=None,
        entry=entry_data(
            entry,
            kind="missed",
            result="missed",
            called_at="2026-03-02T10:00:00Z",
            at="2026-03-02T10:30:01Z",
            **NO_CALL,
        ),
    )


def test_a_correction_records_the_corrected_entry(scenario: Scenario) -> None:
    task = scenario.complete(scenario.create_call_task())
    (wrong,) = scenario.ledger(task)

    right = scenario.unite.calls.correct(
        scenario.manager, Correction(entry_id=wrong.id, reason="Wrong button.", outcome=CallOutcome.BUSY)
    )

    event = of(scenario, "call_log.corrected")
    assert event.data == common(
        scenario,
        task,
        entry_id=str(right.id),
        entry_hash=right.hash,
        corrects=str(wrong.id),
        entry=entry_data(
            right,
            kind="correction",
            result="busy",
            outcome="busy",
            duration_seconds=300,
            called_at="2026-03-02T08:55:00Z",
            at="2026-03-02T09:00:00Z",
            attempt=1,
            corrects=str(wrong.id),
        ),
    )


def test_no_event_of_a_call_contains_a_phone_number(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    phone = scenario.lead_of(task).phone
    scenario.add_note(task, "Ask for Grace.")
    scenario.complete(task, outcome=CallOutcome.CONVERTED, follow_up_at=scenario.now + HOUR)
    scenario.cancel(scenario.create_call_task(scenario.create_lead(phone="+12125550199")))

    assert phone is not None
    texts = [json.dumps(event.data) for event in scenario.events() if event.type.startswith("call_")]
    assert len(texts) == 9
    assert [text for text in texts if phone.number in text or "2125550199" in text] == []


def test_every_event_type_of_calls_for_the_topic_is_recorded(scenario: Scenario) -> None:
    made, cancelled, missed = (scenario.create_call_task() for _ in range(3))
    scenario.complete(made)
    (wrong,) = scenario.ledger(made)
    scenario.unite.calls.correct(scenario.manager, Correction(entry_id=wrong.id, reason="Shorter.", duration_seconds=1))
    scenario.cancel(cancelled)
    scenario.miss(missed)

    types = {event.type for event in scenario.events()}

    assert {each for each in AUDIENCES if each.startswith("call_")} <= types


def test_refused_and_ineffective_requests_record_no_event(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    scenario.complete(task)
    other = scenario.create_call_task()
    before = scenario.events()

    with pytest.raises(Conflict):
        scenario.cancel(task)
    with pytest.raises(PreconditionFailed):
        scenario.add_note(task, "Ask for Grace.", version=1)
    with pytest.raises(Invalid):
        scenario.complete(other, duration_seconds=-1)
    with pytest.raises(Forbidden):
        scenario.assign(other, scenario.ben, scenario.ann)
    scenario.complete(task)
    scenario.assign(other, scenario.ann)
    scenario.unite.upkeep.mark_missed()

    assert scenario.events() == before


def test_a_completion_that_is_not_committed_records_no_event(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    before = scenario.events()

    def refuse(*_: object) -> None:
        raise Conflict("Another attempt took over.")

    complete = replace(scenario.unite.calls.complete, work=before_commit(scenario.ports.work, refuse))
    call = CompletedCall(task_id=task.id, completion=Completion(outcome=CallOutcome.CONNECTED, duration_seconds=1))
    with pytest.raises(Conflict):
        complete(scenario.ann, call)

    assert (scenario.events(), scenario.stored(task)) == (before, task)
