"""Tests of call time, source and attempt number of ledger entries, and of the calls counted per lead."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from unite_core import (
    CallCounts,
    CallOutcome,
    CallResult,
    CallTask,
    Correction,
    EntryKind,
    LeadChanges,
    LeadToDelete,
    LedgerEntry,
)
from unite_core.testing.builders import an_entry
from unite_core.testing.scenario import HOUR, Scenario

BUSY, CONNECTED = CallOutcome.BUSY, CallOutcome.CONNECTED
SECOND = timedelta(seconds=1)


def correct(
    scenario: Scenario,
    task: CallTask,
    *,
    outcome: CallOutcome = BUSY,
    seconds: int = 60,
    started_at: datetime | None = None,
) -> LedgerEntry:
    correction = Correction(
        entry_id=scenario.ledger(task)[-1].id,
        reason="A slip.",
        outcome=outcome,
        duration_seconds=seconds,
        started_at=started_at,
    )
    return scenario.unite.calls.correct(scenario.manager, correction)


def counts(scenario: Scenario, task: CallTask) -> CallCounts:
    return scenario.tables.lead_calls[task.lead_id]


def test_every_result_is_an_outcome_or_the_reason_why_there_was_no_call(scenario: Scenario) -> None:
    made, missed, cancelled = (scenario.create_call_task() for _ in range(3))
    scenario.complete(made, outcome=BUSY)
    scenario.cancel(cancelled)
    scenario.miss(missed)

    assert [scenario.ledger(task)[0].result for task in (made, missed, cancelled)] == ["busy", "missed", "cancelled"]
    assert {*CallResult} == {*CallOutcome, "missed", "cancelled"}


def test_an_entry_without_the_outcome_that_its_kind_needs_has_no_result(scenario: Scenario) -> None:
    entry = an_entry(scenario.create_call_task(), outcome=None, duration_seconds=None)

    with pytest.raises(ValueError, match="completed"):
        _ = entry.result


def test_the_call_time_is_the_start_or_the_duration_before_the_completion(scenario: Scenario) -> None:
    began = scenario.now
    scenario.advance()

    with_start = scenario.complete(scenario.create_call_task(), duration_seconds=5, started_at=began)
    without = scenario.complete(scenario.create_call_task(), duration_seconds=5)

    assert scenario.ledger(with_start)[0].called_at == began
    assert scenario.ledger(without)[0].called_at == scenario.now - 5 * SECOND


def test_the_call_time_of_a_missed_call_is_its_due_time(scenario: Scenario) -> None:
    missed, cancelled, of_lead = (scenario.create_call_task(due_at=scenario.now + HOUR) for _ in range(3))

    scenario.cancel(cancelled)
    scenario.unite.leads.delete(scenario.admin, LeadToDelete(lead_id=of_lead.lead_id))
    scenario.miss(missed)

    for task in (missed, cancelled, of_lead):
        (entry,) = scenario.ledger(task)
        assert (entry.called_at, entry.source, entry.attempt) == (task.due_at, "api", None)
        assert task.lead_id not in scenario.tables.lead_calls


def test_calls_to_a_lead_are_numbered_in_the_order_of_completion(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    calls = [scenario.complete(scenario.create_call_task(lead), outcome=outcome) for outcome in (BUSY, CONNECTED, BUSY)]
    scenario.cancel(scenario.create_call_task(lead))
    other = scenario.complete(scenario.create_call_task())

    assert [scenario.ledger(task)[0].attempt for task in [*calls, other]] == [1, 2, 3, 1]
    assert counts(scenario, calls[0]).outcomes == {BUSY: 2, CONNECTED: 1}
    assert counts(scenario, calls[0]).calls == 3


def test_an_entry_stores_the_source_that_the_lead_had_then(scenario: Scenario) -> None:
    lead = scenario.create_lead(source="fair")
    before, after = scenario.create_call_task(lead), scenario.create_call_task(lead)
    scenario.complete(before)

    scenario.unite.leads.change(scenario.admin, LeadChanges(lead_id=lead.id, source="web"))
    scenario.complete(after)
    correct(scenario, before)

    assert [[entry.source for entry in scenario.ledger(task)] for task in (before, after)] == [
        ["fair", "fair"],
        ["web"],
    ]


def test_the_source_of_a_deleted_lead_is_unknown(scenario: Scenario) -> None:
    missed, cancelled = scenario.create_call_task(), scenario.create_call_task()
    for task in (missed, cancelled):
        # Deleting a lead cancels its tasks; here somebody planned one at the same time.
        lead = scenario.lead_of(task)
        scenario.tables.leads[lead.id] = replace(lead, deleted_at=scenario.now)

    scenario.cancel(cancelled)
    scenario.miss(missed)

    assert [scenario.ledger(task)[0].source for task in (missed, cancelled)] == [None, None]


def test_a_correction_keeps_attempt_and_source_and_may_change_the_call_time(scenario: Scenario) -> None:
    task = scenario.complete(scenario.create_call_task(), duration_seconds=300)
    done = scenario.now
    scenario.advance(48 * HOUR)

    shorter = correct(scenario, task, seconds=60)
    elsewhen = correct(scenario, task, started_at=done - HOUR)
    back = correct(scenario, task, seconds=30)

    assert [entry.called_at for entry in (shorter, elsewhen, back)] == [
        done - 60 * SECOND,
        done - HOUR,
        done - 30 * SECOND,
    ]
    assert {(entry.attempt, entry.source, entry.format) for entry in scenario.ledger(task)} == {(1, "api", 2)}
    assert counts(scenario, task) == CallCounts(outcomes={BUSY: 1}, first_called_at=done - 30 * SECOND)


def test_a_missed_call_that_is_corrected_to_a_call_gets_the_next_attempt_number(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    missed, cancelled = scenario.create_call_task(lead), scenario.create_call_task(lead)
    scenario.complete(scenario.create_call_task(lead))
    scenario.cancel(cancelled)
    scenario.miss(missed)

    when_due = correct(scenario, missed)
    then = correct(scenario, cancelled, started_at=scenario.now - HOUR)
    again = correct(scenario, missed, outcome=CONNECTED)

    assert [it.attempt for it in scenario.ledger(missed)] == [None, 2, 2]
    assert (when_due.called_at, again.called_at) == (missed.due_at, missed.due_at)
    assert (then.attempt, then.called_at) == (3, scenario.now - HOUR)
    assert counts(scenario, missed).outcomes == {CONNECTED: 2, BUSY: 1}
    assert scenario.unite.calls.verify_ledger().broken is None


def test_a_correction_of_an_entry_of_an_older_format_has_the_current_format(scenario: Scenario) -> None:
    task = scenario.complete(scenario.create_call_task())
    (written,) = scenario.ledger(task)
    scenario.tables.ledger[written.id] = an_entry(
        scenario.stored(task), **{**as_written(written), "format": 1, "source": "fair", "attempt": 4}
    )

    right = correct(scenario, task)

    assert (right.format, right.source, right.attempt) == (2, "fair", 4)
    assert scenario.unite.calls.verify_ledger().broken is None


def as_written(entry: LedgerEntry) -> dict[str, Any]:
    names = ("id", "agent_id", "actor_id", "at", "outcome", "duration_seconds", "called_at")
    return {name: getattr(entry, name) for name in names}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"called_at": timedelta(seconds=1)}, "another time"),
        ({"source": "fair"}, "another source or attempt"),
        ({"attempt": 2}, "another source or attempt"),
        ({"attempt": None}, "another source or attempt"),
    ],
)
@pytest.mark.parametrize("format_", [1, 2])
def test_a_correction_that_contradicts_its_chain_is_a_fault(
    scenario: Scenario, changes: dict[str, Any], reason: str, format_: int
) -> None:
    task = scenario.complete(scenario.create_call_task())
    right = correct(scenario, task)
    values = {**changes, "called_at": right.called_at + changes.get("called_at", timedelta())}
    said = {**as_written(right), "source": right.source, "attempt": right.attempt, "kind": EntryKind.CORRECTION}
    chain = scenario.ledger(task)[:1]
    scenario.tables.ledger[right.id] = an_entry(scenario.stored(task), chain, **{**said, **values, "format": format_})

    broken = scenario.unite.calls.verify_ledger().broken

    assert broken is not None
    assert (broken.entry_id, broken.number) == (right.id, 2)
    assert reason in broken.reason


def test_an_entry_that_contradicts_the_due_time_of_its_task_is_a_fault(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    scenario.miss(task)
    scenario.tables.tasks[task.id] = replace(scenario.stored(task), due_at=task.due_at - HOUR)

    broken = scenario.unite.calls.verify_ledger().broken

    assert broken is not None
    assert broken.reason == "The task says something else of called_at."
