"""Tests of the hash chains of the call ledger: every change, deletion or insertion is detected."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from unite_core import (
    CallOutcome,
    CallTask,
    ChainFault,
    Completion,
    Correction,
    EntryKind,
    LedgerEntry,
    TaskStatus,
    VerificationResult,
)
from unite_core.calls.ledger import NO_HASH, hash_of, link_to_chain
from unite_core.testing.builders import an_id
from unite_core.testing.scenario import HOUR, Scenario

COMPLETED = TaskStatus.COMPLETED


@pytest.fixture
def task(scenario: Scenario) -> CallTask:
    """A task whose chain has three entries: the call and two corrections."""
    call: dict[str, Any] = {"note": "She is glad.", "started_at": scenario.now, "follow_up_at": scenario.now + HOUR}
    task = scenario.complete(scenario.create_call_task(due_at=scenario.now), **call)
    for seconds in (100, 200):
        scenario.advance(timedelta(seconds=1))
        wrong = scenario.ledger(task)[-1]
        correction = Correction(entry_id=wrong.id, reason="It was shorter.", duration_seconds=seconds)
        scenario.unite.calls.correct(scenario.manager, correction)
    return scenario.stored(task)


def write(scenario: Scenario, *entries: LedgerEntry) -> None:
    """Change entries behind everybody's back."""
    for entry in entries:
        scenario.tables.ledger[entry.id] = entry


def find_fault(scenario: Scenario) -> ChainFault:
    broken = scenario.unite.calls.verify_ledger().broken
    assert broken is not None
    return broken


def sealed(entry: LedgerEntry) -> LedgerEntry:
    """The entry with the hash that fits what it says now."""
    return replace(entry, hash=hash_of(entry))


def test_a_hash_covers_all_fields_of_an_entry_in_a_reproducible_format() -> None:
    entry = LedgerEntry(
        id=UUID(int=1),
        task_id=UUID(int=2),
        number=1,
        kind=EntryKind.COMPLETED,
        lead_id=UUID(int=3),
        agent_id=UUID(int=4),
        actor_id=None,
        at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
        called_at=datetime(2026, 3, 2, 9, 29, 53, tzinfo=UTC),
        outcome=CallOutcome.NO_ANSWER,
        duration_seconds=7,
        note="Zoë “A”\n",
        source="fair",
        attempt=3,
    )
    text = (
        '{"actor_id":null,"agent_id":"00000000-0000-0000-0000-000000000004","at":"2026-03-02T09:30:00.000000+00:00",'
        '"attempt":3,"called_at":"2026-03-02T09:29:53.000000+00:00","corrects":null,"duration_seconds":7,"follow_up_at":null,"format":2,"id":"00000000-0000-0000-0000-000000000001",'
        '"kind":"completed","lead_id":"00000000-0000-0000-0000-000000000003","note":"Zo\\u00eb \\u201cA\\u201d\\n",'
        f'"number":1,"outcome":"no_answer","previous_hash":"{NO_HASH}","reason":null,"source":"fair","started_at":null,'
        '"task_id":"00000000-0000-0000-0000-000000000002"}'
    )

    assert hash_of(entry) == hashlib.sha256(text.encode()).hexdigest()
    assert link_to_chain(entry, ()) == replace(entry, hash=hash_of(entry))
    of_before = re.sub(r'"(attempt|format)":\d,|"(called_at|source)":"[^"]*",', "", text)
    assert hash_of(replace(entry, format=1)) == hashlib.sha256(of_before.encode()).hexdigest()


def test_every_entry_contains_the_hash_of_the_previous_one(scenario: Scenario, task: CallTask) -> None:
    first, second, third = scenario.ledger(task)

    assert (first.number, second.number, third.number) == (1, 2, 3)
    assert (first.previous_hash, second.previous_hash, third.previous_hash) == (NO_HASH, first.hash, second.hash)


def test_an_unchanged_ledger_verifies(scenario: Scenario, task: CallTask) -> None:
    scenario.cancel(scenario.create_call_task(), "She called herself.")
    scenario.complete(scenario.create_call_task(scenario.create_lead(assigned_to=None)), scenario.admin)
    scenario.miss(scenario.create_call_task())

    # The call that followed is missed too.
    assert scenario.unite.calls.verify_ledger() == VerificationResult(tasks=5, entries=7, broken=None)
    assert scenario.unite.calls.get_ledger(scenario.manager, task.id).broken is None


def test_an_empty_ledger_verifies(scenario: Scenario) -> None:
    assert scenario.unite.calls.verify_ledger() == VerificationResult()


