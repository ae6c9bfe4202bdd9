"""Lists of call tasks: what they hold, in which order, and page by page."""

import pytest

from tests.http.calls.floor import TASKS, Floor, complete, id_of, ids
from tests.http.service import faults, problem

NINE, TEN, ELEVEN = (f"2026-03-02T{hour:02}:00:00Z" for hour in (9, 10, 11))


def test_the_soonest_due_comes_first(floor: Floor) -> None:
    late, soon, next_ = (floor.task(due_at=due)["id"] for due in (ELEVEN, NINE, TEN))

    assert ids(floor.mo.get(TASKS)) == [soon, next_, late]


def test_a_walk_through_the_pages_misses_and_repeats_nothing(floor: Floor) -> None:
    made = [floor.task(due_at=TEN)["id"] for _ in range(5)]

    first = floor.mo.get(f"{TASKS}?limit=2&status=pending,missed")
    floor.task(due_at=NINE)
    second = floor.mo.get(first.headers["Link"].removeprefix("<").removesuffix('>; rel="next"'))
    third = floor.mo.get(f"{TASKS}?limit=2&status=pending,missed&cursor={second.get_json()['next_cursor']}")

    assert [*ids(first), *ids(second), *ids(third)] == made
    assert (third.get_json()["next_cursor"], third.headers.get("Link")) == (None, None)


def test_tasks_are_found_by_status_and_by_whom_they_are_assigned_to(floor: Floor) -> None:
    ada = floor.lead("Ada", "+12125550124")
    amys, done, nobodys = floor.task()["id"], floor.task()["id"], floor.task(lead_id=ada)["id"]
    bens = floor.task(assigned_to=id_of(floor.ben))["id"]
    off = floor.task(lead_id=ada)["id"]
    complete(floor.amy, done)
    floor.mo.post(f"{TASKS}/{off}/cancel", json={})

    def found(query: str) -> set[str]:
        return set(ids(floor.mo.get(f"{TASKS}?{query}")))

    assert found("status=completed") == {done}
    assert found("status=completed,cancelled") == {done, off}
    assert found(f"assigned_to={id_of(floor.ben)}") == {bens}
    assert found("assigned_to=none") == {nobodys, off}
    assert found(f"assigned_to={id_of(floor.ben)},none&status=pending") == {bens, nobodys}
    assert found(f"lead_id={ada}") == {nobodys, off}
    assert found("") == {amys, done, nobodys, bens, off}


def test_tasks_are_found_by_when_they_are_due(floor: Floor) -> None:
    first, second, third = (floor.task(due_at=due)["id"] for due in (NINE, TEN, ELEVEN))

    assert ids(floor.mo.get(f"{TASKS}?due_from={TEN}")) == [second, third]
    assert ids(floor.mo.get(f"{TASKS}?due_to={TEN}")) == [first]
    assert ids(floor.mo.get(f"{TASKS}?due_from={TEN}&due_to={ELEVEN}")) == [second]


def test_agents_find_their_own_tasks_whatever_they_ask_for(floor: Floor) -> None:
    own = floor.task()["id"]
    floor.task(assigned_to=id_of(floor.ben))
    floor.task(lead_id=floor.lead("Ada", "+12125550124"))

    assert ids(floor.amy.get(TASKS)) == [own]
    assert ids(floor.amy.get(f"{TASKS}?assigned_to=none")) == []
    assert ids(floor.amy.get(f"{TASKS}?assigned_to={id_of(floor.ben)}")) == []


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
def test_a_query_that_is_wrong_is_told_where(floor: Floor, query: str, parameter: str, code: str) -> None:
    answer = floor.mo.get(f"{TASKS}?{query}")

    assert problem(answer) == (400, "invalid_parameter")
    assert faults(answer) == [(parameter, code)]


def test_a_cursor_belongs_to_one_list(floor: Floor) -> None:
    for _ in range(2):
        floor.task()
    cursor = floor.mo.get(f"{TASKS}?limit=1").get_json()["next_cursor"]

    assert problem(floor.mo.get(f"{TASKS}?status=pending&cursor={cursor}")) == (400, "invalid_cursor")
    assert problem(floor.mo.get(f"/v1/call-logs?cursor={cursor}")) == (400, "invalid_cursor")
