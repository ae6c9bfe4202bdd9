"""Leads are listed by the calls that were made to them."""

from datetime import timedelta

import pytest

from tests.http.calls.floor import LOGS, TASKS, Floor, complete, id_of, ids, items
from tests.http.service import faults, problem

LEADS = "/v1/leads"


def test_leads_are_listed_by_their_calls(floor: Floor) -> None:
    floor.service.ports.clock.advance(timedelta(minutes=10))
    ada = floor.lead("Ada", "+12125550124", source="web")
    floor.service.ports.clock.advance(timedelta(minutes=4))
    floor.completed(outcome="busy")
    floor.completed(outcome="connected")
    complete(floor.mo, floor.task(lead_id=ada)["id"], outcome="voicemail", duration_seconds=1)
    bob = floor.lead("Bob", "+12125550125")
    floor.mo.post(f"{TASKS}/{floor.task(lead_id=bob)['id']}/cancel", json={})

    def found(query: str) -> list[str]:
        return ids(floor.mo.get(f"{LEADS}?{query}"))

    assert found("called=true") == [ada, floor.grace]
    assert found("called=false") == [bob]
    assert found("call_result=busy") == [floor.grace]
    assert found("call_result=busy,voicemail") == [ada, floor.grace]
    assert found("call_result=converted") == []
    assert found("called_within=300") == [ada]
    assert found("called_within=3600&source=api") == [floor.grace]
    assert found("called=true&created_from=2026-03-02T09:10:00Z&created_to=2026-03-02T09:20:00Z") == [ada]
    assert found(f"called=true&assigned_to={id_of(floor.amy)}") == [floor.grace]


def test_a_list_of_called_leads_is_walked_page_by_page(floor: Floor) -> None:
    floor.completed()
    ada = floor.lead("Ada", "+12125550124")
    complete(floor.mo, floor.task(lead_id=ada)["id"])

    first = floor.mo.get(f"{LEADS}?called=true&limit=1")
    second = floor.mo.get(first.headers["Link"].removeprefix("<").removesuffix('>; rel="next"'))

    assert [*ids(first), *ids(second)] == [ada, floor.grace]
    assert second.get_json()["next_cursor"] is None


def test_a_call_and_its_correction_are_in_the_very_next_list(floor: Floor) -> None:
    task = floor.task()
    assert ids(floor.mo.get(f"{LEADS}?called=true")) == ids(floor.mo.get(f"{LEADS}?call_result=busy")) == []

    complete(floor.amy, task["id"])
    assert ids(floor.mo.get(f"{LEADS}?called=true")) == [floor.grace]
    (entry,) = items(floor.mo.get(LOGS))
    floor.mo.post(f"{LOGS}/{entry['id']}/corrections", json={"reason": "A slip.", "outcome": "busy"})

    assert ids(floor.mo.get(f"{LEADS}?call_result=busy")) == [floor.grace]
    assert ids(floor.mo.get(f"{LEADS}?call_result=connected")) == []


def test_agents_list_leads_by_their_own_calls_alone(floor: Floor) -> None:
    floor.completed(outcome="busy")
    floor.mo.patch(f"{LEADS}/{floor.grace}", json={"assigned_to": id_of(floor.ben)})

    assert ids(floor.ben.get(f"{LEADS}?called=false")) == [floor.grace]
    assert ids(floor.ben.get(f"{LEADS}?called=true")) == []
    assert ids(floor.ben.get(f"{LEADS}?call_result=busy")) == []
    complete(floor.ben, floor.task(assigned_to=id_of(floor.ben))["id"], outcome="no_answer", duration_seconds=0)

    assert ids(floor.ben.get(f"{LEADS}?call_result=busy,no_answer")) == [floor.grace]


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("called=1", "called", "wrong_type"),
        ("call_result=missed", "call_result", "unknown_value"),
        ("called_within=-1", "called_within", "out_of_range"),
        ("called_within=34560001", "called_within", "out_of_range"),
        ("called_within=soon", "called_within", "wrong_type"),
    ],
)
def test_a_query_that_is_wrong_is_told_where(floor: Floor, query: str, parameter: str, code: str) -> None:
    answer = floor.mo.get(f"{LEADS}?{query}")

    assert problem(answer) == (400, "invalid_parameter")
    assert faults(answer) == [(parameter, code)]
