"""Each ledger entry holds when its call was, the source of its lead and the attempt; calls of leads are counted."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.core.calls.floor import HOUR, Floor
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

BUSY, CONNECTED = CallOutcome.BUSY, CallOutcome.CONNECTED
SECOND = timedelta(seconds=1)


def correct(
    floor: Floor,
    task: CallTask,
    *,
    outcome: CallOutcome = BUSY,
    seconds: int = 60,
    started_at: datetime | None = None,
) -> LedgerEntry:
    correction = Correction(
        entry_id=floor.chain(task)[-1].id,
        reason="A slip.",
        outcome=outcome,
        duration_seconds=seconds,
        started_at=started_at,
    )
    return floor.unite.calls.correct(floor.manager, correction)


def counts(floor: Floor, task: CallTask) -> CallCounts:
    return floor.tables.lead_calls[task.lead_id]


def test_every_result_is_an_outcome_or_why_there_was_no_call(floor: Floor) -> None:
    made, missed, cancelled = (floor.create() for _ in range(3))
    floor.complete(made, outcome=BUSY)
    floor.cancel(cancelled)
    floor.miss(missed)

    assert [floor.chain(task)[0].result for task in (made, missed, cancelled)] == ["busy", "missed", "cancelled"]
    assert {*CallResult} == {*CallOutcome, "missed", "cancelled"}


def test_an_entry_without_the_outcome_that_its_kind_needs_has_no_result(floor: Floor) -> None:
    entry = an_entry(floor.create(), outcome=None, duration_seconds=None)

    with pytest.raises(ValueError, match="completed"):
        _ = entry.result


def test_a_call_was_when_it_began_or_its_duration_before_it_was_completed(floor: Floor) -> None:
    began = floor.now
    floor.pass_time()

    with_start = floor.complete(floor.create(), duration_seconds=5, started_at=began)
    without = floor.complete(floor.create(), duration_seconds=5)

    assert floor.chain(with_start)[0].called_at == began
    assert floor.chain(without)[0].called_at == floor.now - 5 * SECOND


def test_a_call_that_was_not_made_was_when_it_was_due(floor: Floor) -> None:
    missed, cancelled, of_lead = (floor.create(due_at=floor.now + HOUR) for _ in range(3))

    floor.cancel(cancelled)
    floor.unite.leads.delete(floor.admin, LeadToDelete(lead_id=of_lead.lead_id))
    floor.miss(missed)

    for task in (missed, cancelled, of_lead):
        (entry,) = floor.chain(task)
        assert (entry.called_at, entry.source, entry.attempt) == (task.due_at, "api", None)
        assert task.lead_id not in floor.tables.lead_calls


def test_calls_to_a_lead_are_numbered_as_they_are_made(floor: Floor) -> None:
    lead = floor.lead()
    calls = [floor.complete(floor.create(lead), outcome=outcome) for outcome in (BUSY, CONNECTED, BUSY)]
    floor.cancel(floor.create(lead))
    other = floor.complete(floor.create())

    assert [floor.chain(task)[0].attempt for task in [*calls, other]] == [1, 2, 3, 1]
    assert counts(floor, calls[0]).outcomes == {BUSY: 2, CONNECTED: 1}
    assert counts(floor, calls[0]).calls == 3


def test_an_entry_holds_the_source_that_the_lead_had_then(floor: Floor) -> None:
    lead = floor.lead(source="fair")
    before, after = floor.create(lead), floor.create(lead)
    floor.complete(before)

    floor.unite.leads.change(floor.admin, LeadChanges(lead_id=lead.id, source="web"))
    floor.complete(after)
    correct(floor, before)

    assert [[entry.source for entry in floor.chain(task)] for task in (before, after)] == [["fair", "fair"], ["web"]]


def test_the_source_of_a_lead_that_is_gone_is_unknown(floor: Floor) -> None:
    missed, cancelled = floor.create(), floor.create()
    for task in (missed, cancelled):
        # Deleting a lead cancels its tasks; here somebody planned one at the same time.
        lead = floor.lead_of(task)
        floor.tables.leads[lead.id] = replace(lead, deleted_at=floor.now)

    floor.cancel(cancelled)
    floor.miss(missed)

    assert [floor.chain(task)[0].source for task in (missed, cancelled)] == [None, None]


def test_a_correction_keeps_attempt_and_source_and_says_when_the_call_was(floor: Floor) -> None:
    task = floor.complete(floor.create(), duration_seconds=300)
    done = floor.now
    floor.pass_time(48 * HOUR)

    shorter = correct(floor, task, seconds=60)
    elsewhen = correct(floor, task, started_at=done - HOUR)
    back = correct(floor, task, seconds=30)

    assert [entry.called_at for entry in (shorter, elsewhen, back)] == [
        done - 60 * SECOND,
        done - HOUR,
        done - 30 * SECOND,
    ]
    assert {(entry.attempt, entry.source, entry.format) for entry in floor.chain(task)} == {(1, "api", 2)}
    assert counts(floor, task) == CallCounts(outcomes={BUSY: 1}, first_called_at=done - 30 * SECOND)


def test_a_call_that_was_made_after_all_is_the_next_attempt(floor: Floor) -> None:
    lead = floor.lead()
    missed, cancelled = floor.create(lead), floor.create(lead)
    floor.complete(floor.create(lead))
    floor.cancel(cancelled)
    floor.miss(missed)

    when_due = correct(floor, missed)
    then = correct(floor, cancelled, started_at=floor.now - HOUR)
    again = correct(floor, missed, outcome=CONNECTED)

    assert [it.attempt for it in floor.chain(missed)] == [None, 2, 2]
    assert (when_due.called_at, again.called_at) == (missed.due_at, missed.due_at)
    assert (then.attempt, then.called_at) == (3, floor.now - HOUR)
    assert counts(floor, missed).outcomes == {CONNECTED: 2, BUSY: 1}
    assert floor.unite.calls.verify_ledger().broken is None


def test_a_correction_of_an_entry_of_before_is_of_the_format_of_now(floor: Floor) -> None:
    task = floor.complete(floor.create())
    (written,) = floor.chain(task)
    floor.tables.ledger[written.id] = an_entry(
        floor.stored(task), **{**as_written(written), "format": 1, "source": "fair", "attempt": 4}
    )

    right = correct(floor, task)

    assert (right.format, right.source, right.attempt) == (2, "fair", 4)
    assert floor.unite.calls.verify_ledger().broken is None


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
def test_a_correction_that_says_what_does_not_follow_from_its_chain_is_found(
    floor: Floor, changes: dict[str, Any], reason: str, format_: int
) -> None:
    task = floor.complete(floor.create())
    right = correct(floor, task)
    values = {**changes, "called_at": right.called_at + changes.get("called_at", timedelta())}
    said = {**as_written(right), "source": right.source, "attempt": right.attempt, "kind": EntryKind.CORRECTION}
    chain = floor.chain(task)[:1]
    floor.tables.ledger[right.id] = an_entry(floor.stored(task), chain, **{**said, **values, "format": format_})

    broken = floor.unite.calls.verify_ledger().broken

    assert broken is not None
    assert (broken.entry_id, broken.number) == (right.id, 2)
    assert reason in broken.reason


def test_a_closed_task_that_says_another_due_time_is_contradicted(floor: Floor) -> None:
    task = floor.create()
    floor.miss(task)
    floor.tables.tasks[task.id] = replace(floor.stored(task), due_at=task.due_at - HOUR)

    broken = floor.unite.calls.verify_ledger().broken

    assert broken is not None
    assert broken.reason == "The task says something else of called_at."
