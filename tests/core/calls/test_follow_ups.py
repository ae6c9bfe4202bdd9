"""Calls that ask for another call."""

from typing import Any

from tests.core.calls.floor import HOUR, Floor
from unite_core import CallOutcome, CallTask, TaskStatus

CALLBACK = CallOutcome.CALLBACK_REQUESTED


def follow_up(floor: Floor, task: CallTask) -> CallTask:
    assert task.follow_up_id is not None
    return floor.tables.tasks[task.follow_up_id]


def test_a_callback_becomes_another_task_for_the_same_agent(floor: Floor) -> None:
    task = floor.create()
    due_at = floor.now + 3 * HOUR

    done = floor.complete(task, outcome=CALLBACK, follow_up_at=due_at)

    following = follow_up(floor, done)
    assert following == CallTask(
        id=following.id,
        lead_id=task.lead_id,
        assigned_to=floor.ann.user_id,
        due_at=due_at,
        created_by=floor.ann.user_id,
        created_at=floor.now,
        updated_at=floor.now,
        follow_up_of=task.id,
    )
    (entry,) = floor.chain(task)
    assert (entry.outcome, entry.follow_up_at) == (CALLBACK, due_at)
    assert floor.told(following) == ["call_task.created", "call_task.assigned"]


def test_any_call_may_ask_for_another(floor: Floor) -> None:
    done = floor.complete(floor.create(), outcome=CallOutcome.VOICEMAIL, follow_up_at=floor.now + HOUR)

    assert follow_up(floor, done).status is TaskStatus.PENDING


def test_a_call_that_follows_is_nobodys_where_the_agent_has_left_or_there_was_none(floor: Floor) -> None:
    anns, nobodys = floor.create(), floor.create(floor.lead(assigned_to=None))
    floor.dismiss(floor.ann)

    for task in (anns, nobodys):
        done = floor.complete(task, floor.manager, follow_up_at=floor.now + HOUR)
        assert follow_up(floor, done).assigned_to is None
        assert floor.told(follow_up(floor, done)) == ["call_task.created"]


def test_a_callback_told_twice_is_followed_by_one_call_even_when_that_is_due_by_then(floor: Floor) -> None:
    task = floor.create()
    told: dict[str, Any] = {"outcome": CALLBACK, "follow_up_at": floor.now + HOUR}
    first = floor.complete(task, **told)
    floor.pass_time(2 * HOUR)

    assert floor.complete(task, **told) == first
    assert len(floor.tables.tasks) == 2
