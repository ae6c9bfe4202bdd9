"""Tests of the filters of leads by their calls."""

from datetime import timedelta

import pytest

from tests.http.service import LOGS, TASKS, HttpScenario, complete, faults, id_of, ids, items, problem

LEADS = "/v1/leads"


def test_leads_are_filtered_by_their_calls(scenario: HttpScenario) -> None:
    scenario.service.ports.clock.advance(timedelta(minutes=10))
    ada = scenario.create_lead("Ada", "+12125550124", source="web")
    scenario.service.ports.clock.advance(timedelta(minutes=4))
    scenario.completed_call_task(outcome="busy")
    scenario.completed_call_task(outcome="connected")
    complete(scenario.manager, scenario.create_call_task(lead_id=ada)["id"], outcome="voicemail", duration_seconds=1)
    bob = scenario.create_lead("Bob", "+12125550125")
    scenario.manager.post(f"{TASKS}/{scenario.create_call_task(lead_id=bob)['id']}/cancel", json={})

    def listed(query: str) -> list[str]:
        return ids(scenario.manager.get(f"{LEADS}?{query}"))

    assert listed("called=true") == [ada, scenario.grace]
    assert listed("called=false") == [bob]
    assert listed("call_result=busy") == [scenario.grace]
    assert listed("call_result=busy,voicemail") == [ada, scenario.grace]
    assert listed("call_result=converted") == []
    assert listed("called_within=300") == [ada]
    assert listed("called_within=3600&source=api") == [scenario.grace]
    assert listed("called=true&created_from=2026-03-02T09:10:00Z&created_to=2026-03-02T09:20:00Z") == [ada]
    assert listed(f"called=true&assigned_to={id_of(scenario.ann)}") == [scenario.grace]


def test_a_list_of_called_leads_is_paginated(scenario: HttpScenario) -> None:
    scenario.completed_call_task()
    ada = scenario.create_lead("Ada", "+12125550124")
    complete(scenario.manager, scenario.create_call_task(lead_id=ada)["id"])

    first = scenario.manager.get(f"{LEADS}?called=true&limit=1")
    second = scenario.manager.get(first.headers["Link"].removeprefix("<").removesuffix('>; rel="next"'))

    assert [*ids(first), *ids(second)] == [ada, scenario.grace]
    assert second.get_json()["next_cursor"] is None


def test_a_call_and_its_correction_affect_the_next_list_at_once(scenario: HttpScenario) -> None:
    task = scenario.create_call_task()
    assert (
        ids(scenario.manager.get(f"{LEADS}?called=true"))
        == ids(scenario.manager.get(f"{LEADS}?call_result=busy"))
        == []
    )

    complete(scenario.ann, task["id"])
    assert ids(scenario.manager.get(f"{LEADS}?called=true")) == [scenario.grace]
    (entry,) = items(scenario.manager.get(LOGS))
    scenario.manager.post(f"{LOGS}/{entry['id']}/corrections", json={"reason": "A slip.", "outcome": "busy"})

    assert ids(scenario.manager.get(f"{LEADS}?call_result=busy")) == [scenario.grace]
    assert ids(scenario.manager.get(f"{LEADS}?call_result=connected")) == []


def test_agents_filter_leads_by_their_own_calls_only(scenario: HttpScenario) -> None:
    scenario.completed_call_task(outcome="busy")
    scenario.manager.patch(f"{LEADS}/{scenario.grace}", json={"assigned_to": id_of(scenario.ben)})

    assert ids(scenario.ben.get(f"{LEADS}?called=false")) == [scenario.grace]
    assert ids(scenario.ben.get(f"{LEADS}?called=true")) == []
    assert ids(scenario.ben.get(f"{LEADS}?call_result=busy")) == []
    complete(
        scenario.ben,
        scenario.create_call_task(assigned_to=id_of(scenario.ben))["id"],
        outcome="no_answer",
        duration_seconds=0,
    )

    assert ids(scenario.ben.get(f"{LEADS}?call_result=busy,no_answer")) == [scenario.grace]


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
def test_a_malformed_query_is_refused_with_the_parameter(
    scenario: HttpScenario, query: str, parameter: str, code: str
) -> None:
    answer = scenario.manager.get(f"{LEADS}?{query}")

    assert problem(answer) == (400, "invalid_parameter")
    assert faults(answer) == [(parameter, code)]