OTHERWISE: dict[str, Any] = {
    "id": an_id(),
    "task_id": UUID(int=(1 << 128) - 1),
    "number": 4,
    "kind": EntryKind.MISSED,
    "lead_id": an_id(),
    "agent_id": None,
    "actor_id": None,
    "at": datetime(2026, 3, 2, 9, 0, 0, 1, tzinfo=UTC),
    "called_at": datetime(2026, 3, 2, 9, 0, 0, 2, tzinfo=UTC),
    "outcome": CallOutcome.CONVERTED,
    "duration_seconds": 3600,
    "started_at": None,
    "follow_up_at": None,
    "note": "She is not.",
    "reason": "It was longer.",
    "corrects": an_id(),
    "source": "fair",
    "attempt": 7,
    "format": 1,
    "previous_hash": "5c" * 32,
    "hash": "f1" * 32,
}


def test_the_tests_change_every_field_of_an_entry() -> None:
    assert OTHERWISE.keys() == {field.name for field in fields(LedgerEntry)}


@pytest.mark.parametrize("which", [0, 1, 2], ids=["the first", "the second", "the last"])
@pytest.mark.parametrize("name", sorted(OTHERWISE.keys() - {"task_id", "number"}))
def test_a_changed_entry_is_detected(scenario: Scenario, task: CallTask, name: str, which: int) -> None:
    entry = scenario.ledger(task)[which]
    changed = replace(entry, **{name: OTHERWISE[name]})
    del scenario.tables.ledger[entry.id]
    write(scenario, changed)

    assert find_fault(scenario) == ChainFault(
        task_id=task.id,
        entry_id=changed.id,
        number=which + 1,
        reason="Its content is not what its hash was made of.",
    )


@pytest.mark.parametrize("name", ["task_id", "number"])
def test_an_entry_moved_to_another_chain_is_missing_in_its_own(scenario: Scenario, task: CallTask, name: str) -> None:
    _, second, third = scenario.ledger(task)
    write(scenario, replace(second, **{name: OTHERWISE[name]}))

    broken = find_fault(scenario)

    assert (broken.task_id, broken.entry_id, broken.number) == (task.id, third.id, 2)
    assert broken.reason == "It does not follow from the entry before it."


@pytest.mark.parametrize("which", [0, 1], ids=["the first", "the second"])
def test_a_changed_entry_with_a_recomputed_hash_is_detected_by_the_next_entry(
    scenario: Scenario, task: CallTask, which: int
) -> None:
    chain = scenario.ledger(task)
    # Of what the task says too the first entry would be contradicted by the task already.
    write(scenario, sealed(replace(chain[which], actor_id=an_id())))

    broken = find_fault(scenario)

    assert (broken.entry_id, broken.number) == (chain[which + 1].id, which + 2)


def test_a_renumbered_entry_with_a_recomputed_hash_is_detected(scenario: Scenario, task: CallTask) -> None:
    (*_, last) = scenario.ledger(task)
    write(scenario, sealed(replace(last, number=4)))

    assert (find_fault(scenario).entry_id, find_fault(scenario).number) == (last.id, 3)


@pytest.mark.parametrize("which", [0, 1], ids=["the first", "the second"])
def test_a_deleted_entry_is_detected_by_the_next_entry(scenario: Scenario, task: CallTask, which: int) -> None:
    chain = scenario.ledger(task)
    del scenario.tables.ledger[chain[which].id]

    broken = find_fault(scenario)

    assert (broken.entry_id, broken.number) == (chain[which + 1].id, which + 1)


def test_a_deleted_chain_is_detected_by_its_task(scenario: Scenario, task: CallTask) -> None:
    for entry in scenario.ledger(task):
        del scenario.tables.ledger[entry.id]

    assert find_fault(scenario) == ChainFault(
        task_id=task.id,
        entry_id=None,
        number=1,
        reason="The task is completed, and the entry that closed it is missing.",
    )


def test_swapped_entries_are_detected(scenario: Scenario, task: CallTask) -> None:
    first, second, third = scenario.ledger(task)
    swapped = sealed(replace(third, number=2, previous_hash=first.hash))
    write(scenario, swapped, replace(second, number=3))

    assert (find_fault(scenario).entry_id, find_fault(scenario).number) == (second.id, 3)


def test_an_inserted_entry_is_detected_by_the_entry_it_displaced(scenario: Scenario, task: CallTask) -> None:
    first, second, third = scenario.ledger(task)
    write(scenario, link_to_chain(replace(second, id=an_id(), duration_seconds=1), [first]))
    write(scenario, replace(second, number=3), replace(third, number=4))

    assert (find_fault(scenario).entry_id, find_fault(scenario).number) == (second.id, 3)


