"""Tests of what an agent sees of the activity of a lead: changes of the lead, and the agent's own calls."""

from datetime import timedelta
from typing import Any

from unite_core import Actor, CallTask, Event, Lead, LeadChanges, PageRequest
from unite_core.testing.builders import an_event, an_id
from unite_core.testing.scenario import Scenario


def history(scenario: Scenario, actor: Actor, lead: Lead) -> list[Event]:
    """The lead's history, oldest first."""
    scenario.ports.jobs.run_all(scenario.unite)
    return [*scenario.unite.leads.activity(actor, lead.id, PageRequest(limit=200)).items][::-1]


def types(events: list[Event]) -> list[str]:
    return [event.type for event in events]


def change(scenario: Scenario, lead: Lead, **changes: Any) -> None:
    scenario.advance(timedelta(seconds=1))
    scenario.unite.leads.change(scenario.manager, LeadChanges(lead_id=lead.id, **changes))


def called(scenario: Scenario, lead: Lead, actor: Actor, **call: Any) -> CallTask:
    scenario.advance(timedelta(seconds=1))
    return scenario.complete(scenario.create_call_task(lead, actor), actor, **call)


def test_an_agent_does_not_see_the_calls_of_other_agents_to_a_reassigned_lead(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    hers = called(scenario, lead, scenario.ann, note="She sounded tired.")
    scenario.add_note(hers, "Her brother decides.", scenario.ann)
    change(scenario, lead, assigned_to=scenario.ben.user_id)
    his = called(scenario, lead, scenario.ben)
    pending = scenario.create_call_task(lead, assigned_to=scenario.ann.user_id)

    visible = history(scenario, scenario.ben, lead)

    assert types(visible) == [
        "lead.created",
        "lead.changed",  # contacted, by Ann's call
        "lead.changed",  # assigned to Ben
        "call_task.created",
        "call_task.assigned",
        "call_task.completed",
    ]
    assert {event.data["task_id"] for event in visible[3:]} == {str(his.id)}
    for unknown in (scenario.ann.user_id, hers.id, pending.id):
        assert str(unknown) not in repr(visible)
    assert len(history(scenario, scenario.manager, lead)) == 12


def test_an_agent_sees_the_actor_only_of_their_own_actions(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    called(scenario, lead, scenario.ann)
    change(scenario, lead, name="Grace B. Hopper")

    visible = history(scenario, scenario.ann, lead)

    actors = {event.type: event.actor_id for event in visible}
    assert actors["call_task.completed"] == scenario.ann.user_id
    assert (visible[0].type, visible[0].actor_id, visible[-1].actor_id) == ("lead.created", None, None)
    assert visible[0].data["assigned_to"] == str(scenario.ann.user_id)
    assert visible[-1].data == {"name": {"from": "Grace Hopper", "to": "Grace B. Hopper"}}


def test_an_agent_sees_assignments_to_them_without_the_previous_assignee(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    change(scenario, lead, assigned_to=None)
    change(scenario, lead, assigned_to=scenario.ben.user_id)

    visible = history(scenario, scenario.ben, lead)

    assert [event.data["assigned_to"] for event in visible] == [
        None,
        {"from": None, "to": None},
        {"from": None, "to": str(scenario.ben.user_id)},
    ]


def test_an_agent_sees_neither_imports_nor_unknown_types_of_events(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    scenario.ports.jobs.run_all(scenario.unite)
    scenario.ports.activity.deliver(
        [
            an_event(type="lead.imported", lead_ids=(lead.id,), import_id=an_id(), data={"filename": "secret.csv"}),
            an_event(type="lead.something_new", lead_ids=(lead.id,)),
        ]
    )

    assert types(history(scenario, scenario.ann, lead)) == ["lead.created"]
    assert len(history(scenario, scenario.admin, lead)) == 3


def test_pages_are_full_although_events_are_hidden(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    change(scenario, lead, assigned_to=scenario.ben.user_id)
    for _ in range(4):
        scenario.complete(scenario.create_call_task(lead, assigned_to=scenario.ann.user_id), scenario.ann)
        change(scenario, lead, source=f"source {scenario.now:%S}")
    scenario.ports.jobs.run_all(scenario.unite)

    first = scenario.unite.leads.activity(scenario.ben, lead.id, PageRequest(limit=4))
    second = scenario.unite.leads.activity(scenario.ben, lead.id, PageRequest(limit=4, after=first.next))

    assert [len(first.items), len(second.items)] == [4, 3]
    assert {event.type for event in [*first.items, *second.items]} == {"lead.created", "lead.changed"}
