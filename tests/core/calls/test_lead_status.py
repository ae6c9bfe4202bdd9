"""How calls move their leads, and that they do not take back what people chose."""

from datetime import timedelta

import pytest

from tests.core.calls.floor import Floor
from unite_core import CallOutcome, CallTask, LeadChanges, LeadStatus

NEW, CONTACTED, QUALIFIED, CONVERTED, LOST = LeadStatus
MOVES = {
    CallOutcome.CONNECTED: {NEW: CONTACTED},
    CallOutcome.CALLBACK_REQUESTED: {NEW: CONTACTED},
    CallOutcome.CONVERTED: dict.fromkeys((NEW, CONTACTED, QUALIFIED, LOST), CONVERTED),
    CallOutcome.NOT_INTERESTED: dict.fromkeys((NEW, CONTACTED, QUALIFIED), LOST),
}
"""Outcome -> the statuses that it changes, and to what."""


def call(floor: Floor, task: CallTask, outcome: CallOutcome, seconds: int = 60, *, began: bool = False) -> None:
    """Complete a call, with the moment at which it began or with its duration alone."""
    follow_up_at = floor.now + timedelta(days=1) if outcome is CallOutcome.CALLBACK_REQUESTED else None
    started_at = floor.now - timedelta(seconds=seconds) if began else None
    duration = 1 if began else seconds
    floor.complete(task, outcome=outcome, duration_seconds=duration, started_at=started_at, follow_up_at=follow_up_at)


def choose(floor: Floor, task: CallTask, status: LeadStatus) -> None:
    floor.unite.leads.change(floor.manager, LeadChanges(lead_id=task.lead_id, status=status))


@pytest.mark.parametrize("outcome", CallOutcome)
@pytest.mark.parametrize("status", LeadStatus)
def test_an_outcome_moves_a_lead_or_leaves_it(floor: Floor, outcome: CallOutcome, status: LeadStatus) -> None:
    task = floor.create(floor.lead(status=status))
    before = floor.lead_of(task)

    call(floor, task, outcome)

    lead = floor.lead_of(task)
    expected = MOVES.get(outcome, {}).get(status, status)
    moved = expected is not status
    changes = [dict(event.data) for event in floor.events if event.type == "lead.changed"]
    assert (lead.status, lead.status_chosen_at, lead.version) == (expected, None, before.version + moved)
    assert changes == ([{"status": {"from": status.value, "to": expected.value}}] if moved else [])


@pytest.mark.parametrize("began", [True, False], ids=["told", "by its duration"])
@pytest.mark.parametrize("outcome", MOVES)
def test_what_somebody_chose_after_the_call_began_stays(floor: Floor, outcome: CallOutcome, began: bool) -> None:
    task = floor.create(floor.lead(status=CONTACTED))
    choose(floor, task, NEW)
    floor.pass_time(timedelta(seconds=59))

    call(floor, task, outcome, seconds=60, began=began)

    assert floor.lead_of(task).status is NEW


@pytest.mark.parametrize("began", [True, False], ids=["told", "by its duration"])
@pytest.mark.parametrize("outcome", MOVES)
def test_what_somebody_chose_before_the_call_began_is_moved(floor: Floor, outcome: CallOutcome, began: bool) -> None:
    task = floor.create(floor.lead(status=CONTACTED))
    choose(floor, task, NEW)
    floor.pass_time(timedelta(seconds=60))

    call(floor, task, outcome, seconds=60, began=began)

    assert floor.lead_of(task).status is MOVES[outcome][NEW]


def test_a_change_of_something_else_is_no_choice_of_a_status(floor: Floor) -> None:
    task = floor.create()
    for change in ({"name": "Grace"}, {"status": NEW}):
        floor.unite.leads.change(floor.manager, LeadChanges(lead_id=task.lead_id, **change))
    floor.pass_time(timedelta(seconds=1))

    call(floor, task, CallOutcome.CONNECTED)

    assert floor.lead_of(task).status is CONTACTED


def test_a_call_is_no_choice_of_a_status(floor: Floor) -> None:
    lead = floor.lead()
    connected, converted = floor.create(lead), floor.create(lead)
    call(floor, connected, CallOutcome.CONNECTED)

    call(floor, converted, CallOutcome.CONVERTED, seconds=3600)

    assert floor.lead_of(converted).status is CONVERTED
