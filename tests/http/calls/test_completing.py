"""Tests of completions over HTTP, including repeated and concurrent ones."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.http.service import CALL, LOGS, TASKS, HttpScenario, complete, faults, id_of, items, problem

CONCURRENCY = 20


def entries(scenario: HttpScenario, task_id: str) -> list[dict[str, Any]]:
    return items(scenario.manager.get(f"{LOGS}?task_id={task_id}"))


def test_a_completed_task_shows_its_completion(scenario: HttpScenario) -> None:
    task = scenario.create_call_task()
    scenario.service.ports.clock.advance(timedelta(minutes=6))

    answer = complete(scenario.ann, task["id"], note=" Wants an offer. ", started_at="2026-03-02T09:01:00Z")

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert answer.get_json() == task | {
        "status": "completed",
        "outcome": "connected",
        "duration_seconds": 300,
        "started_at": "2026-03-02T09:01:00Z",
        "completion_note": "Wants an offer.",
        "completed_at": "2026-03-02T09:06:00Z",
        "closed_at": "2026-03-02T09:06:00Z",
        "updated_at": "2026-03-02T09:06:00Z",
        "version": 2,
    }
    assert scenario.ann.get(f"{TASKS}/{task['id']}").get_json() == answer.get_json()
    assert scenario.manager.get(f"/v1/leads/{scenario.grace}").get_json()["status"] == "contacted"


def test_a_repeated_completion_gets_the_first_result_and_creates_no_second_entry(scenario: HttpScenario) -> None:
    task = scenario.create_call_task()
    first = complete(scenario.ann, task["id"], note="Wants an offer.")
    scenario.service.ports.clock.advance(timedelta(minutes=1))

    again = complete(scenario.ann, task["id"], note="  Wants an offer.", headers={"If-Match": '"1"'})

    assert (again.status_code, again.get_json(), again.headers["ETag"]) == (200, first.get_json(), '"2"')
    assert "Idempotency-Replayed" not in again.headers
    assert len(entries(scenario, task["id"])) == 1


@pytest.mark.parametrize("change", [{"duration_seconds": 301}, {"outcome": "busy"}, {"note": "more"}])
def test_a_different_completion_of_a_completed_task_is_409(scenario: HttpScenario, change: dict[str, Any]) -> None:
    task = scenario.completed_call_task()

    assert problem(complete(scenario.ann, task["id"], **change)) == (409, "task_closed")
    assert scenario.ann.get(f"{TASKS}/{task['id']}").get_json() == task


def test_a_missed_task_cannot_be_completed(scenario: HttpScenario) -> None:
    task = scenario.create_call_task()
    scenario.service.ports.clock.advance(timedelta(hours=7))
    ann = scenario.service.log_in(scenario.ann.user)
    scenario.service.unite.upkeep.mark_missed()

    assert problem(complete(ann, task["id"])) == (409, "task_closed")
    shown = ann.get(f"{TASKS}/{task['id']}").get_json()
    assert (shown["status"], shown["closed_at"], shown["completed_at"]) == ("missed", "2026-03-02T16:00:00Z", None)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"outcome": "spoke"}, ("/outcome", "unknown_value")),
        ({"outcome": None}, ("/outcome", "null")),
        ({"duration_seconds": "300"}, ("/duration_seconds", "wrong_type")),
        ({"duration_seconds": -1}, ("/duration_seconds", "out_of_range")),
        ({"duration_seconds": 86_401}, ("/duration_seconds", "out_of_range")),
        ({"started_at": "2026-03-02T09:02:00Z"}, ("/started_at", "in_future")),
        ({"outcome": "callback_requested"}, ("/follow_up_at", "follow_up_required")),
        ({"follow_up_at": "2026-03-02T09:00:00Z"}, ("/follow_up_at", "in_past")),
        ({"note": "x" * 2001}, ("/note", "too_long")),
        ({"agent": "Ann"}, ("/agent", "unknown_field")),
    ],
)
def test_an_invalid_completion_is_refused_with_its_fields(
    scenario: HttpScenario, change: dict[str, Any], fault: tuple[str, str]
) -> None:
    task = scenario.create_call_task()

    answer = complete(scenario.ann, task["id"], **change)

    assert (problem(answer), faults(answer)) == ((422, "invalid"), [fault])
    assert entries(scenario, task["id"]) == []


def test_a_requested_callback_creates_a_follow_up_task(scenario: HttpScenario) -> None:
    asked = scenario.completed_call_task(outcome="callback_requested", follow_up_at="2026-03-06T15:00:00Z")

    (coming,) = items(scenario.ann.get(f"{TASKS}?status=pending"))
    assert asked["follow_up_task_id"] == coming["id"]
    assert (coming["follow_up_of"], coming["assigned_to"]) == (asked["id"], id_of(scenario.ann))
    assert (coming["due_at"], coming["lead_id"]) == ("2026-03-06T15:00:00Z", scenario.grace)


def all_at_once(scenario: HttpScenario, task_id: str, **changes: Any) -> list[TestResponse]:
    """What as many get who complete the task at the same moment; a change is worked out from each one's number."""
    start = Barrier(CONCURRENCY)

    def tell(number: int) -> TestResponse:
        start.wait()
        own = {name: value(number) for name, value in changes.items()}
        return complete(scenario.ann, task_id, outcome="callback_requested", follow_up_at="2099-03-06T15:00:00Z", **own)

    with ThreadPoolExecutor(CONCURRENCY) as threads:
        return list(threads.map(tell, range(CONCURRENCY)))


def test_twenty_concurrent_equal_completions_get_one_result(database_scenario: HttpScenario) -> None:
    task = database_scenario.create_call_task()

    responses = all_at_once(database_scenario, task["id"])

    assert [answer.status_code for answer in responses] == [200] * CONCURRENCY
    assert len({answer.get_data() for answer in responses}) == 1
    assert len(entries(database_scenario, task["id"])) == 1
    assert len(items(database_scenario.ann.get(TASKS))) == 2


def test_of_twenty_concurrent_different_completions_one_succeeds(database_scenario: HttpScenario) -> None:
    task = database_scenario.create_call_task()

    responses = all_at_once(database_scenario, task["id"], duration_seconds=lambda number: number)

    (believed,) = [answer.get_json() for answer in responses if answer.status_code == 200]
    refused = [problem(answer) for answer in responses if answer.status_code != 200]
    assert refused == [(409, "task_closed")] * (CONCURRENCY - 1)
    (entry,) = entries(database_scenario, task["id"])
    assert entry["duration_seconds"] == believed["duration_seconds"]
    assert len(items(database_scenario.ann.get(TASKS))) == 2


def test_of_twenty_concurrent_completions_with_one_key_one_is_performed(database_scenario: HttpScenario) -> None:
    task = database_scenario.create_call_task()

    responses = all_at_once(database_scenario, task["id"], headers=lambda _: {"Idempotency-Key": "once"})

    first = [
        answer for answer in responses if answer.status_code == 200 and "Idempotency-Replayed" not in answer.headers
    ]
    others = [answer for answer in responses if answer not in first]
    assert len(first) == 1
    for other in others:
        assert other.headers.get("Idempotency-Replayed") == "true" or problem(other) == (409, "request_in_progress")
    assert len(entries(database_scenario, task["id"])) == 1
    assert CALL["duration_seconds"] == entries(database_scenario, task["id"])[0]["duration_seconds"]
