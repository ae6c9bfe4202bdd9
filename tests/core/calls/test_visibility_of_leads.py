"""Tests of which users see the lead of a call task: after the task is closed, only those who may see the lead."""

from collections.abc import Callable

import pytest

from unite_core import (
    Actor,
    Assignment,
    CallTask,
    Cancellation,
    CompletedCall,
    Completion,
    Lead,
    LeadChanges,
    NewNote,
    NotFound,
    PageRequest,
    TaskFilter,
    UserChanges,
)
from unite_core import CallOutcome as Outcome
from unite_core.testing.builders import an_actor, an_id
from unite_core.testing.scenario import Scenario


def reassign(scenario: Scenario, task: CallTask, to: Actor | None) -> None:
    """Assign the lead of the task to another agent; the task keeps its assignee."""
    changes = LeadChanges(lead_id=task.lead_id, assigned_to=to.user_id if to else None)
    scenario.unite.leads.change(scenario.manager, changes)


def read(scenario: Scenario, actor: Actor, task: CallTask) -> Lead | None:
    return scenario.unite.calls.get(actor, task.id).lead


def listed(scenario: Scenario, actor: Actor, task: CallTask) -> Lead | None:
    views = scenario.unite.calls.list(actor, TaskFilter(lead_id=task.lead_id), PageRequest()).items
    if not views:
        raise NotFound("It is not in the list.")
    [view] = views
    return view.lead


def noted(scenario: Scenario, actor: Actor, task: CallTask) -> Lead | None:
    return scenario.unite.calls.note(actor, NewNote(task_id=task.id, text="She called back.")).lead


WAYS: list[Callable[[Scenario, Actor, CallTask], Lead | None]] = [read, listed, noted]


@pytest.mark.parametrize("way", WAYS)
def test_a_pending_task_shows_its_lead_to_its_agent(
    scenario: Scenario, way: Callable[[Scenario, Actor, CallTask], Lead | None]
) -> None:
    task = scenario.create_call_task()
    reassign(scenario, task, scenario.ben)

    assert way(scenario, scenario.ann, task) == scenario.lead_of(task)


@pytest.mark.parametrize("close", [Scenario.complete, Scenario.cancel, Scenario.miss])
@pytest.mark.parametrize("way", WAYS)
def test_a_closed_task_shows_its_lead_only_to_users_who_may_see_the_lead(
    scenario: Scenario,
    way: Callable[[Scenario, Actor, CallTask], Lead | None],
    close: Callable[[Scenario, CallTask], CallTask | None],
) -> None:
    task = scenario.create_call_task()
    close(scenario, task)
    assert way(scenario, scenario.ann, task) == scenario.lead_of(task)

    reassign(scenario, task, scenario.ben)

    assert way(scenario, scenario.ann, task) is None
    assert way(scenario, scenario.manager, task) == scenario.lead_of(task)
    with pytest.raises(NotFound):
        way(scenario, scenario.ben, task)

    reassign(scenario, task, None)
    assert way(scenario, scenario.ann, task) is None

    reassign(scenario, task, scenario.ann)
    assert way(scenario, scenario.ann, task) == scenario.lead_of(task)


def test_the_result_of_a_completion_hides_a_lead_that_the_agent_may_not_see(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    reassign(scenario, task, scenario.ben)
    call = CompletedCall(task_id=task.id, completion=Completion(outcome=Outcome.CONNECTED, duration_seconds=60))

    first, again = scenario.unite.calls.complete(scenario.ann, call), scenario.unite.calls.complete(scenario.ann, call)

    assert (first.lead, again.lead) == (None, None)
    assert scenario.unite.calls.complete(scenario.manager, call).lead == scenario.lead_of(task)


def test_a_follow_up_shows_its_lead_while_it_is_pending(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    reassign(scenario, task, scenario.ben)
    closed = scenario.complete(task, follow_up_at=scenario.now + 2 * (task.due_at - scenario.now))
    assert closed.follow_up_id is not None

    assert scenario.unite.calls.get(scenario.ann, closed.follow_up_id).lead == scenario.lead_of(task)
    scenario.cancel(scenario.tables.tasks[closed.follow_up_id])
    assert scenario.unite.calls.get(scenario.ann, closed.follow_up_id).lead is None


def test_a_manager_who_became_an_agent_sees_only_what_agents_see(scenario: Scenario) -> None:
    task = scenario.create_call_task(assigned_to=scenario.manager.user_id)
    cancelled = scenario.unite.calls.cancel(scenario.manager, Cancellation(task_id=task.id))
    assert cancelled.lead == scenario.lead_of(task)
    demoted = Actor(user_id=scenario.manager.user_id, role=scenario.ann.role)

    assert scenario.unite.calls.get(demoted, task.id).lead is None


def test_events_name_the_lead_for_every_recipient(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    scenario.complete(task)
    reassign(scenario, task, scenario.ben)

    scenario.add_note(task, "She called back.", scenario.ann)

    assert scenario.events()[-1].type == "call_task.noted"
    assert scenario.events()[-1].data["lead_name"] == scenario.lead_of(task).name


def test_an_entry_of_the_call_log_is_visible_to_its_agent_and_to_managers(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    scenario.complete(task)
    [entry] = scenario.ledger(task)

    assert scenario.unite.calls.get_log_entry(scenario.ann, entry.id) == entry
    assert scenario.unite.calls.get_log_entry(scenario.manager, entry.id) == entry
    for actor, entry_id in ((scenario.ben, entry.id), (scenario.manager, an_id())):
        with pytest.raises(NotFound):
            scenario.unite.calls.get_log_entry(actor, entry_id)


def test_a_reactivated_agent_does_not_get_back_reassigned_tasks(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    scenario.unite.calls.assign(scenario.manager, Assignment(task_id=task.id, assigned_to=scenario.ben.user_id))
    scenario.deactivate(scenario.ann)
    scenario.unite.identity.update_user(an_actor(), UserChanges(user_id=scenario.ann.user_id, active=True))

    with pytest.raises(NotFound):
        read(scenario, scenario.ann, task)
