"""Planning calls: who may create, assign and note what."""

from datetime import timedelta

import pytest

from tests.core.calls.floor import HOUR, Floor
from unite_core import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed, TaskStatus, UniteError
from unite_core.calls.model import MAX_NOTE_LENGTH, MAX_NOTES
from unite_core.testing.builders import an_actor, an_id


def codes(error: UniteError) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in error.problems]


def test_a_call_task_is_pending_and_belongs_to_whoever_the_lead_belongs_to(floor: Floor) -> None:
    lead = floor.lead()

    task = floor.create(lead, floor.manager, due_at=floor.now + HOUR)

    assert (task.status, task.lead_id, task.assigned_to) == (TaskStatus.PENDING, lead.id, floor.ann.user_id)
    assert (task.due_at, task.created_by, task.created_at) == (floor.now + HOUR, floor.manager.user_id, floor.now)
    assert (task.version, task.notes, task.completion, task.closed_at) == (1, [], None, None)
    assert floor.stored(task) == task
    assert floor.chain(task) == []


def test_managers_create_call_tasks_for_any_active_user(floor: Floor) -> None:
    assert floor.create(actor=floor.admin, assigned_to=floor.ben.user_id).assigned_to == floor.ben.user_id


def test_a_call_task_of_a_lead_that_is_nobodys_is_nobodys_yet(floor: Floor) -> None:
    task = floor.create(floor.lead(assigned_to=None))

    assert task.assigned_to is None
    assert floor.told(task) == ["call_task.created"]


def test_a_call_task_is_not_given_to_the_owner_of_the_lead_who_has_left(floor: Floor) -> None:
    lead = floor.lead()
    floor.dismiss(floor.ann)

    assert floor.create(lead).assigned_to is None


def test_a_call_task_may_be_due_already(floor: Floor) -> None:
    assert floor.create(due_at=floor.now - timedelta(days=1)).status is TaskStatus.PENDING


def test_agents_create_call_tasks_of_their_own_leads_for_themselves(floor: Floor) -> None:
    lead = floor.lead()

    assert floor.create(lead, floor.ann).assigned_to == floor.ann.user_id
    assert floor.create(lead, floor.ann, assigned_to=floor.ann.user_id).assigned_to == floor.ann.user_id
    with pytest.raises(Forbidden):
        floor.create(lead, floor.ann, assigned_to=floor.ben.user_id)
    with pytest.raises(NotFound):
        floor.create(lead, floor.ben)


def test_there_is_no_call_task_of_a_lead_that_is_not_there(floor: Floor) -> None:
    with pytest.raises(NotFound):
        floor.unite.calls.get(floor.manager, an_id())
    with pytest.raises(NotFound):
        floor.create(floor.lead(), lead_id=an_id())


def test_a_call_task_is_assigned_to_an_active_user(floor: Floor) -> None:
    floor.dismiss(floor.ben)
    task = floor.create()

    for somebody in (floor.ben, an_actor()):
        with pytest.raises(Invalid) as created:
            floor.create(assigned_to=somebody.user_id)
        with pytest.raises(Invalid) as assigned:
            floor.assign(task, somebody)
        assert codes(created.value) == codes(assigned.value) == [("assigned_to", "unknown_user")]
    assert floor.stored(task) == task


def test_a_call_task_begins_with_a_note_if_there_is_one(floor: Floor) -> None:
    task = floor.create(note="  Ask for Grace.\nShe is in after ten. ")

    (note,) = task.notes
    assert (note.text, note.author, note.at) == (
        "Ask for Grace.\nShe is in after ten.",
        floor.manager.user_id,
        floor.now,
    )
    assert task.version == 1
    assert floor.create(note=" ").notes == []


def test_what_is_no_note_makes_no_call_task(floor: Floor) -> None:
    with pytest.raises(Invalid) as refused:
        floor.create(note="x" * (MAX_NOTE_LENGTH + 1))

    assert codes(refused.value) == [("note", "too_long")]
    assert floor.tables.tasks == {}


def test_a_call_task_is_given_to_somebody_else(floor: Floor) -> None:
    task = floor.create()
    now = floor.pass_time()

    given = floor.assign(task, floor.ben, version=1)

    assert (given.assigned_to, given.version, given.updated_at) == (floor.ben.user_id, 2, now)
    assert floor.stored(task) == given
    assert floor.told(task) == ["call_task.created", "call_task.assigned", "call_task.assigned"]


def test_giving_a_call_task_to_whoever_has_it_changes_nothing(floor: Floor) -> None:
    task = floor.create()

    assert floor.assign(task, floor.ann) == task
    assert floor.told(task) == ["call_task.created", "call_task.assigned"]


def test_agents_do_not_assign_what_they_see_and_do_not_find_the_rest(floor: Floor) -> None:
    task = floor.create()

    with pytest.raises(Forbidden):
        floor.assign(task, floor.ann, floor.ann)
    with pytest.raises(NotFound):
        floor.assign(task, floor.ben, floor.ben)


def test_a_version_that_has_passed_is_neither_assigned_nor_noted(floor: Floor) -> None:
    task = floor.note(floor.create(), "Ask for Grace.")

    with pytest.raises(PreconditionFailed):
        floor.assign(task, floor.ben, version=1)
    with pytest.raises(PreconditionFailed):
        floor.note(task, "Later.", version=1)
    assert floor.stored(task) == task


def test_a_closed_call_task_is_not_assigned(floor: Floor) -> None:
    task = floor.cancel(floor.create())

    with pytest.raises(Conflict) as refused:
        floor.assign(task, floor.ben)

    assert refused.value.code == "task_closed"


def test_whoever_sees_a_call_task_notes_something_about_it(floor: Floor) -> None:
    task = floor.create()

    floor.note(task, "Ask for Grace.", floor.ann)
    now = floor.pass_time()
    noted = floor.note(task, " Not before ten. ", floor.manager, version=2)

    assert [(note.text, note.author) for note in noted.notes] == [
        ("Ask for Grace.", floor.ann.user_id),
        ("Not before ten.", floor.manager.user_id),
    ]
    assert (noted.version, noted.updated_at, noted.notes[1].at) == (3, now, now)
    assert floor.stored(task) == noted
    with pytest.raises(NotFound):
        floor.note(task, "What is this?", floor.ben)


def test_a_closed_call_task_takes_notes_too(floor: Floor) -> None:
    task = floor.complete(floor.create())

    noted = floor.note(task, "She is glad.", floor.ann)

    assert ([note.text for note in noted.notes], noted.status) == (["She is glad."], TaskStatus.COMPLETED)
    assert floor.unite.calls.verify_ledger().broken is None


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "required"), (" \t", "required"), ("x" * (MAX_NOTE_LENGTH + 1), "too_long"), ("\x07", "control_character")],
    ids=["empty", "blank", "long", "a bell"],
)
def test_what_is_no_note_is_refused(floor: Floor, text: str, code: str) -> None:
    task = floor.create()

    with pytest.raises(Invalid) as refused:
        floor.note(task, text)

    assert codes(refused.value) == [("text", code)]


def test_a_call_task_has_so_many_notes_and_no_more(floor: Floor) -> None:
    task = floor.create()
    for number in range(MAX_NOTES):
        floor.note(task, f"Note {number}")

    with pytest.raises(Conflict) as refused:
        floor.note(task, "One more")

    assert refused.value.code == "too_many_notes"
    assert len(floor.stored(task).notes) == MAX_NOTES
