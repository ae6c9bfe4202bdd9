"""How much may be written down: notes of a user within an hour, pending tasks of a lead, corrections of a call."""

from datetime import timedelta

import pytest

from tests.core.calls.floor import HOUR, Floor
from tests.core.calls.test_correcting import completed, correct
from unite_core import Conflict, PageRequest, Quotas, Rules, TooMany, build
from unite_core.calls.ports import TaskFilter


def with_quotas(floor: Floor, quotas: Quotas) -> Floor:
    floor.unite = build(floor.ports, Rules(quotas=quotas))
    return floor


def test_a_user_writes_no_more_notes_within_an_hour_than_the_quota(floor: Floor) -> None:
    with_quotas(floor, Quotas(notes_per_hour=3))
    tasks = [floor.create() for _ in range(2)]
    for number in range(3):
        floor.note(tasks[number % 2], f"Note {number}.", floor.ann)
        floor.pass_time(timedelta(minutes=10))

    with pytest.raises(TooMany, match="At most 3 notes of one user are taken within an hour") as refused:
        floor.note(tasks[0], "One more.", floor.ann)

    assert (refused.value.code, refused.value.retry_after) == ("quota_exceeded", 30 * 60)
    assert len(floor.stored(tasks[0]).notes) == 2
    floor.note(tasks[0], "Somebody else's.", floor.manager)
    floor.pass_time(timedelta(minutes=30))
    floor.note(tasks[0], "After an hour.", floor.ann)


def test_a_note_that_is_refused_takes_no_place(floor: Floor) -> None:
    with_quotas(floor, Quotas(notes_per_hour=1))
    task = floor.create()
    for text in ("", "x" * 2001):
        with pytest.raises(Exception, match="rule"):
            floor.note(task, text)

    assert len(floor.note(task, "A good one.").notes) == 1


def test_a_lead_has_no_more_pending_tasks_than_the_quota(floor: Floor) -> None:
    with_quotas(floor, Quotas(pending_tasks_per_lead=2))
    lead = floor.lead()
    first, _ = floor.create(lead), floor.create(lead, floor.ann)

    with pytest.raises(Conflict, match="at most 2 pending call tasks; complete or cancel one first") as refused:
        floor.create(lead)

    assert refused.value.code == "too_many_call_tasks"
    floor.create(floor.lead())
    floor.complete(first)
    floor.create(lead)


def test_a_call_that_asks_for_another_one_is_completed_all_the_same(floor: Floor) -> None:
    with_quotas(floor, Quotas(pending_tasks_per_lead=1))
    task = floor.create()

    floor.complete(task, follow_up_at=floor.now + HOUR)

    pending = floor.unite.calls.list(floor.manager, TaskFilter(lead_id=task.lead_id), PageRequest())
    assert len(pending.items) == 2


def test_a_call_is_corrected_no_more_often_than_the_quota(floor: Floor) -> None:
    with_quotas(floor, Quotas(corrections_per_call=2))
    entry, other = completed(floor), completed(floor)
    for seconds in (1, 2):
        correct(floor, entry, duration_seconds=seconds)

    with pytest.raises(Conflict, match="A call is corrected at most 2 times") as refused:
        correct(floor, entry, duration_seconds=3)

    assert refused.value.code == "too_many_corrections"
    assert correct(floor, entry, duration_seconds=2).duration_seconds == 2
    correct(floor, other, duration_seconds=3)
