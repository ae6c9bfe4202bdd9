"""Tests of call tasks over HTTP: create, get, assign, note and cancel."""

from typing import Any
from uuid import UUID

import pytest

from entrypoints.http.call_tasks.schemas import CallTaskSchema, call_task_json
from tests.http.service import DUE, TASKS, HttpScenario, complete, faults, id_of, problem
from unite_core.calls.model import MAX_NOTES, CallTask, Note
from unite_core.calls.queries import TaskView
from unite_core.testing.builders import an_id
from unite_core.testing.in_memory import A_MONDAY_MORNING

ANY = "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f"


def test_the_json_of_a_call_task_is_valid_by_its_schema() -> None:
    now = A_MONDAY_MORNING
    task = CallTask(
        id=an_id(), lead_id=an_id(), assigned_to=None, due_at=now, created_by=an_id(), created_at=now, updated_at=now
    )

    assert list(call_task_json(TaskView(task, None))) == list(CallTaskSchema().fields)


def test_a_call_task_is_created_and_read(scenario: HttpScenario) -> None:
    new = {"lead_id": scenario.grace, "due_at": "2026-03-02T17:00:00.5+02:00", "note": " She asked\nfor it. "}

    made = scenario.manager.post(TASKS, json=new)

    assert made.status_code == 201
    task = made.get_json()
    assert task == {
        "id": task["id"],
        "lead_id": scenario.grace,
        "lead": {"name": "Grace Hopper", "phone": "+12125550123", "phone_extension": None},
        "assigned_to": id_of(scenario.ann),
        "status": "pending",
        "due_at": "2026-03-02T15:00:00.500000Z",
        "notes": [
            {
                "id": task["notes"][0]["id"],
                "author": id_of(scenario.manager),
                "text": "She asked\nfor it.",
                "at": "2026-03-02T09:00:00Z",
            }
        ],
        "outcome": None,
        "duration_seconds": None,
        "started_at": None,
        "completion_note": None,
        "follow_up_at": None,
        "completed_at": None,
        "closed_at": None,
        "cancel_reason": None,
        "follow_up_of": None,
        "follow_up_task_id": None,
        "created_by": id_of(scenario.manager),
        "created_at": "2026-03-02T09:00:00Z",
        "updated_at": "2026-03-02T09:00:00Z",
        "version": 1,
    }
    assert made.headers["ETag"] == '"1"'
    read = scenario.ann.get(made.headers["Location"])
    assert (read.get_json(), read.headers["ETag"]) == (task, '"1"')


def test_a_client_with_the_current_version_gets_304(scenario: HttpScenario) -> None:
    path = f"{TASKS}/{scenario.create_call_task()['id']}"

    assert scenario.ann.get(path, headers={"If-None-Match": '"1"'}).status_code == 304
    assert scenario.ann.get(path, headers={"If-None-Match": '"2"'}).status_code == 200


def test_a_call_task_may_be_unassigned(scenario: HttpScenario) -> None:
    ada = scenario.create_lead("Ada", "+12125550124")

    assert scenario.create_call_task(lead_id=ada)["assigned_to"] is None
    assert scenario.create_call_task(lead_id=ada, assigned_to=id_of(scenario.ben))["assigned_to"] == id_of(scenario.ben)
    assert scenario.create_call_task(assigned_to=None)["assigned_to"] == id_of(scenario.ann)


def test_the_assignee_sees_the_lead_of_the_task_although_it_is_not_theirs(scenario: HttpScenario) -> None:
    task = scenario.create_call_task(assigned_to=id_of(scenario.ben))

    assert scenario.ben.get(f"{TASKS}/{task['id']}").get_json()["lead"]["phone"] == "+12125550123"
    assert problem(scenario.ben.get(f"/v1/leads/{scenario.grace}")) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"due_at": DUE}, ("/lead_id", "required")),
        ({"lead_id": ANY}, ("/due_at", "required")),
        ({"lead_id": "1", "due_at": DUE}, ("/lead_id", "invalid_id")),
        ({"lead_id": ANY, "due_at": "2026-03-02T15:00:00"}, ("/due_at", "invalid_moment")),
        ({"lead_id": ANY, "due_at": DUE, "status": "missed"}, ("/status", "unknown_field")),
        ({"lead_id": ANY, "due_at": DUE, "note": 1}, ("/note", "wrong_type")),
    ],
)
def test_a_malformed_call_task_is_refused_with_its_fields(
    scenario: HttpScenario, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    answer = scenario.manager.post(TASKS, json=body)

    assert problem(answer) == (422, "invalid")
    assert faults(answer) == [fault]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"note": "x" * 2001}, ("/note", "too_long")),
        ({"note": "\u0000"}, ("/note", "control_character")),
        ({"assigned_to": ANY}, ("/assigned_to", "unknown_user")),
    ],
)
def test_an_invalid_call_task_is_refused_with_its_fields(
    scenario: HttpScenario, change: dict[str, Any], fault: tuple[str, str]
) -> None:
    answer = scenario.manager.post(TASKS, json={"lead_id": scenario.grace, "due_at": DUE, **change})

    assert problem(answer) == (422, "invalid")
    assert faults(answer) == [fault]


def test_a_call_task_for_an_unknown_lead_is_refused(scenario: HttpScenario) -> None:
    assert problem(scenario.manager.post(TASKS, json={"lead_id": ANY, "due_at": DUE})) == (404, "not_found")


