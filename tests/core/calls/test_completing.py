"""Tests of the completion of call tasks, including repeated and concurrent ones."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any, Self

import pytest

from tests.core.replay import SHOW_AGAIN
from unite_core import (
    CallOutcome,
    Claim,
    CompletedCall,
    Completion,
    Conflict,
    EntryKind,
    Event,
    Invalid,
    LeadStatus,
    NotFound,
    PreconditionFailed,
    TaskStatus,
    TaskView,
    Unavailable,
    UniteError,
)
from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import MAX_CALL_SECONDS, MAX_CLOCK_SKEW, MAX_NOTE_LENGTH
from unite_core.testing.in_memory import InMemoryCallLedger, InMemoryUnitOfWork, InMemoryUnitOfWorkFactory
from unite_core.testing.scenario import HOUR, Scenario

CALLBACK = CallOutcome.CALLBACK_REQUESTED


def codes(error: UniteError) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in error.problems]


def test_a_completion_closes_the_task_and_appends_to_the_ledger(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    began = scenario.now
    now = scenario.advance()

    done = scenario.complete(task, duration_seconds=90, note=" She is glad. ", started_at=began, version=1)

    assert done.completion == Completion(
        outcome=CallOutcome.CONNECTED, duration_seconds=90, note="She is glad.", started_at=began
    )
    assert (done.status, done.closed_at, done.updated_at, done.version) == (TaskStatus.COMPLETED, now, now, 2)
    assert (done.notes, done.follow_up_id) == ([], None)
    assert scenario.stored(task) == done
    (entry,) = scenario.ledger(task)
    assert entry == LedgerEntry(
        id=entry.id,
        task_id=task.id,
        number=1,
        kind=EntryKind.COMPLETED,
        lead_id=task.lead_id,
        agent_id=scenario.ann.user_id,
        actor_id=scenario.ann.user_id,
        at=now,
        outcome=CallOutcome.CONNECTED,
        duration_seconds=90,
        started_at=began,
        called_at=began,
        note="She is glad.",
        source="api",
        attempt=1,
        hash=entry.hash,
    )


def test_agents_complete_their_own_tasks_and_managers_all(scenario: Scenario) -> None:
    task = scenario.create_call_task()

    with pytest.raises(NotFound):
        scenario.complete(task, scenario.ben)
    scenario.complete(task, scenario.manager)

    (entry,) = scenario.ledger(task)
    assert (entry.agent_id, entry.actor_id) == (scenario.ann.user_id, scenario.manager.user_id)


def test_an_unassigned_task_is_assigned_to_the_user_who_completes_it(scenario: Scenario) -> None:
    task = scenario.create_call_task(scenario.create_lead(assigned_to=None))

    done = scenario.complete(task, scenario.admin)

    (entry,) = scenario.ledger(task)
    assert (done.assigned_to, entry.agent_id) == (None, scenario.admin.user_id)
    assert scenario.unite.calls.verify_ledger().broken is None


def test_a_repeated_completion_has_one_effect_and_gets_the_first_result(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    began = scenario.now
    first = scenario.complete(task, note="She is glad.", started_at=began, version=1)
    before = scenario.tables
    scenario.advance()

    elsewhere = began.astimezone(timezone(timedelta(hours=2)))
    for version in (1, 2, None):
        assert scenario.complete(task, note=" She is glad. ", started_at=elsewhere, version=version) == first
    assert scenario.complete(task, scenario.manager, note="She is glad.", started_at=began) == first

    assert scenario.tables == before
    assert len(scenario.ledger(task)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"outcome": CallOutcome.BUSY},
        {"duration_seconds": 301},
        {"note": "Yes"},
        {"note": None},
        {"started_at": None},
        {"follow_up_at": None},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_different_completion_of_a_completed_task_is_refused(scenario: Scenario, other: dict[str, Any]) -> None:
    task = scenario.create_call_task()
    values: dict[str, Any] = {"note": "She is glad.", "started_at": scenario.now, "follow_up_at": scenario.now + HOUR}
    scenario.complete(task, **values)
    before = scenario.tables

    with pytest.raises(Conflict) as refused:
        scenario.complete(task, version=1, **{**values, **other})

    assert refused.value.code == "task_closed"
    assert scenario.tables == before


def test_a_cancelled_or_missed_task_cannot_be_completed(scenario: Scenario) -> None:
    cancelled, missed = scenario.create_call_task(), scenario.create_call_task()
    scenario.cancel(cancelled)
    scenario.miss(missed)

    for task in (cancelled, missed):
        with pytest.raises(Conflict) as refused:
            scenario.complete(task, duration_seconds=-1)
        assert refused.value.code == "task_closed"


def test_a_completion_of_an_outdated_version_is_refused(scenario: Scenario) -> None:
    task = scenario.add_note(scenario.create_call_task(), "Ask for Grace.")

    with pytest.raises(PreconditionFailed):
        scenario.complete(task, duration_seconds=-1, version=1)

    assert scenario.stored(task) == task
    scenario.complete(task, version=2)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"duration_seconds": -1}, ("duration_seconds", "out_of_range")),
        ({"duration_seconds": MAX_CALL_SECONDS + 1}, ("duration_seconds", "out_of_range")),
        ({"note": "x" * (MAX_NOTE_LENGTH + 1)}, ("note", "too_long")),
        ({"outcome": CALLBACK}, ("follow_up_at", "follow_up_required")),
    ],
    ids=["shorter than nothing", "longer than a day", "a long note", "no time for the callback"],
)
def test_an_invalid_completion_is_refused(scenario: Scenario, values: dict[str, Any], code: tuple[str, str]) -> None:
    task = scenario.create_call_task()

    with pytest.raises(Invalid) as refused:
        scenario.complete(task, **values)

    assert codes(refused.value) == [code]
    assert scenario.stored(task) == task


def test_a_start_in_the_future_and_a_follow_up_in_the_past_are_refused(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    early = MAX_CLOCK_SKEW + timedelta(microseconds=1)

    with pytest.raises(Invalid) as refused:
        scenario.complete(task, duration_seconds=-1, started_at=scenario.now + early, follow_up_at=scenario.now)

    assert codes(refused.value) == [
        ("duration_seconds", "out_of_range"),
        ("started_at", "in_future"),
        ("follow_up_at", "in_past"),
    ]
    values: dict[str, Any] = {
        "started_at": scenario.now + MAX_CLOCK_SKEW,
        "follow_up_at": scenario.now + timedelta(microseconds=1),
    }
    assert scenario.complete(task, duration_seconds=MAX_CALL_SECONDS, **values).status is TaskStatus.COMPLETED


def test_a_blank_note_is_stored_as_none(scenario: Scenario) -> None:
    task = scenario.complete(scenario.create_call_task(), duration_seconds=0, note=" ")

    assert task.completion == Completion(outcome=CallOutcome.CONNECTED, duration_seconds=0)


class BrokenWork(InMemoryUnitOfWorkFactory):
    """Over the same store as `work`; the ledger takes nothing."""

    def __call__(self) -> InMemoryUnitOfWork:
        return _BrokenUnit(self._store)


class _BrokenUnit(InMemoryUnitOfWork):
    def __enter__(self) -> Self:
        super().__enter__()
        self.ledger = _BrokenLedger(self._tables, self._changed)
        return self


class _BrokenLedger(InMemoryCallLedger):
    def append(self, entry: LedgerEntry) -> None:
        super().append(entry)
        raise Unavailable("The connection was lost.")


def test_a_failure_of_the_ledger_rolls_everything_back(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    before = deepcopy(scenario.tables)
    values = Completion(outcome=CALLBACK, duration_seconds=1, follow_up_at=scenario.now + HOUR)
    complete = replace(scenario.unite.calls.complete, work=BrokenWork(scenario.ports.work._store))

    with pytest.raises(Unavailable):
        complete(scenario.ann, CompletedCall(task_id=task.id, completion=values))

    assert scenario.tables == before


def test_a_repeated_request_with_its_key_completes_once_and_gets_the_first_response(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    call = CompletedCall(
        task_id=task.id,
        completion=Completion(outcome=CALLBACK, duration_seconds=1, follow_up_at=scenario.now + HOUR),
        expected_version=1,
    )
    claim = Claim(scope="5c" * 32, fingerprint="f1" * 32, holder="first")

    def answer(view: TaskView) -> bytes:
        return f"{view.task.id} {view.task.version} {view.task.follow_up_id}".encode()

    first = scenario.unite.once(claim, scenario.unite.calls.complete, answer, SHOW_AGAIN, scenario.ann, call)
    scenario.add_note(task, "She is glad.")
    again = scenario.unite.once(
        replace(claim, holder="second"), scenario.unite.calls.complete, answer, SHOW_AGAIN, scenario.ann, call
    )

    assert (first.replayed, again.replayed, again.answer) == (False, True, first.answer)
    assert (len(scenario.tables.tasks), len(scenario.ledger(task))) == (2, 1)
    assert [it.type for it in scenario.events_of(task)].count("call_task.completed") == 1


def test_of_several_concurrent_completions_one_succeeds(scenario: Scenario) -> None:
    task = scenario.create_call_task()

    def attempt(number: int) -> str:
        try:
            return scenario.complete(task, duration_seconds=number).status
        except Conflict as refused:
            return refused.code

    with ThreadPoolExecutor(20) as crowd:
        heard = [*crowd.map(attempt, range(20))]

    assert sorted(heard) == ["completed", *["task_closed"] * 19]
    assert len(scenario.ledger(task)) == 1


def test_a_call_to_a_deleted_lead_can_be_completed(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    with scenario.ports.work() as work:
        lead = work.leads.get(task.lead_id)
        lead.delete(scenario.now)
        lead.mark_updated(scenario.now)
        work.leads.save(lead)
        work.commit()

    view = scenario.unite.calls.complete(
        scenario.ann,
        CompletedCall(task_id=task.id, completion=Completion(outcome=CallOutcome.NOT_INTERESTED, duration_seconds=10)),
    )

    assert (view.task.status, view.lead, scenario.lead_of(task).status) == (TaskStatus.COMPLETED, None, LeadStatus.NEW)
    assert named(scenario.events()[-1]) is None


def named(event: Event) -> object:
    return event.data["lead_name"]
