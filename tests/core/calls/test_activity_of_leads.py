"""What of a lead's history its agent reads: what was done to the lead, and their own calls."""

from datetime import timedelta
from typing import Any

from tests.core.calls.floor import Floor
from unite_core import Actor, CallTask, Event, Lead, LeadChanges, PageRequest
from unite_core.testing.builders import an_event, an_id


def history(floor: Floor, actor: Actor, lead: Lead) -> list[Event]:
    """The lead's history, oldest first."""
    floor.ports.jobs.run_all(floor.unite)
    return [*floor.unite.leads.activity(actor, lead.id, PageRequest(limit=200)).items][::-1]


def types(events: list[Event]) -> list[str]:
    return [event.type for event in events]


def change(floor: Floor, lead: Lead, **changes: Any) -> None:
    floor.pass_time(timedelta(seconds=1))
    floor.unite.leads.change(floor.manager, LeadChanges(lead_id=lead.id, **changes))


def called(floor: Floor, lead: Lead, actor: Actor, **told: Any) -> CallTask:
    floor.pass_time(timedelta(seconds=1))
    return floor.complete(floor.create(lead, actor), actor, **told)


def test_an_agent_who_got_a_lead_reads_nothing_of_the_calls_of_others(floor: Floor) -> None:
    lead = floor.lead()
    hers = called(floor, lead, floor.ann, note="She sounded tired.")
    floor.note(hers, "Her brother decides.", floor.ann)
    change(floor, lead, assigned_to=floor.ben.user_id)
    his = called(floor, lead, floor.ben)
    pending = floor.create(lead, assigned_to=floor.ann.user_id)

    found = history(floor, floor.ben, lead)

    assert types(found) == [
        "lead.created",
        "lead.changed",  # contacted, by Ann's call
        "lead.changed",  # assigned to Ben
        "call_task.created",
        "call_task.assigned",
        "call_task.completed",
    ]
    assert {event.data["task_id"] for event in found[3:]} == {str(his.id)}
    for unknown in (floor.ann.user_id, hers.id, pending.id):
        assert str(unknown) not in repr(found)
    assert len(history(floor, floor.manager, lead)) == 12


def test_an_agent_is_told_who_did_it_where_it_was_them(floor: Floor) -> None:
    lead = floor.lead()
    called(floor, lead, floor.ann)
    change(floor, lead, name="Grace B. Hopper")

    found = history(floor, floor.ann, lead)

    actors = {event.type: event.actor_id for event in found}
    assert actors["call_task.completed"] == floor.ann.user_id
    assert (found[0].type, found[0].actor_id, found[-1].actor_id) == ("lead.created", None, None)
    assert found[0].data["assigned_to"] == str(floor.ann.user_id)
    assert found[-1].data == {"name": {"from": "Grace Hopper", "to": "Grace B. Hopper"}}


def test_an_agent_is_told_that_the_lead_was_assigned_to_them_and_not_from_whom(floor: Floor) -> None:
    lead = floor.lead()
    change(floor, lead, assigned_to=None)
    change(floor, lead, assigned_to=floor.ben.user_id)

    found = history(floor, floor.ben, lead)

    assert [event.data["assigned_to"] for event in found] == [
        None,
        {"from": None, "to": None},
        {"from": None, "to": str(floor.ben.user_id)},
    ]


def test_an_agent_reads_nothing_of_imports_and_of_what_nobody_knows_yet(floor: Floor) -> None:
    lead = floor.lead()
    floor.ports.jobs.run_all(floor.unite)
    floor.ports.activity.deliver(
        [
            an_event(type="lead.imported", lead_ids=(lead.id,), import_id=an_id(), data={"filename": "secret.csv"}),
            an_event(type="lead.something_new", lead_ids=(lead.id,)),
        ]
    )

    assert types(history(floor, floor.ann, lead)) == ["lead.created"]
    assert len(history(floor, floor.admin, lead)) == 3


def test_what_is_left_out_makes_no_page_shorter(floor: Floor) -> None:
    lead = floor.lead()
    change(floor, lead, assigned_to=floor.ben.user_id)
    for _ in range(4):
        floor.complete(floor.create(lead, assigned_to=floor.ann.user_id), floor.ann)
        change(floor, lead, source=f"source {floor.now:%S}")
    floor.ports.jobs.run_all(floor.unite)

    first = floor.unite.leads.activity(floor.ben, lead.id, PageRequest(limit=4))
    second = floor.unite.leads.activity(floor.ben, lead.id, PageRequest(limit=4, after=first.next))

    assert [len(first.items), len(second.items)] == [4, 3]
    assert {event.type for event in [*first.items, *second.items]} == {"lead.created", "lead.changed"}
