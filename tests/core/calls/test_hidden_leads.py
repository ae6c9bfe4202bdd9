"""Once a task is closed, an agent to whom its lead is not assigned is not told who the lead is."""

from collections.abc import Callable

import pytest

from tests.core.calls.floor import Floor
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


def reassign(floor: Floor, task: CallTask, to: Actor | None) -> None:
    """Assign the lead of the task to somebody else, and leave the task where it is."""
    changes = LeadChanges(lead_id=task.lead_id, assigned_to=to.user_id if to else None)
    floor.unite.leads.change(floor.manager, changes)


def read(floor: Floor, actor: Actor, task: CallTask) -> Lead | None:
    return floor.unite.calls.get(actor, task.id).lead


def listed(floor: Floor, actor: Actor, task: CallTask) -> Lead | None:
    views = floor.unite.calls.list(actor, TaskFilter(lead_id=task.lead_id), PageRequest()).items
    if not views:
        raise NotFound("It is not in the list.")
    [view] = views
    return view.lead


def noted(floor: Floor, actor: Actor, task: CallTask) -> Lead | None:
    return floor.unite.calls.note(actor, NewNote(task_id=task.id, text="She called back.")).lead


WAYS: list[Callable[[Floor, Actor, CallTask], Lead | None]] = [read, listed, noted]


@pytest.mark.parametrize("way", WAYS)
def test_a_pending_task_shows_its_lead_to_the_agent_who_is_to_call(
    floor: Floor, way: Callable[[Floor, Actor, CallTask], Lead | None]
) -> None:
    task = floor.create()
    reassign(floor, task, floor.ben)

    assert way(floor, floor.ann, task) == floor.lead_of(task)


@pytest.mark.parametrize("close", [Floor.complete, Floor.cancel, Floor.miss])
@pytest.mark.parametrize("way", WAYS)
def test_a_closed_task_shows_its_lead_to_those_alone_who_may_see_the_lead(
    floor: Floor,
    way: Callable[[Floor, Actor, CallTask], Lead | None],
    close: Callable[[Floor, CallTask], CallTask | None],
) -> None:
    task = floor.create()
    close(floor, task)
    assert way(floor, floor.ann, task) == floor.lead_of(task)

    reassign(floor, task, floor.ben)

    assert way(floor, floor.ann, task) is None
    assert way(floor, floor.manager, task) == floor.lead_of(task)
    with pytest.raises(NotFound):
        way(floor, floor.ben, task)

    reassign(floor, task, None)
    assert way(floor, floor.ann, task) is None

    reassign(floor, task, floor.ann)
    assert way(floor, floor.ann, task) == floor.lead_of(task)


def test_whoever_completes_a_task_is_not_told_of_a_lead_that_is_not_theirs(floor: Floor) -> None:
    task = floor.create()
    reassign(floor, task, floor.ben)
    call = CompletedCall(task_id=task.id, completion=Completion(outcome=Outcome.CONNECTED, duration_seconds=60))

    first, again = floor.unite.calls.complete(floor.ann, call), floor.unite.calls.complete(floor.ann, call)

    assert (first.lead, again.lead) == (None, None)
    assert floor.unite.calls.complete(floor.manager, call).lead == floor.lead_of(task)


def test_the_follow_up_of_a_call_shows_the_lead_for_as_long_as_it_is_pending(floor: Floor) -> None:
    task = floor.create()
    reassign(floor, task, floor.ben)
    closed = floor.complete(task, follow_up_at=floor.now + 2 * (task.due_at - floor.now))
    assert closed.follow_up_id is not None

    assert floor.unite.calls.get(floor.ann, closed.follow_up_id).lead == floor.lead_of(task)
    floor.cancel(floor.tables.tasks[closed.follow_up_id])
    assert floor.unite.calls.get(floor.ann, closed.follow_up_id).lead is None


def test_a_manager_who_became_an_agent_sees_as_one(floor: Floor) -> None:
    task = floor.create(assigned_to=floor.manager.user_id)
    cancelled = floor.unite.calls.cancel(floor.manager, Cancellation(task_id=task.id))
    assert cancelled.lead == floor.lead_of(task)
    demoted = Actor(user_id=floor.manager.user_id, role=floor.ann.role)

    assert floor.unite.calls.get(demoted, task.id).lead is None


def test_events_name_the_lead_whoever_may_see_it(floor: Floor) -> None:
    task = floor.create()
    floor.complete(task)
    reassign(floor, task, floor.ben)

    floor.note(task, "She called back.", floor.ann)

    assert floor.events[-1].type == "call_task.noted"
    assert floor.events[-1].data["lead_name"] == floor.lead_of(task).name


def test_one_entry_of_the_call_log_is_read_by_those_whose_call_it_was_and_by_managers(floor: Floor) -> None:
    task = floor.create()
    floor.complete(task)
    [entry] = floor.chain(task)

    assert floor.unite.calls.get_log_entry(floor.ann, entry.id) == entry
    assert floor.unite.calls.get_log_entry(floor.manager, entry.id) == entry
    for actor, entry_id in ((floor.ben, entry.id), (floor.manager, an_id())):
        with pytest.raises(NotFound):
            floor.unite.calls.get_log_entry(actor, entry_id)


def test_what_became_of_a_deactivated_agents_tasks_is_not_theirs_when_they_come_back(floor: Floor) -> None:
    task = floor.create()
    floor.unite.calls.assign(floor.manager, Assignment(task_id=task.id, assigned_to=floor.ben.user_id))
    floor.dismiss(floor.ann)
    floor.unite.identity.update_user(an_actor(), UserChanges(user_id=floor.ann.user_id, active=True))

    with pytest.raises(NotFound):
        read(floor, floor.ann, task)