def test_agents_create_tasks_for_themselves_and_leads_that_they_see(scenario: HttpScenario) -> None:
    new = {"lead_id": scenario.grace, "due_at": DUE}

    own = scenario.ann.post(TASKS, json=new)
    for_another = scenario.ann.post(TASKS, json={**new, "assigned_to": id_of(scenario.ben)})
    unseen = scenario.ben.post(TASKS, json=new)

    assert (own.status_code, own.get_json()["assigned_to"]) == (201, id_of(scenario.ann))
    assert problem(for_another) == (403, "forbidden")
    assert problem(unseen) == (404, "not_found")


def test_a_call_task_is_assigned_to_another_agent(scenario: HttpScenario) -> None:
    task = scenario.create_call_task()
    path = f"{TASKS}/{task['id']}"

    answer = scenario.manager.post(
        f"{path}/assign", json={"assigned_to": id_of(scenario.ben)}, headers={"If-Match": '"1"'}
    )

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert answer.get_json() == task | {"assigned_to": id_of(scenario.ben), "version": 2}
    assert problem(scenario.ann.get(path)) == (404, "not_found")
    assert scenario.ben.get(path).status_code == 200


def test_the_same_assignee_again_changes_nothing(scenario: HttpScenario) -> None:
    task = scenario.create_call_task()

    answer = scenario.manager.post(f"{TASKS}/{task['id']}/assign", json={"assigned_to": id_of(scenario.ann)})

    assert (answer.status_code, answer.get_json()) == (200, task)


def test_a_null_assignee_is_refused(scenario: HttpScenario) -> None:
    answer = scenario.manager.post(f"{TASKS}/{scenario.create_call_task()['id']}/assign", json={"assigned_to": None})

    assert (problem(answer), faults(answer)) == ((422, "invalid"), [("/assigned_to", "null")])


def test_notes_are_listed_in_order_also_of_a_closed_task(scenario: HttpScenario) -> None:
    path = f"{TASKS}/{scenario.create_call_task(note='first')['id']}"
    scenario.manager.post(f"{path}/cancel", json={})

    answer = scenario.ann.post(f"{path}/notes", json={"text": "second"}, headers={"If-Match": '"2"'})

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"3"')
    shown = [(each["author"], each["text"]) for each in answer.get_json()["notes"]]
    assert shown == [(id_of(scenario.manager), "first"), (id_of(scenario.ann), "second")]


def test_the_number_of_notes_of_a_task_is_limited(scenario: HttpScenario) -> None:
    task_id = scenario.create_call_task()["id"]
    path = f"{TASKS}/{task_id}/notes"
    with scenario.service.ports.work() as unit:
        task = unit.tasks.get(UUID(task_id))
        for number in range(MAX_NOTES - 1):
            task.note(Note(id=an_id(), author=task.created_by, text=f"{number}", at=A_MONDAY_MORNING))
        task.mark_updated(A_MONDAY_MORNING)
        unit.tasks.save(task)
        unit.commit()

    assert len(scenario.ann.post(path, json={"text": "the last"}).get_json()["notes"]) == MAX_NOTES
    assert problem(scenario.ann.post(path, json={"text": "one more"})) == (409, "too_many_notes")


def test_a_cancellation_is_performed_once(scenario: HttpScenario) -> None:
    path = f"{TASKS}/{scenario.create_call_task()['id']}"

    first = scenario.manager.post(f"{path}/cancel", json={"reason": "She bought elsewhere."})
    again = scenario.manager.post(f"{path}/cancel", json={"reason": "She bought elsewhere."})
    otherwise = scenario.manager.post(f"{path}/cancel", json={"reason": "Wrong person."})

    shown = first.get_json()
    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    assert (shown["status"], shown["cancel_reason"]) == ("cancelled", "She bought elsewhere.")
    assert (shown["closed_at"], shown["completed_at"]) == ("2026-03-02T09:00:00Z", None)
    assert (again.status_code, again.get_json()) == (200, shown)
    assert problem(otherwise) == (409, "task_closed")
    assert problem(complete(scenario.ann, shown["id"])) == (409, "task_closed")
    assert problem(scenario.manager.post(f"{path}/assign", json={"assigned_to": id_of(scenario.ben)})) == (
        409,
        "task_closed",
    )


def test_deleting_a_lead_cancels_its_tasks(scenario: HttpScenario) -> None:
    task = scenario.create_call_task()

    assert scenario.manager.delete(f"/v1/leads/{scenario.grace}").status_code == 204

    shown = scenario.ann.get(f"{TASKS}/{task['id']}").get_json()
    assert (shown["status"], shown["cancel_reason"], shown["lead"]) == ("cancelled", "The lead was deleted.", None)


@pytest.mark.parametrize("path", [f"{TASKS}/{ANY}", f"{TASKS}/17", f"{TASKS}/{ANY}/ledger"])
def test_unknown_tasks_are_404(scenario: HttpScenario, path: str) -> None:
    assert problem(scenario.manager.get(path)) == (404, "not_found")


def test_a_cancellation_needs_no_reason(scenario: HttpScenario) -> None:
    path = f"{TASKS}/{scenario.create_call_task()['id']}"

    answer = scenario.manager.post(f"{path}/cancel")
    again = scenario.manager.post(f"{path}/cancel", json={})

    assert (answer.status_code, answer.get_json()["cancel_reason"]) == (200, None)
    assert again.get_json() == answer.get_json()
    assert problem(scenario.manager.post(f"{path}/assign")) == (400, "malformed_json")
