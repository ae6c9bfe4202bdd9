"""Tests of creating and assigning call tasks, and of adding notes to them."""

from datetime import timedelta

import pytest

from unite_core import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed, TaskStatus, UniteError
from unite_core.calls.model import MAX_NOTE_LENGTH, MAX_NOTES
from unite_core.testing.builders import an_actor, an_id
from unite_core.testing.scenario import HOUR, Scenario


def codes(error: UniteError) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in error.problems]


def test_a_new_task_is_pending_and_assigned_to_the_assignee_of_its_lead(scenario: Scenario) -> None:
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


def test_managers_create_tasks_for_any_active_user(scenario: Scenario) -> None:
    assert (
        scenario.create_call_task(actor=scenario.admin, assigned_to=scenario.ben.user_id).assigned_to
        == scenario.ben.user_id
    )


def test_a_task_of_an_unassigned_lead_is_unassigned(scenario: Scenario) -> None:
    task = scenario.create_call_task(scenario.create_lead(assigned_to=None))

    assert task.assigned_to is None
    assert [it.type for it in scenario.events_of(task)] == ["call_task.created"]


def test_a_new_task_is_not_assigned_to_a_deactivated_assignee_of_the_lead(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    scenario.deactivate(scenario.ann)

    assert scenario.create_call_task(lead).assigned_to is None


def test_a_new_task_may_be_due_in_the_past(scenario: Scenario) -> None:
    assert scenario.create_call_task(due_at=scenario.now - timedelta(days=1)).status is TaskStatus.PENDING


def test_agents_create_tasks_for_their_own_leads_and_themselves_only(scenario: Scenario) -> None:
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


def test_a_task_for_an_unknown_lead_is_not_found(scenario: Scenario) -> None:
    with pytest.raises(NotFound):
        scenario.unite.calls.get(scenario.manager, an_id())
    with pytest.raises(NotFound):
        scenario.create_call_task(scenario.create_lead(), lead_id=an_id())


def test_a_task_can_be_assigned_to_active_users_only(scenario: Scenario) -> None:
    scenario.deactivate(scenario.ben)
    task = scenario.create_call_task()

    for somebody in (scenario.ben, an_actor()):
        with pytest.raises(Invalid) as created:
            scenario.create_call_task(assigned_to=somebody.user_id)
        with pytest.raises(Invalid) as assigned:
            scenario.assign(task, somebody)
        assert codes(created.value) == codes(assigned.value) == [("assigned_to", "unknown_user")]
    assert scenario.stored(task) == task


def test_a_new_task_may_have_a_note(scenario: Scenario) -> None:
    task = scenario.create_call_task(note="  Ask for Grace.\nShe is in after ten. ")

    (note,) = task.notes
    assert (note.text, note.author, note.at) == (
        "Ask for Grace.\nShe is in after ten.",
        scenario.manager.user_id,
        scenario.now,
    )
    assert task.version == 1
    assert scenario.create_call_task(note=" ").notes == []


def test_an_invalid_note_prevents_the_creation_of_a_task(scenario: Scenario) -> None:
    with pytest.raises(Invalid) as refused:
        scenario.create_call_task(note="x" * (MAX_NOTE_LENGTH + 1))

    assert codes(refused.value) == [("note", "too_long")]
    assert scenario.tables.tasks == {}


def test_a_task_can_be_reassigned(scenario: Scenario) -> None:
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


def test_assigning_a_task_to_its_assignee_changes_nothing(scenario: Scenario) -> None:
    task = scenario.create_call_task()

    assert scenario.assign(task, scenario.ann) == task
    assert [it.type for it in scenario.events_of(task)] == ["call_task.created", "call_task.assigned"]


def test_agents_cannot_assign_their_own_tasks_nor_find_those_of_others(scenario: Scenario) -> None:
    task = scenario.create_call_task()

    with pytest.raises(Forbidden):
        scenario.assign(task, scenario.ann, scenario.ann)
    with pytest.raises(NotFound):
        scenario.assign(task, scenario.ben, scenario.ben)


def test_an_outdated_version_can_neither_be_assigned_nor_noted(scenario: Scenario) -> None:
    task = scenario.add_note(scenario.create_call_task(), "Ask for Grace.")

    with pytest.raises(PreconditionFailed):
        scenario.assign(task, scenario.ben, version=1)
    with pytest.raises(PreconditionFailed):
        scenario.add_note(task, "Later.", version=1)
    assert scenario.stored(task) == task


def test_a_closed_task_cannot_be_assigned(scenario: Scenario) -> None:
    task = scenario.cancel(scenario.create_call_task())

    with pytest.raises(Conflict) as refused:
        scenario.assign(task, scenario.ben)

    assert refused.value.code == "task_closed"


def test_every_user_who_sees_a_task_can_add_notes(scenario: Scenario) -> None:
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


def test_notes_can_be_added_to_a_closed_task(scenario: Scenario) -> None:
    task = scenario.complete(scenario.create_call_task())

    noted = scenario.add_note(task, "She is glad.", scenario.ann)

    assert ([note.text for note in noted.notes], noted.status) == (["She is glad."], TaskStatus.COMPLETED)
    assert scenario.unite.calls.verify_ledger().broken is None


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "required"), (" \t", "required"), ("x" * (MAX_NOTE_LENGTH + 1), "too_long"), ("\x07", "control_character")],
    ids=["empty", "blank", "long", "a bell"],
)
def test_an_invalid_note_is_refused(scenario: Scenario, text: str, code: str) -> None:
    task = scenario.create_call_task()

    with pytest.raises(Invalid) as refused:
        scenario.add_note(task, text)

    assert codes(refused.value) == [("text", code)]


def test_the_number_of_notes_of_a_task_is_limited(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    for number in range(MAX_NOTES):
        scenario.add_note(task, f"Note {number}")

    with pytest.raises(Conflict) as refused:
        scenario.add_note(task, "One more")

    assert refused.value.code == "too_many_notes"
    assert len(scenario.stored(task).notes) == MAX_NOTES
