"""Reading call tasks and the call log: who sees what."""

from datetime import timedelta
from typing import Any

import pytest

from tests.core.calls.floor import HOUR, Floor
from unite_core import Actor, CallTask, LeadToDelete, LedgerEntry, LedgerFilter, NotFound, PageRequest, TaskFilter


def tasks(floor: Floor, actor: Actor, **wanted: Any) -> list[CallTask]:
    page = floor.unite.calls.list(actor, TaskFilter(**wanted), PageRequest())
    assert page.next is None
    return [view.task for view in page.items]


def logs(floor: Floor, actor: Actor, **wanted: Any) -> list[LedgerEntry]:
    return [*floor.unite.calls.list_logs(actor, LedgerFilter(**wanted), PageRequest()).items]


def test_a_call_task_is_read_together_with_its_lead(floor: Floor) -> None:
    lead = floor.lead()
    task = floor.create(lead)

    for actor in (floor.admin, floor.manager, floor.ann):
        view = floor.unite.calls.get(actor, task.id)
        assert (view.task, view.lead) == (task, lead)
    with pytest.raises(NotFound):
        floor.unite.calls.get(floor.ben, task.id)


def test_a_call_task_outlives_its_lead(floor: Floor) -> None:
    lead = floor.lead()
    task = floor.create(lead)
    floor.unite.leads.delete(floor.manager, LeadToDelete(lead_id=lead.id))

    (listed,) = floor.unite.calls.list(floor.manager, TaskFilter(), PageRequest()).items

    assert listed == floor.unite.calls.get(floor.manager, task.id)
    assert (listed.task.id, listed.lead) == (task.id, None)


def test_agents_call_leads_that_are_somebody_elses_where_the_call_is_theirs(floor: Floor) -> None:
    lead = floor.lead()
    task = floor.create(lead, assigned_to=floor.ben.user_id)

    assert floor.unite.calls.get(floor.ben, task.id).lead == lead
    with pytest.raises(NotFound):
        floor.unite.calls.get(floor.ann, task.id)


def test_calls_are_listed_the_soonest_due_first_page_by_page(floor: Floor) -> None:
    lead = floor.lead()
    due = [floor.create(lead, due_at=floor.now + timedelta(minutes=minutes)) for minutes in (30, 10, 20)]

    first = floor.unite.calls.list(floor.manager, TaskFilter(), PageRequest(limit=2))
    second = floor.unite.calls.list(floor.manager, TaskFilter(), PageRequest(limit=2, after=first.next))

    found = [*first.items, *second.items]
    assert [view.task for view in found] == [due[1], due[2], due[0]]
    assert {view.lead.id for view in found if view.lead} == {lead.id}
    assert second.next is None


def test_agents_list_their_own_calls_whatever_they_ask_for(floor: Floor) -> None:
    anns, bens = floor.create(), floor.create(assigned_to=floor.ben.user_id)

    assert tasks(floor, floor.manager) == [anns, bens]
    assert tasks(floor, floor.ann) == [anns]
    assert tasks(floor, floor.ann, assigned_to=frozenset({floor.ben.user_id})) == []
    assert tasks(floor, floor.admin, assigned_to=frozenset({floor.ben.user_id})) == [bens]


def test_the_call_log_is_read_newest_first_and_agents_read_their_own(floor: Floor) -> None:
    anns, bens = floor.create(), floor.create(assigned_to=floor.ben.user_id)
    floor.complete(anns)
    floor.pass_time(HOUR / 2)
    floor.complete(bens, floor.ben)

    everything = [*floor.chain(bens), *floor.chain(anns)]
    assert logs(floor, floor.manager) == everything
    assert logs(floor, floor.ann) == floor.chain(anns)
    assert logs(floor, floor.ann, agent_id=floor.ben.user_id) == []
    assert logs(floor, floor.admin, task_id=bens.id) == floor.chain(bens)


def test_the_ledger_of_a_task_is_read_by_whoever_sees_the_task(floor: Floor) -> None:
    task = floor.complete(floor.create())

    for actor in (floor.admin, floor.manager, floor.ann):
        ledger = floor.unite.calls.get_ledger(actor, task.id)
        assert (ledger.task, ledger.broken) == (task, None)
        assert [entry.task_id for entry in ledger.entries] == [task.id]
    with pytest.raises(NotFound):
        floor.unite.calls.get_ledger(floor.ben, task.id)