def test_a_second_closing_entry_is_detected(scenario: Scenario, task: CallTask) -> None:
    chain = scenario.ledger(task)
    again = link_to_chain(replace(chain[0], id=an_id()), chain)
    write(scenario, again)

    assert find_fault(scenario) == ChainFault(
        task_id=task.id, entry_id=again.id, number=4, reason="It closes a task that was closed already."
    )


def test_an_entry_of_a_pending_task_is_detected(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    entry = link_to_chain(replace(an_entry_of(scenario), id=an_id(), task_id=task.id), ())
    write(scenario, entry)

    assert find_fault(scenario).task_id == task.id
    assert find_fault(scenario).reason == "The task is pending, and the entry says completed."


def an_entry_of(scenario: Scenario) -> LedgerEntry:
    return scenario.ledger(scenario.complete(scenario.create_call_task()))[0]


CHANGES: dict[str, Callable[[CallTask], CallTask]] = {
    "pending": lambda task: replace(task, status=TaskStatus.PENDING, completion=None),
    "missed": lambda task: replace(task, status=TaskStatus.MISSED),
    "outcome": lambda task: retold(task, outcome=CallOutcome.CONVERTED),
    "duration_seconds": lambda task: retold(task, duration_seconds=1),
    "started_at": lambda task: retold(task, started_at=None),
    "follow_up_at": lambda task: retold(task, follow_up_at=None),
    "note": lambda task: retold(task, note=None),
    "at": lambda task: replace(task, closed_at=task.due_at - HOUR),
    "lead_id": lambda task: replace(task, lead_id=an_id()),
    "agent_id": lambda task: replace(task, assigned_to=an_id()),
    "reason": lambda task: replace(task, cancel_reason="She called herself."),
}


def retold(task: CallTask, **changes: Any) -> CallTask:
    assert isinstance(task.completion, Completion)
    return replace(task, completion=replace(task.completion, **changes))


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_task_contradicts_its_closing_entry(scenario: Scenario, task: CallTask, what: str) -> None:
    scenario.tables.tasks[task.id] = CHANGES[what](task)
    (first, *_) = scenario.ledger(task)

    broken = find_fault(scenario)

    assert (broken.task_id, broken.entry_id, broken.number) == (task.id, first.id, 1)
    says = what if what in ("pending", "missed") else f"something else of {what}"
    assert says in broken.reason


def test_a_task_with_an_invalid_duration_is_detected(scenario: Scenario, task: CallTask) -> None:
    scenario.tables.tasks[task.id] = retold(scenario.stored(task), duration_seconds=1 << 62, started_at=None)

    assert "something else of duration_seconds" in find_fault(scenario).reason


def test_the_ledger_of_one_task_reports_its_fault_too(scenario: Scenario, task: CallTask) -> None:
    (first, *_) = scenario.ledger(task)
    write(scenario, replace(first, note="She is not."))

    ledger = scenario.unite.calls.get_ledger(scenario.ann, task.id)

    assert (ledger.broken, [entry.number for entry in ledger.entries]) == (find_fault(scenario), [1, 2, 3])


def test_verification_stops_at_the_first_broken_chain_in_the_order_of_tasks(scenario: Scenario) -> None:
    tasks = sorted((scenario.complete(scenario.create_call_task()) for _ in range(5)), key=lambda task: task.id)
    for task in (tasks[3], tasks[2]):
        write(scenario, replace(scenario.ledger(task)[0], duration_seconds=1))
    verify = replace(scenario.unite.calls.verify_ledger, at_once=2)
    progress: list[VerificationResult] = []

    verified = verify(progress.append)

    assert verified.broken is not None
    assert (verified.tasks, verified.entries, verified.broken.task_id) == (3, 3, tasks[2].id)
    assert progress == [VerificationResult(2, 2)]


def test_verification_reports_its_progress(scenario: Scenario) -> None:
    for _ in range(4):
        scenario.complete(scenario.create_call_task())
    verify = replace(scenario.unite.calls.verify_ledger, at_once=2)
    progress: list[VerificationResult] = []

    assert verify(progress.append) == VerificationResult(4, 4)
    assert [so_far.tasks for so_far in progress] == [2, 4, 4]


def test_a_completely_forged_chain_differs_from_the_hashes_in_events(scenario: Scenario, task: CallTask) -> None:
    first, second, third = scenario.ledger(task)
    forged = link_to_chain(replace(third, duration_seconds=1), [first, second])
    write(scenario, forged)

    assert scenario.unite.calls.verify_ledger().broken is None
    hashes = {
        event.data["entry_id"]: event.data["entry_hash"] for event in scenario.events() if "entry_id" in event.data
    }
    assert hashes[str(forged.id)] == third.hash != forged.hash
