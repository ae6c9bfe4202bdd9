"""Tests of what all actions on call tasks share: roles, If-Match and Idempotency-Key."""

from typing import Any

import pytest

from tests.http.service import CALL, TASKS, HttpScenario, Person, id_of, problem

ACTIONS = ("assign", "notes", "complete", "cancel")


def body_of(action: str, scenario: HttpScenario) -> dict[str, Any]:
    bodies: dict[str, dict[str, Any]] = {
        "assign": {"assigned_to": id_of(scenario.ben)},
        "notes": {"text": "Nobody is there before ten."},
        "complete": CALL,
        "cancel": {"reason": "She bought elsewhere."},
    }
    return bodies[action]


def act(scenario: HttpScenario, person: Person, task_id: str, action: str, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return person.post(f"{TASKS}/{task_id}/{action}", json=body_of(action, scenario), headers=named)


def test_the_roles_that_may_perform_each_action(scenario: HttpScenario) -> None:
    people = {"admin": scenario.admin, "manager": scenario.manager, "own": scenario.ann, "other": scenario.ben}

    actual = {
        name: [act(scenario, person, scenario.create_call_task()["id"], action).status_code for action in ACTIONS]
        for name, person in people.items()
    }

    assert actual == {
        "admin": [200, 200, 200, 200],
        "manager": [200, 200, 200, 200],
        "own": [403, 200, 200, 403],
        "other": [404, 404, 404, 404],
    }


def test_unauthenticated_clients_can_perform_no_action(scenario: HttpScenario) -> None:
    path = f"{TASKS}/{scenario.create_call_task()['id']}"
    stranger = scenario.service.stranger

    assert problem(stranger.post(TASKS, json={})) == (401, "unauthenticated")
    for asked in (TASKS, path, f"{path}/ledger", "/v1/call-logs"):
        assert problem(stranger.get(asked)) == (401, "unauthenticated")
    for action in ACTIONS:
        assert problem(stranger.post(f"{path}/{action}", json={})) == (401, "unauthenticated")


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_on_the_current_version_is_performed(scenario: HttpScenario, action: str) -> None:
    assert (
        act(scenario, scenario.manager, scenario.create_call_task()["id"], action, If_Match='"1"').headers["ETag"]
        == '"2"'
    )
    assert (
        act(scenario, scenario.manager, scenario.create_call_task()["id"], action, If_Match='"9", "1"').headers["ETag"]
        == '"2"'
    )
    assert (
        act(scenario, scenario.manager, scenario.create_call_task()["id"], action, If_Match="*").headers["ETag"]
        == '"2"'
    )


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("header", ['"2"', 'W/"1"', '"8", "9"'])
def test_an_action_on_another_version_is_412_and_changes_nothing(
    scenario: HttpScenario, action: str, header: str
) -> None:
    task = scenario.create_call_task()

    assert problem(act(scenario, scenario.manager, task["id"], action, If_Match=header)) == (412, "precondition_failed")
    assert scenario.manager.get(f"{TASKS}/{task['id']}").get_json() == task


@pytest.mark.parametrize("action", ACTIONS)
def test_a_malformed_if_match_is_400(scenario: HttpScenario, action: str) -> None:
    assert problem(act(scenario, scenario.manager, scenario.create_call_task()["id"], action, If_Match="1")) == (
        400,
        "invalid_header",
    )


@pytest.mark.parametrize("action", ACTIONS)
def test_a_repeated_action_with_its_key_is_performed_once(scenario: HttpScenario, action: str) -> None:
    task_id = scenario.create_call_task()["id"]

    first, again = (act(scenario, scenario.manager, task_id, action, Idempotency_Key="once") for _ in range(2))

    assert first.status_code == 200
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.get_data(), again.headers["ETag"]) == (first.get_data(), first.headers["ETag"])
    assert scenario.manager.get(f"{TASKS}/{task_id}").headers["ETag"] == '"2"'


@pytest.mark.parametrize("action", ACTIONS)
def test_a_key_cannot_be_used_for_another_task(scenario: HttpScenario, action: str) -> None:
    act(scenario, scenario.manager, scenario.create_call_task()["id"], action, Idempotency_Key="once")

    other = act(scenario, scenario.manager, scenario.create_call_task()["id"], action, Idempotency_Key="once")

    assert problem(other) == (422, "idempotency_key_reused")


def test_a_repeated_creation_with_its_key_creates_one_task(scenario: HttpScenario) -> None:
    new, key = {"lead_id": scenario.grace, "due_at": "2026-03-02T15:00:00Z"}, {"Idempotency-Key": "once"}

    first, again = (scenario.manager.post(TASKS, json=new, headers=key) for _ in range(2))

    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert (again.headers["Location"], again.headers["ETag"]) == (first.headers["Location"], '"1"')
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(scenario.manager.get(TASKS).get_json()["items"]) == 1


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("task_id", ["17", "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f"])
def test_an_action_on_an_unknown_task_is_404(scenario: HttpScenario, action: str, task_id: str) -> None:
    assert problem(act(scenario, scenario.manager, task_id, action)) == (404, "not_found")


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_refuses_unknown_fields_and_other_media_types(scenario: HttpScenario, action: str) -> None:
    path = f"{TASKS}/{scenario.create_call_task()['id']}/{action}"

    assert problem(scenario.manager.post(path, json={"colour": "red"})) == (422, "invalid")
    assert problem(scenario.manager.post(path, data="{", content_type="application/json")) == (400, "malformed_json")
    assert problem(scenario.manager.post(path, data="x=1")) == (415, "unsupported_media_type")
    assert problem(scenario.manager.post(f"{path}?x=1", json=body_of(action, scenario))) == (400, "invalid_parameter")
