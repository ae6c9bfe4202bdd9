"""Tests of corrections of the call log: the corrected entry stays, and a new one has the right values."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.core.replay import SHOW_AGAIN
from unite_core import (
    Actor,
    CallOutcome,
    Claim,
    Correction,
    EntryKind,
    Forbidden,
    Invalid,
    LedgerEntry,
    NotFound,
    UniteError,
)
from unite_core.calls.model import MAX_CALL_SECONDS, MAX_NOTE_LENGTH, MAX_REASON_LENGTH
from unite_core.testing.builders import an_id
from unite_core.testing.scenario import Scenario

BUSY = CallOutcome.BUSY


def correct(scenario: Scenario, entry: LedgerEntry, actor: Actor | None = None, **said: Any) -> LedgerEntry:
    correction = Correction(**{"entry_id": entry.id, "reason": "It was the wrong button.", **said})
    return scenario.unite.calls.correct(actor or scenario.manager, correction)


def completed(scenario: Scenario) -> LedgerEntry:
    """The entry of a call of Ann's."""
    task = scenario.complete(scenario.create_call_task(), note="She is glad.", started_at=scenario.now)
    scenario.advance()
    return scenario.ledger(task)[0]


def codes(error: UniteError) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in error.problems]


def test_a_correction_appends_an_entry_that_refers_to_the_corrected_one(scenario: Scenario) -> None:
    wrong = completed(scenario)

    right = correct(scenario, wrong, outcome=BUSY, duration_seconds=0, reason=" The wrong button. ")

    task = scenario.tables.tasks[wrong.task_id]
    assert right == replace(
        wrong,
        id=right.id,
        number=2,
        kind=EntryKind.CORRECTION,
        actor_id=scenario.manager.user_id,
        at=scenario.now,
        outcome=BUSY,
        duration_seconds=0,
        reason="The wrong button.",
        corrects=wrong.id,
        previous_hash=wrong.hash,
        hash=right.hash,
    )
    assert scenario.ledger(task) == [wrong, right]
    assert scenario.unite.calls.verify_ledger().broken is None


def test_a_correction_changes_neither_the_task_nor_the_lead(scenario: Scenario) -> None:
    wrong = completed(scenario)
    tasks, leads = scenario.tables.tasks, scenario.tables.leads

    correct(scenario, wrong, outcome=CallOutcome.CONVERTED)

    assert (scenario.tables.tasks, scenario.tables.leads) == (tasks, leads)


def test_values_that_a_correction_does_not_mention_stay_as_in_the_latest_entry(scenario: Scenario) -> None:
    wrong = completed(scenario)
    first = correct(scenario, wrong, outcome=BUSY)

    second = correct(scenario, wrong, note=None, started_at=None)

    assert (second.outcome, second.note, second.started_at, second.duration_seconds) == (BUSY, None, None, 300)
    assert (second.corrects, second.previous_hash, second.number) == (wrong.id, first.hash, 3)
    assert correct(scenario, first, note=" Nobody there. ").note == "Nobody there."


def test_the_same_correction_twice_has_one_effect(scenario: Scenario) -> None:
    wrong = completed(scenario)
    first = correct(scenario, wrong, outcome=BUSY)
    before = scenario.tables

    assert correct(scenario, wrong, scenario.admin, outcome=BUSY) == first
    assert scenario.tables == before


def test_a_repeated_request_with_its_key_corrects_once(scenario: Scenario) -> None:
    wrong = completed(scenario)
    claim = Claim(scope="5c" * 32, fingerprint="f1" * 32, holder="first")
    correction = Correction(entry_id=wrong.id, reason="It was busy.", outcome=BUSY)

    responses = {
        scenario.unite.once(
            replace(claim, holder=holder),
            scenario.unite.calls.correct,
            lambda entry: entry.hash.encode(),
            SHOW_AGAIN,
            scenario.manager,
            correction,
        ).answer
        for holder in ("first", "second")
    }

    assert responses == {scenario.ledger(scenario.tables.tasks[wrong.task_id])[-1].hash.encode()}


@pytest.mark.parametrize("again", [{}, {"outcome": CallOutcome.CONNECTED}, {"note": " She is glad. "}])
def test_a_correction_without_changes_is_refused(scenario: Scenario, again: dict[str, Any]) -> None:
    wrong = completed(scenario)

    with pytest.raises(Invalid) as refused:
        correct(scenario, wrong, **again)

    assert refused.value.code == "nothing_to_correct"


def test_agents_cannot_correct_their_own_calls_nor_find_those_of_others(scenario: Scenario) -> None:
    wrong = completed(scenario)

    with pytest.raises(Forbidden):
        correct(scenario, wrong, scenario.ann, outcome=BUSY)
    with pytest.raises(NotFound):
        correct(scenario, wrong, scenario.ben, outcome=BUSY)
    with pytest.raises(NotFound):
        correct(scenario, replace(wrong, id=an_id()), outcome=BUSY)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"reason": " "}, ("reason", "required")),
        ({"reason": "x" * (MAX_REASON_LENGTH + 1)}, ("reason", "too_long")),
        ({"duration_seconds": MAX_CALL_SECONDS + 1}, ("duration_seconds", "out_of_range")),
        ({"note": "x" * (MAX_NOTE_LENGTH + 1)}, ("note", "too_long")),
    ],
    ids=["no reason", "a long reason", "longer than a day", "a long note"],
)
def test_an_invalid_correction_is_refused(scenario: Scenario, said: dict[str, Any], code: tuple[str, str]) -> None:
    wrong = completed(scenario)

    with pytest.raises(Invalid) as refused:
        correct(scenario, wrong, **{"outcome": BUSY, **said})

    assert codes(refused.value) == [code]
    assert len(scenario.tables.ledger) == 1


def test_a_correction_with_a_time_in_the_future_is_refused(scenario: Scenario) -> None:
    with pytest.raises(Invalid) as refused:
        correct(scenario, completed(scenario), started_at=scenario.now + timedelta(hours=2))

    assert codes(refused.value) == [("started_at", "in_future")]


def test_a_correction_to_a_callback_needs_no_follow_up(scenario: Scenario) -> None:
    assert correct(scenario, completed(scenario), outcome=CallOutcome.CALLBACK_REQUESTED).follow_up_at is None


@pytest.mark.parametrize("how", ["missed", "cancelled"])
def test_a_correction_of_a_missed_call_needs_an_outcome_and_a_duration(scenario: Scenario, how: str) -> None:
    task = scenario.create_call_task()
    if how == "missed":
        scenario.miss(task)
    else:
        scenario.cancel(task)
    (wrong,) = scenario.ledger(task)

    with pytest.raises(Invalid) as without_both:
        correct(scenario, wrong, note="It was made.")
    with pytest.raises(Invalid) as without_duration:
        correct(scenario, wrong, outcome=BUSY, reason="")
    right = correct(scenario, wrong, outcome=BUSY, duration_seconds=0)

    assert codes(without_both.value) == [("outcome", "required"), ("duration_seconds", "required")]
    assert codes(without_duration.value) == [("reason", "required"), ("duration_seconds", "required")]
    assert (right.outcome, right.duration_seconds, right.agent_id) == (BUSY, 0, scenario.ann.user_id)
    assert scenario.unite.calls.verify_ledger().broken is None
