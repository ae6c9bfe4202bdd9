"""Planning calls: who may create, assign and note what."""

from datetime import timedelta

import pytest

from unite_core import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed, TaskStatus, UniteError
from unite_core.calls.model import MAX_NOTE_LENGTH, MAX_NOTES
from unite_core.testing.builders import an_actor, an_id
from unite_core.testing.scenario import HOUR, Scenario


def codes(error: UniteError) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in error.problems]


def test_a_call_task_is_pending_and_belongs_to_whoever_the_lead_belongs_to(scenario: Scenario) -> None:
    lead = scenario.create_lead()

    task = scenario.create_call_task(lead, scenario.manager, due_at=scenario.now + HOUR)

    assert (task.status, task.lead_id, task.assigned_to) == (TaskStatus.PENDING, lead.id, scenario.ann.user_id)
    assert (task.due_at, task.created_by, task.created_at) == (
        scenario.now + HOUR,
        scenario.manager.user_id,
        scenario.now,
    )
    assert (task.version, task.notes, task.completion, task.closed_at) == (1, [], None, None)
    assert scenario.stored(task) == task
    assert scenario.ledger(task) == []


def test_managers_create_call_tasks_for_any_active_user(scenario: Scenario) -> None:
    assert (
        scenario.create_call_task(actor=scenario.admin, assigned_to=scenario.ben.user_id).assigned_to
        == scenario.ben.user_id
    )


def test_a_call_task_of_a_lead_that_is_nobodys_is_nobodys_yet(scenario: Scenario) -> None:
    task = scenario.create_call_task(scenario.create_lead(assigned_to=None))

    assert task.assigned_to is None
    assert [it.type for it in scenario.events_of(task)] == ["call_task.created"]


