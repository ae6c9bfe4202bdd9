"""Tests of how calls change the status of their leads, and of statuses that users chose."""

from datetime import timedelta

import pytest

from unite_core import CallOutcome, CallTask, LeadChanges, LeadStatus
from unite_core.testing.scenario import Scenario

NEW, CONTACTED, QUALIFIED, CONVERTED, LOST = LeadStatus
MOVES = {
    CallOutcome.CONNECTED: {NEW: CONTACTED},
    CallOutcome.CALLBACK_REQUESTED: {NEW: CONTACTED},
    CallOutcome.CONVERTED: dict.fromkeys((NEW, CONTACTED, QUALIFIED, LOST), CONVERTED),
    CallOutcome.NOT_INTERESTED: dict.fromkeys((NEW, CONTACTED, QUALIFIED), LOST),
}
"""Outcome -> the statuses that it changes, and to what."""


def call(scenario: Scenario, task: CallTask, outcome: CallOutcome, seconds: int = 60, *, began: bool = False) -> None:
    """Complete a call, with the moment at which it began or with its duration alone."""
    follow_up_at = scenario.now + timedelta(days=1) if outcome is CallOutcome.CALLBACK_REQUESTED else None
    started_at = scenario.now - timedelta(seconds=seconds) if began else None
    duration = 1 if began else seconds
    scenario.complete(
        task, outcome=outcome, duration_seconds=duration, started_at=started_at, follow_up_at=follow_up_at
    )


def choose(scenario: Scenario, task: CallTask, status: LeadStatus) -> None:
    scenario.unite.leads.change(scenario.manager, LeadChanges(lead_id=task.lead_id, status=status))


@pytest.mark.parametrize("outcome", CallOutcome)
@pytest.mark.parametrize("status", LeadStatus)
def test_every_outcome_changes_the_status_or_leaves_it(
    scenario: Scenario, outcome: CallOutcome, status: LeadStatus
) -> None:
    task = scenario.create_call_task(scenario.create_lead(status=status))
    before = scenario.lead_of(task)
    now = scenario.advance()

    call(scenario, task, outcome)

    lead = scenario.lead_of(task)
    expected = MOVES.get(outcome, {}).get(status, status)
    moved = expected is not status
    changes = [dict(event.data) for event in scenario.events() if event.type == "lead.changed"]
    assert (lead.status, lead.status_chosen_at, lead.version) == (expected, None, before.version + moved)
    assert lead.updated_at == (now if moved else before.updated_at)
    assert changes == ([{"status": {"from": status.value, "to": expected.value}}] if moved else [])


@pytest.mark.parametrize("began", [True, False], ids=["told", "by its duration"])
@pytest.mark.parametrize("outcome", MOVES)
def test_a_status_that_was_chosen_after_the_start_of_the_call_stays(
    scenario: Scenario, outcome: CallOutcome, began: bool
) -> None:
    task = scenario.create_call_task(scenario.create_lead(status=CONTACTED))
    choose(scenario, task, NEW)
    scenario.advance(timedelta(seconds=59))

    call(scenario, task, outcome, seconds=60, began=began)

    assert scenario.lead_of(task).status is NEW


@pytest.mark.parametrize("began", [True, False], ids=["told", "by its duration"])
@pytest.mark.parametrize("outcome", MOVES)
def test_a_status_that_was_chosen_before_the_start_of_the_call_is_changed(
    scenario: Scenario, outcome: CallOutcome, began: bool
) -> None:
    task = scenario.create_call_task(scenario.create_lead(status=CONTACTED))
    choose(scenario, task, NEW)
    scenario.advance(timedelta(seconds=60))

    call(scenario, task, outcome, seconds=60, began=began)

    assert scenario.lead_of(task).status is MOVES[outcome][NEW]


def test_a_change_of_another_field_is_not_a_choice_of_the_status(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    for change in ({"name": "Grace"}, {"status": NEW}):
        scenario.unite.leads.change(scenario.manager, LeadChanges(lead_id=task.lead_id, **change))
    scenario.advance(timedelta(seconds=1))

    call(scenario, task, CallOutcome.CONNECTED)

    assert scenario.lead_of(task).status is CONTACTED


def test_a_call_is_not_a_choice_of_the_status(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    connected, converted = scenario.create_call_task(lead), scenario.create_call_task(lead)
    call(scenario, connected, CallOutcome.CONNECTED)

    call(scenario, converted, CallOutcome.CONVERTED, seconds=3600)

    assert scenario.lead_of(converted).status is CONVERTED
