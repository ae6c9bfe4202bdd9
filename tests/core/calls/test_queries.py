"""Reading call tasks and the call log: who sees what."""

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


def test_a_call_task_is_read_together_with_its_lead(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    task = scenario.create_call_task(lead)

    for actor in (scenario.admin, scenario.manager, scenario.ann):
        view = scenario.unite.calls.get(actor, task.id)
        assert (view.task, view.lead) == (task, lead)
    with pytest.raises(NotFound):
        scenario.unite.calls.get(scenario.ben, task.id)


def test_a_call_task_outlives_its_lead(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    task = scenario.create_call_task(lead)
    scenario.unite.leads.delete(scenario.manager, LeadToDelete(lead_id=lead.id))

    (listed,) = scenario.unite.calls.list(scenario.manager, TaskFilter(), PageRequest()).items

    assert listed == scenario.unite.calls.get(scenario.manager, task.id)
    assert (listed.task.id, listed.lead) == (task.id, None)


def test_agents_call_leads_that_are_somebody_elses_where_the_call_is_theirs(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    task = scenario.create_call_task(lead, assigned_to=scenario.ben.user_id)

    assert scenario.unite.calls.get(scenario.ben, task.id).lead == lead
    with pytest.raises(NotFound):
        scenario.unite.calls.get(scenario.ann, task.id)


def test_calls_are_listed_the_soonest_due_first_page_by_page(scenario: Scenario) -> None:
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


def test_agents_list_their_own_calls_whatever_they_ask_for(scenario: Scenario) -> None:
    anns, bens = scenario.create_call_task(), scenario.create_call_task(assigned_to=scenario.ben.user_id)

    assert tasks(scenario, scenario.manager) == [anns, bens]
    assert tasks(scenario, scenario.ann) == [anns]
    assert tasks(scenario, scenario.ann, assigned_to=frozenset({scenario.ben.user_id})) == []
    assert tasks(scenario, scenario.admin, assigned_to=frozenset({scenario.ben.user_id})) == [bens]


def test_the_call_log_is_read_newest_first_and_agents_read_their_own(scenario: Scenario) -> None:
    anns, bens = scenario.create_call_task(), scenario.create_call_task(assigned_to=scenario.ben.user_id)
    scenario.complete(anns)
    scenario.advance(HOUR / 2)
    scenario.complete(bens, scenario.ben)

    everything = [*scenario.ledger(bens), *scenario.ledger(anns)]
    assert logs(scenario, scenario.manager) == everything
    assert logs(scenario, scenario.ann) == scenario.ledger(anns)
    assert logs(scenario, scenario.ann, agent_id=scenario.ben.user_id) == []
    assert logs(scenario, scenario.admin, task_id=bens.id) == scenario.ledger(bens)


def test_the_ledger_of_a_task_is_read_by_whoever_sees_the_task(scenario: Scenario) -> None:
    task = scenario.complete(scenario.create_call_task())

    for actor in (scenario.admin, scenario.manager, scenario.ann):
        ledger = scenario.unite.calls.get_ledger(actor, task.id)
        assert (ledger.task, ledger.broken) == (task, None)
        assert [entry.task_id for entry in ledger.entries] == [task.id]
    with pytest.raises(NotFound):
        scenario.unite.calls.get_ledger(scenario.ben, task.id)