def test_a_call_task_is_not_given_to_the_owner_of_the_lead_who_has_left(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    scenario.deactivate(scenario.ann)

    assert scenario.create_call_task(lead).assigned_to is None


def test_a_call_task_may_be_due_already(scenario: Scenario) -> None:
    assert scenario.create_call_task(due_at=scenario.now - timedelta(days=1)).status is TaskStatus.PENDING


def test_agents_create_call_tasks_of_their_own_leads_for_themselves(scenario: Scenario) -> None:
    lead = scenario.create_lead()

    assert scenario.create_call_task(lead, scenario.ann).assigned_to == scenario.ann.user_id
    assert (
        scenario.create_call_task(lead, scenario.ann, assigned_to=scenario.ann.user_id).assigned_to
        == scenario.ann.user_id
    )
    with pytest.raises(Forbidden):
        scenario.create_call_task(lead, scenario.ann, assigned_to=scenario.ben.user_id)
    with pytest.raises(NotFound):
        scenario.create_call_task(lead, scenario.ben)


def test_there_is_no_call_task_of_a_lead_that_is_not_there(scenario: Scenario) -> None:
    with pytest.raises(NotFound):
        scenario.unite.calls.get(scenario.manager, an_id())
    with pytest.raises(NotFound):
        scenario.create_call_task(scenario.create_lead(), lead_id=an_id())


def test_a_call_task_is_assigned_to_an_active_user(scenario: Scenario) -> None:
    scenario.deactivate(scenario.ben)
    task = scenario.create_call_task()

    for somebody in (scenario.ben, an_actor()):
        with pytest.raises(Invalid) as created:
            scenario.create_call_task(assigned_to=somebody.user_id)
        with pytest.raises(Invalid) as assigned:
            scenario.assign(task, somebody)
        assert codes(created.value) == codes(assigned.value) == [("assigned_to", "unknown_user")]
    assert scenario.stored(task) == task


def test_a_call_task_begins_with_a_note_if_there_is_one(scenario: Scenario) -> None:
    task = scenario.create_call_task(note="  Ask for Grace.\nShe is in after ten. ")

    (note,) = task.notes
    assert (note.text, note.author, note.at) == (
        "Ask for Grace.\nShe is in after ten.",
        scenario.manager.user_id,
        scenario.now,
    )
    assert task.version == 1
    assert scenario.create_call_task(note=" ").notes == []


def test_what_is_no_note_makes_no_call_task(scenario: Scenario) -> None:
    with pytest.raises(Invalid) as refused:
        scenario.create_call_task(note="x" * (MAX_NOTE_LENGTH + 1))

    assert codes(refused.value) == [("note", "too_long")]
    assert scenario.tables.tasks == {}


def test_a_call_task_is_given_to_somebody_else(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    now = scenario.advance()

    given = scenario.assign(task, scenario.ben, version=1)

    assert (given.assigned_to, given.version, given.updated_at) == (scenario.ben.user_id, 2, now)
    assert scenario.stored(task) == given
    assert [it.type for it in scenario.events_of(task)] == [
        "call_task.created",
        "call_task.assigned",
        "call_task.assigned",
    ]


def test_giving_a_call_task_to_whoever_has_it_changes_nothing(scenario: Scenario) -> None:
    task = scenario.create_call_task()

    assert scenario.assign(task, scenario.ann) == task
    assert [it.type for it in scenario.events_of(task)] == ["call_task.created", "call_task.assigned"]


def test_agents_do_not_assign_what_they_see_and_do_not_find_the_rest(scenario: Scenario) -> None:
    task = scenario.create_call_task()

    with pytest.raises(Forbidden):
        scenario.assign(task, scenario.ann, scenario.ann)
    with pytest.raises(NotFound):
        scenario.assign(task, scenario.ben, scenario.ben)


def test_a_version_that_has_passed_is_neither_assigned_nor_noted(scenario: Scenario) -> None:
    task = scenario.add_note(scenario.create_call_task(), "Ask for Grace.")

    with pytest.raises(PreconditionFailed):
        scenario.assign(task, scenario.ben, version=1)
    with pytest.raises(PreconditionFailed):
        scenario.add_note(task, "Later.", version=1)
    assert scenario.stored(task) == task


def test_a_closed_call_task_is_not_assigned(scenario: Scenario) -> None:
    task = scenario.cancel(scenario.create_call_task())

    with pytest.raises(Conflict) as refused:
        scenario.assign(task, scenario.ben)

    assert refused.value.code == "task_closed"


def test_whoever_sees_a_call_task_notes_something_about_it(scenario: Scenario) -> None:
    task = scenario.create_call_task()

    scenario.add_note(task, "Ask for Grace.", scenario.ann)
    now = scenario.advance()
    noted = scenario.add_note(task, " Not before ten. ", scenario.manager, version=2)

    assert [(note.text, note.author) for note in noted.notes] == [
        ("Ask for Grace.", scenario.ann.user_id),
        ("Not before ten.", scenario.manager.user_id),
    ]
    assert (noted.version, noted.updated_at, noted.notes[1].at) == (3, now, now)
    assert scenario.stored(task) == noted
    with pytest.raises(NotFound):
        scenario.add_note(task, "What is this?", scenario.ben)


def test_a_closed_call_task_takes_notes_too(scenario: Scenario) -> None:
    task = scenario.complete(scenario.create_call_task())

    noted = scenario.add_note(task, "She is glad.", scenario.ann)

    assert ([note.text for note in noted.notes], noted.status) == (["She is glad."], TaskStatus.COMPLETED)
    assert scenario.unite.calls.verify_ledger().broken is None


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "required"), (" \t", "required"), ("x" * (MAX_NOTE_LENGTH + 1), "too_long"), ("\x07", "control_character")],
    ids=["empty", "blank", "long", "a bell"],
)
def test_what_is_no_note_is_refused(scenario: Scenario, text: str, code: str) -> None:
    task = scenario.create_call_task()

    with pytest.raises(Invalid) as refused:
        scenario.add_note(task, text)

    assert codes(refused.value) == [("text", code)]


def test_a_call_task_has_so_many_notes_and_no_more(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    for number in range(MAX_NOTES):
        scenario.add_note(task, f"Note {number}")

    with pytest.raises(Conflict) as refused:
        scenario.add_note(task, "One more")

    assert refused.value.code == "too_many_notes"
    assert len(scenario.stored(task).notes) == MAX_NOTES
