"""Tests of lists of call tasks: order, filters and pages."""

import pytest

from tests.http.service import TASKS, HttpScenario, complete, faults, id_of, ids, problem

NINE, TEN, ELEVEN = (f"2026-03-02T{hour:02}:00:00Z" for hour in (9, 10, 11))


def test_tasks_are_sorted_by_due_time(scenario: HttpScenario) -> None:
    late, soon, next_ = (scenario.create_call_task(due_at=due)["id"] for due in (ELEVEN, NINE, TEN))

    assert ids(scenario.manager.get(TASKS)) == [soon, next_, late]


def test_pages_neither_skip_nor_repeat(scenario: HttpScenario) -> None:
    made = [scenario.create_call_task(due_at=TEN)["id"] for _ in range(5)]

    first = scenario.manager.get(f"{TASKS}?limit=2&status=pending,missed")
    scenario.create_call_task(due_at=NINE)
    second = scenario.manager.get(first.headers["Link"].removeprefix("<").removesuffix('>; rel="next"'))
    third = scenario.manager.get(f"{TASKS}?limit=2&status=pending,missed&cursor={second.get_json()['next_cursor']}")

    assert [*ids(first), *ids(second), *ids(third)] == made
    assert (third.get_json()["next_cursor"], third.headers.get("Link")) == (None, None)


def test_tasks_are_filtered_by_status_and_assignee(scenario: HttpScenario) -> None:
    ada = scenario.create_lead("Ada", "+12125550124")
    anns, done, without_agent = (
        scenario.create_call_task()["id"],
        scenario.create_call_task()["id"],
        scenario.create_call_task(lead_id=ada)["id"],
    )
    bens = scenario.create_call_task(assigned_to=id_of(scenario.ben))["id"]
    off = scenario.create_call_task(lead_id=ada)["id"]
    complete(scenario.ann, done)
    scenario.manager.post(f"{TASKS}/{off}/cancel", json={})

    def listed(query: str) -> set[str]:
        return set(ids(scenario.manager.get(f"{TASKS}?{query}")))

    assert listed("status=completed") == {done}
    assert listed("status=completed,cancelled") == {done, off}
    assert listed(f"assigned_to={id_of(scenario.ben)}") == {bens}
    assert listed("assigned_to=none") == {without_agent, off}
    assert listed(f"assigned_to={id_of(scenario.ben)},none&status=pending") == {bens, without_agent}
    assert listed(f"lead_id={ada}") == {without_agent, off}
    assert listed("") == {anns, done, without_agent, bens, off}


def test_tasks_are_filtered_by_due_time(scenario: HttpScenario) -> None:
    first, second, third = (scenario.create_call_task(due_at=due)["id"] for due in (NINE, TEN, ELEVEN))

    assert ids(scenario.manager.get(f"{TASKS}?due_from={TEN}")) == [second, third]
    assert ids(scenario.manager.get(f"{TASKS}?due_to={TEN}")) == [first]
    assert ids(scenario.manager.get(f"{TASKS}?due_from={TEN}&due_to={ELEVEN}")) == [second]


def test_agents_see_their_own_tasks_whatever_they_filter_by(scenario: HttpScenario) -> None:
    own = scenario.create_call_task()["id"]
    scenario.create_call_task(assigned_to=id_of(scenario.ben))
    scenario.create_call_task(lead_id=scenario.create_lead("Ada", "+12125550124"))

    assert ids(scenario.ann.get(TASKS)) == [own]
    assert ids(scenario.ann.get(f"{TASKS}?assigned_to=none")) == []
    assert ids(scenario.ann.get(f"{TASKS}?assigned_to={id_of(scenario.ben)}")) == []


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("status=open", "status", "unknown_value"),
        ("assigned_to=me", "assigned_to", "invalid_id"),
        ("lead_id=1", "lead_id", "invalid_id"),
        ("due_from=tomorrow", "due_from", "invalid_moment"),
        ("colour=red", "colour", "unknown_parameter"),
        ("limit=0", "limit", "out_of_range"),
        ("status=pending&status=missed", "status", "repeated"),
    ],
)
def test_a_malformed_query_is_refused_with_the_parameter(
    scenario: HttpScenario, query: str, parameter: str, code: str
) -> None:
    answer = scenario.manager.get(f"{TASKS}?{query}")

    assert problem(answer) == (400, "invalid_parameter")
    assert faults(answer) == [(parameter, code)]


def test_a_cursor_of_another_list_is_refused(scenario: HttpScenario) -> None:
    for _ in range(2):
        scenario.create_call_task()
    cursor = scenario.manager.get(f"{TASKS}?limit=1").get_json()["next_cursor"]

    assert problem(scenario.manager.get(f"{TASKS}?status=pending&cursor={cursor}")) == (400, "invalid_cursor")
    assert problem(scenario.manager.get(f"/v1/call-logs?cursor={cursor}")) == (400, "invalid_cursor")
