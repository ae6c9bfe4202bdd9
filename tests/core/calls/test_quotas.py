"""Tests of quotas of notes per user and hour, pending tasks per lead, and corrections per call."""

from datetime import timedelta

import pytest

from tests.core.calls.test_correcting import completed, correct
from unite_core import Conflict, PageRequest, Quotas, Rules, TooManyRequests, build
from unite_core.calls.ports import TaskFilter
from unite_core.testing.scenario import HOUR, Scenario


def with_quotas(scenario: Scenario, quotas: Quotas) -> Scenario:
    scenario.unite = build(scenario.ports, Rules(quotas=quotas))
    return scenario


def test_notes_of_a_user_beyond_the_quota_per_hour_are_refused(scenario: Scenario) -> None:
    with_quotas(scenario, Quotas(notes_per_hour=3))
    tasks = [scenario.create_call_task() for _ in range(2)]
    for number in range(3):
        scenario.add_note(tasks[number % 2], f"Note {number}.", scenario.ann)
        scenario.advance(timedelta(minutes=10))

    with pytest.raises(TooManyRequests, match="At most 3 notes of one user are allowed within an hour") as refused:
        scenario.add_note(tasks[0], "One more.", scenario.ann)

    assert (refused.value.code, refused.value.retry_after) == ("quota_exceeded", 30 * 60)
    assert len(scenario.stored(tasks[0]).notes) == 2
    scenario.add_note(tasks[0], "Somebody else's.", scenario.manager)
    scenario.advance(timedelta(minutes=30))
    scenario.add_note(tasks[0], "After an hour.", scenario.ann)


def test_a_refused_note_does_not_count(scenario: Scenario) -> None:
    with_quotas(scenario, Quotas(notes_per_hour=1))
    task = scenario.create_call_task()
    for text in ("", "x" * 2001):
        with pytest.raises(Exception, match="rule"):
            scenario.add_note(task, text)

    assert len(scenario.add_note(task, "A good one.").notes) == 1


def test_pending_tasks_of_a_lead_beyond_the_quota_are_refused(scenario: Scenario) -> None:
    with_quotas(scenario, Quotas(pending_tasks_per_lead=2))
    lead = scenario.create_lead()
    first, _ = scenario.create_call_task(lead), scenario.create_call_task(lead, scenario.ann)

    with pytest.raises(Conflict, match="at most 2 pending call tasks; complete or cancel one first") as refused:
        scenario.create_call_task(lead)

    assert refused.value.code == "too_many_call_tasks"
    scenario.create_call_task(scenario.create_lead())
    scenario.complete(first)
    scenario.create_call_task(lead)


def test_a_call_with_a_follow_up_can_be_completed_although_the_quota_of_tasks_is_reached(scenario: Scenario) -> None:
    with_quotas(scenario, Quotas(pending_tasks_per_lead=1))
    task = scenario.create_call_task()

    scenario.complete(task, follow_up_at=scenario.now + HOUR)

    pending = scenario.unite.calls.list(scenario.manager, TaskFilter(lead_id=task.lead_id), PageRequest())
    assert len(pending.items) == 2


def test_corrections_of_a_call_beyond_the_quota_are_refused(scenario: Scenario) -> None:
    with_quotas(scenario, Quotas(corrections_per_call=2))
    entry, other = completed(scenario), completed(scenario)
    for seconds in (1, 2):
        correct(scenario, entry, duration_seconds=seconds)

    with pytest.raises(Conflict, match="A call is corrected at most 2 times") as refused:
        correct(scenario, entry, duration_seconds=3)

    assert refused.value.code == "too_many_corrections"
    assert correct(scenario, entry, duration_seconds=2).duration_seconds == 2
    correct(scenario, other, duration_seconds=3)
