"""Tests of follow-up tasks of completed calls."""

from typing import Any

from unite_core import CallOutcome, CallTask, TaskStatus
from unite_core.testing.scenario import HOUR, Scenario

CALLBACK = CallOutcome.CALLBACK_REQUESTED


def follow_up(scenario: Scenario, task: CallTask) -> CallTask:
    assert task.follow_up_id is not None
    return scenario.tables.tasks[task.follow_up_id]


def test_a_callback_creates_a_task_for_the_same_agent(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    due_at = scenario.now + 3 * HOUR

    done = scenario.complete(task, outcome=CALLBACK, follow_up_at=due_at)

    following = follow_up(scenario, done)
    assert following == CallTask(
        id=following.id,
        lead_id=task.lead_id,
        assigned_to=scenario.ann.user_id,
        due_at=due_at,
        created_by=scenario.ann.user_id,
        created_at=scenario.now,
        updated_at=scenario.now,
        follow_up_of=task.id,
    )
    (entry,) = scenario.ledger(task)
    assert (entry.outcome, entry.follow_up_at) == (CALLBACK, due_at)
    assert [it.type for it in scenario.events_of(following)] == ["call_task.created", "call_task.assigned"]


def test_any_outcome_may_have_a_follow_up(scenario: Scenario) -> None:
    done = scenario.complete(
        scenario.create_call_task(), outcome=CallOutcome.VOICEMAIL, follow_up_at=scenario.now + HOUR
    )

    assert follow_up(scenario, done).status is TaskStatus.PENDING


def test_a_follow_up_is_unassigned_if_the_agent_is_inactive_or_missing(scenario: Scenario) -> None:
    anns, without_agent = scenario.create_call_task(), scenario.create_call_task(scenario.create_lead(assigned_to=None))
    scenario.deactivate(scenario.ann)

    for task in (anns, without_agent):
        done = scenario.complete(task, scenario.manager, follow_up_at=scenario.now + HOUR)
        assert follow_up(scenario, done).assigned_to is None
        assert [it.type for it in scenario.events_of(follow_up(scenario, done))] == ["call_task.created"]


def test_a_repeated_completion_creates_one_follow_up_even_after_its_due_time(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    call: dict[str, Any] = {"outcome": CALLBACK, "follow_up_at": scenario.now + HOUR}
    first = scenario.complete(task, **call)
    scenario.advance(2 * HOUR)

    assert scenario.complete(task, **call) == first
    assert len(scenario.tables.tasks) == 2
