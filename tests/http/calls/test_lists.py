"""Lists of call tasks: what they hold, in which order, and page by page."""

import pytest

from tests.http.calls.scenario import TASKS, HttpCallScenario, complete, id_of, ids
from tests.http.service import faults, problem

NINE, TEN, ELEVEN = (f"2026-03-02T{hour:02}:00:00Z" for hour in (9, 10, 11))


def test_the_soonest_due_comes_first(scenario: HttpCallScenario) -> None:
    late, soon, next_ = (scenario.task(due_at=due)["id"] for due in (ELEVEN, NINE, TEN))

    assert ids(scenario.mo.get(TASKS)) == [soon, next_, late]


def test_a_walk_through_the_pages_misses_and_repeats_nothing(scenario: HttpCallScenario) -> None:
    made = [scenario.task(due_at=TEN)["id"] for _ in range(5)]

    first = scenario.mo.get(f"{TASKS}?limit=2&status=pending,missed")
    scenario.task(due_at=NINE)
    second = scenario.mo.get(first.headers["Link"].removeprefix("<").removesuffix('>; rel="next"'))
    third = scenario.mo.get(f"{TASKS}?limit=2&status=pending,missed&cursor={second.get_json()['next_cursor']}")

    assert [*ids(first), *ids(second), *ids(third)] == made
    assert (third.get_json()["next_cursor"], third.headers.get("Link")) == (None, None)


def test_tasks_are_found_by_status_and_by_whom_they_are_assigned_to(scenario: HttpCallScenario) -> None:
    ada = scenario.lead("Ada", "+12125550124")
    amys, done, without_agent = scenario.task()["id"], scenario.task()["id"], scenario.task(lead_id=ada)["id"]
    bens = scenario.task(assigned_to=id_of(scenario.ben))["id"]
    off = scenario.task(lead_id=ada)["id"]
    complete(scenario.amy, done)
    scenario.mo.post(f"{TASKS}/{off}/cancel", json={})

    def found(query: str) -> set[str]:
        return set(ids(scenario.mo.get(f"{TASKS}?{query}")))

    assert found("status=completed") == {done}
    assert found("status=completed,cancelled") == {done, off}
    assert found(f"assigned_to={id_of(scenario.ben)}") == {bens}
    assert found("assigned_to=none") == {without_agent, off}
    assert found(f"assigned_to={id_of(scenario.ben)},none&status=pending") == {bens, without_agent}
    assert found(f"lead_id={ada}") == {without_agent, off}
    assert found("") == {amys, done, without_agent, bens, off}


def test_tasks_are_found_by_when_they_are_due(scenario: HttpCallScenario) -> None:
    first, second, third = (scenario.task(due_at=due)["id"] for due in (NINE, TEN, ELEVEN))

    assert ids(scenario.mo.get(f"{TASKS}?due_from={TEN}")) == [second, third]
    assert ids(scenario.mo.get(f"{TASKS}?due_to={TEN}")) == [first]
    assert ids(scenario.mo.get(f"{TASKS}?due_from={TEN}&due_to={ELEVEN}")) == [second]


def test_agents_find_their_own_tasks_whatever_they_ask_for(scenario: HttpCallScenario) -> None:
    own = scenario.task()["id"]
    scenario.task(assigned_to=id_of(scenario.ben))
    scenario.task(lead_id=scenario.lead("Ada", "+12125550124"))

    assert ids(scenario.amy.get(TASKS)) == [own]
    assert ids(scenario.amy.get(f"{TASKS}?assigned_to=none")) == []
    assert ids(scenario.amy.get(f"{TASKS}?assigned_to={id_of(scenario.ben)}")) == []


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
def test_a_query_that_is_wrong_is_told_where(scenario: HttpCallScenario, query: str, parameter: str, code: str) -> None:
    answer = scenario.mo.get(f"{TASKS}?{query}")

    assert problem(answer) == (400, "invalid_parameter")
    assert faults(answer) == [(parameter, code)]


def test_a_cursor_belongs_to_one_list(scenario: HttpCallScenario) -> None:
    for _ in range(2):
        scenario.task()
    cursor = scenario.mo.get(f"{TASKS}?limit=1").get_json()["next_cursor"]

    assert problem(scenario.mo.get(f"{TASKS}?status=pending&cursor={cursor}")) == (400, "invalid_cursor")
    assert problem(scenario.mo.get(f"/v1/call-logs?cursor={cursor}")) == (400, "invalid_cursor")
