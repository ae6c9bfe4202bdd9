"""Tests of queries of call tasks and the call log, by role."""

from datetime import timedelta
from typing import Any

import pytest

from unite_core import Actor, CallTask, LeadToDelete, LedgerEntry, LedgerFilter, NotFound, PageRequest, TaskFilter
from unite_core.testing.scenario import HOUR, Scenario


def tasks(scenario: Scenario, actor: Actor, **filters: Any) -> list[CallTask]:
    page = scenario.unite.calls.list(actor, TaskFilter(**filters), PageRequest())
    assert page.next is None
    return [view.task for view in page.items]


def logs(scenario: Scenario, actor: Actor, **filters: Any) -> list[LedgerEntry]:
    return [*scenario.unite.calls.list_logs(actor, LedgerFilter(**filters), PageRequest()).items]


def test_a_task_is_returned_with_its_lead(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    task = scenario.create_call_task(lead)

    for actor in (scenario.admin, scenario.manager, scenario.ann):
        view = scenario.unite.calls.get(actor, task.id)
        assert (view.task, view.lead) == (task, lead)
    with pytest.raises(NotFound):
        scenario.unite.calls.get(scenario.ben, task.id)


def test_a_task_of_a_deleted_lead_can_be_read(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    task = scenario.create_call_task(lead)
    scenario.unite.leads.delete(scenario.manager, LeadToDelete(lead_id=lead.id))

    (listed,) = scenario.unite.calls.list(scenario.manager, TaskFilter(), PageRequest()).items

    assert listed == scenario.unite.calls.get(scenario.manager, task.id)
    assert (listed.task.id, listed.lead) == (task.id, None)


def test_an_agent_sees_the_lead_of_their_task_although_it_is_assigned_to_somebody_else(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    task = scenario.create_call_task(lead, assigned_to=scenario.ben.user_id)

    assert scenario.unite.calls.get(scenario.ben, task.id).lead == lead
    with pytest.raises(NotFound):
        scenario.unite.calls.get(scenario.ann, task.id)


def test_tasks_are_listed_by_due_time_in_pages(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    due = [
        scenario.create_call_task(lead, due_at=scenario.now + timedelta(minutes=minutes)) for minutes in (30, 10, 20)
    ]

    first = scenario.unite.calls.list(scenario.manager, TaskFilter(), PageRequest(limit=2))
    second = scenario.unite.calls.list(scenario.manager, TaskFilter(), PageRequest(limit=2, after=first.next))

    both_pages = [*first.items, *second.items]
    assert [view.task for view in both_pages] == [due[1], due[2], due[0]]
    assert {view.lead.id for view in both_pages if view.lead} == {lead.id}
    assert second.next is None


def test_agents_list_their_own_tasks_whatever_they_filter_by(scenario: Scenario) -> None:
    anns, bens = scenario.create_call_task(), scenario.create_call_task(assigned_to=scenario.ben.user_id)

    assert tasks(scenario, scenario.manager) == [anns, bens]
    assert tasks(scenario, scenario.ann) == [anns]
    assert tasks(scenario, scenario.ann, assigned_to=frozenset({scenario.ben.user_id})) == []
    assert tasks(scenario, scenario.admin, assigned_to=frozenset({scenario.ben.user_id})) == [bens]


def test_the_call_log_is_listed_newest_first_and_agents_see_their_own_calls(scenario: Scenario) -> None:
    anns, bens = scenario.create_call_task(), scenario.create_call_task(assigned_to=scenario.ben.user_id)
    scenario.complete(anns)
    scenario.advance(HOUR / 2)
    scenario.complete(bens, scenario.ben)

    everything = [*scenario.ledger(bens), *scenario.ledger(anns)]
    assert logs(scenario, scenario.manager) == everything
    assert logs(scenario, scenario.ann) == scenario.ledger(anns)
    assert logs(scenario, scenario.ann, agent_id=scenario.ben.user_id) == []
    assert logs(scenario, scenario.admin, task_id=bens.id) == scenario.ledger(bens)


def test_the_ledger_of_a_task_is_visible_to_every_user_who_sees_the_task(scenario: Scenario) -> None:
    task = scenario.complete(scenario.create_call_task())

    for actor in (scenario.admin, scenario.manager, scenario.ann):
        ledger = scenario.unite.calls.get_ledger(actor, task.id)
        assert (ledger.task, ledger.broken) == (task, None)
        assert [entry.task_id for entry in ledger.entries] == [task.id]
    with pytest.raises(NotFound):
        scenario.unite.calls.get_ledger(scenario.ben, task.id)
