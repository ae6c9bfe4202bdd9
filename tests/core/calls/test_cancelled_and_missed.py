"""Tests of call tasks that are cancelled by a user, or marked as missed by the sweep."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.core.replay import SHOW_AGAIN
from unite_core import (
    Claim,
    Conflict,
    EntryKind,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    Rules,
    TaskStatus,
    Unavailable,
    build,
)
from unite_core.calls.model import MAX_REASON_LENGTH, MISSED_AFTER
from unite_core.calls.use_cases import Cancellation, MarkMissed
from unite_core.errors import Deadlock
from unite_core.testing.in_memory import InMemoryUnitOfWork, InMemoryUnitOfWorkFactory
from unite_core.testing.scenario import HOUR, Scenario

CANCELLED, MISSED, PENDING = TaskStatus.CANCELLED, TaskStatus.MISSED, TaskStatus.PENDING


def sweep(scenario: Scenario) -> MarkMissed:
    return scenario.unite.upkeep.mark_missed


def test_a_cancellation_closes_the_task_and_appends_its_reason_to_the_ledger(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    now = scenario.advance()

    gone = scenario.cancel(task, "  She called herself. ", version=1)

    assert (gone.status, gone.cancel_reason) == (CANCELLED, "She called herself.")
    assert (gone.closed_at, gone.updated_at, gone.version) == (now, now, 2)
    assert scenario.stored(task) == gone
    (entry,) = scenario.ledger(task)
    assert (entry.kind, entry.reason, entry.at) == (EntryKind.CANCELLED, "She called herself.", now)
    assert (entry.agent_id, entry.actor_id) == (scenario.ann.user_id, scenario.manager.user_id)
    assert (entry.outcome, entry.duration_seconds) == (None, None)


def test_a_cancelled_task_is_returned_with_its_lead(scenario: Scenario) -> None:
    task = scenario.create_call_task()

    cancelled = scenario.unite.calls.cancel(scenario.manager, Cancellation(task_id=task.id))

    assert cancelled.lead == scenario.lead_of(task)


def test_an_unassigned_task_stays_unassigned_when_it_is_cancelled_or_missed(scenario: Scenario) -> None:
    cancelled, missed = (scenario.create_call_task(scenario.create_lead(assigned_to=None)) for _ in range(2))
    scenario.cancel(cancelled)
    scenario.miss(missed)

    assert [scenario.ledger(task)[0].agent_id for task in (cancelled, missed)] == [None, None]


def test_a_repeated_cancellation_with_the_same_reason_has_one_effect(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    first = scenario.cancel(task, version=1)
    before = scenario.tables

    assert scenario.cancel(task, " ", scenario.admin, version=1) == first
    assert scenario.tables == before
    with pytest.raises(Conflict) as refused:
        scenario.cancel(task, "She called herself.")
    assert refused.value.code == "task_closed"


def test_a_repeated_request_with_its_key_cancels_once(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    claim = Claim(scope="5c" * 32, fingerprint="f1" * 32, holder="first")
    cancellation = Cancellation(task_id=task.id, expected_version=1)

    outcomes = [
        scenario.unite.once(
            replace(claim, holder=holder),
            scenario.unite.calls.cancel,
            lambda view: view.task.status.encode(),
            SHOW_AGAIN,
            scenario.manager,
            cancellation,
        )
        for holder in ("first", "second")
    ]

    assert [(outcome.answer, outcome.replayed) for outcome in outcomes] == [(b"cancelled", False), (b"cancelled", True)]
    assert len(scenario.ledger(task)) == 1


def test_a_completed_or_missed_task_cannot_be_cancelled(scenario: Scenario) -> None:
    made, missed = scenario.complete(scenario.create_call_task()), scenario.create_call_task()
    scenario.miss(missed)

    for task in (made, missed):
        with pytest.raises(Conflict) as refused:
            scenario.cancel(task)
        assert refused.value.code == "task_closed"


def test_agents_cannot_cancel_their_own_tasks_nor_find_those_of_others(scenario: Scenario) -> None:
    task = scenario.create_call_task()

    with pytest.raises(Forbidden):
        scenario.cancel(task, actor=scenario.ann)
    with pytest.raises(NotFound):
        scenario.cancel(task, actor=scenario.ben)
    assert scenario.stored(task) == task


def test_a_cancellation_of_an_outdated_version_is_refused(scenario: Scenario) -> None:
    task = scenario.add_note(scenario.create_call_task(), "Ask for Grace.")

    with pytest.raises(PreconditionFailed):
        scenario.cancel(task, version=1)
    assert scenario.stored(task) == task


@pytest.mark.parametrize(
    ("reason", "code"), [("x" * (MAX_REASON_LENGTH + 1), "too_long"), ("two\nlines", "control_character")]
)
def test_an_invalid_reason_is_refused(scenario: Scenario, reason: str, code: str) -> None:
    task = scenario.create_call_task()

    with pytest.raises(Invalid) as refused:
        scenario.cancel(task, reason)

    assert [(problem.field, problem.code) for problem in refused.value.problems] == [("reason", code)]
    assert scenario.stored(task) == task


def test_a_task_is_missed_after_its_grace_period(scenario: Scenario) -> None:
    task = scenario.create_call_task(due_at=scenario.now)
    scenario.advance(MISSED_AFTER)
    assert sweep(scenario)() == 0
    now = scenario.advance(timedelta(microseconds=1))

    assert sweep(scenario)() == 1

    missed = scenario.stored(task)
    assert (missed.status, missed.closed_at, missed.updated_at, missed.version) == (MISSED, now, now, 2)
    (entry,) = scenario.ledger(task)
    assert (entry.kind, entry.at, entry.agent_id, entry.actor_id) == (
        EntryKind.MISSED,
        now,
        scenario.ann.user_id,
        None,
    )
    assert sweep(scenario)() == 0
    assert [it.type for it in scenario.events_of(task)].count("call_task.missed") == 1


def test_the_grace_period_is_a_setting(scenario: Scenario) -> None:
    unite = build(scenario.ports, Rules(missed_after=timedelta(days=1)))
    task = scenario.create_call_task(due_at=scenario.now)
    scenario.advance(timedelta(days=1))

    assert unite.upkeep.mark_missed() == 0
    scenario.advance(timedelta(microseconds=1))
    assert unite.upkeep.mark_missed() == 1
    assert scenario.stored(task).status is MISSED


def test_closed_and_future_tasks_are_not_marked_as_missed(scenario: Scenario) -> None:
    due_at = scenario.now
    made, cancelled = scenario.create_call_task(due_at=due_at), scenario.create_call_task(due_at=due_at)
    scenario.complete(made)
    scenario.cancel(cancelled)
    scenario.advance(2 * HOUR)
    coming = scenario.create_call_task(due_at=scenario.now)

    assert sweep(scenario)() == 0
    assert scenario.stored(coming).status is PENDING


def test_a_missed_task_keeps_its_notes(scenario: Scenario) -> None:
    task = scenario.add_note(scenario.create_call_task(note="Ask for Grace."), "Not before ten.")

    scenario.miss(task)

    assert scenario.stored(task).notes == task.notes


def test_a_sweep_marks_all_due_tasks_in_several_batches(scenario: Scenario) -> None:
    tasks = [scenario.create_call_task(due_at=scenario.now) for _ in range(5)]
    scenario.advance()

    assert sweep(scenario)(limit=2) == 5
    assert {scenario.stored(task).status for task in tasks} == {MISSED}


def test_a_sweep_can_be_stopped_between_two_transactions(scenario: Scenario) -> None:
    tasks = [scenario.create_call_task(due_at=scenario.now) for _ in range(5)]
    scenario.advance()
    stops = iter([False, True])

    assert sweep(scenario)(limit=2, should_stop=lambda: next(stops)) == 2
    assert sum(scenario.stored(task).status is MISSED for task in tasks) == 2


def test_concurrent_sweeps_mark_a_task_once(scenario: Scenario) -> None:
    tasks = [scenario.create_call_task(due_at=scenario.now) for _ in range(60)]
    scenario.advance()

    with ThreadPoolExecutor(8) as sweepers:
        counts = [*sweepers.map(lambda _: sweep(scenario)(limit=7), range(8))]

    assert sum(counts) == 60
    assert {
        (len(scenario.ledger(task)), [it.type for it in scenario.events_of(task)].count("call_task.missed"))
        for task in tasks
    } == {(1, 1)}
    assert scenario.unite.calls.verify_ledger().broken is None


class RacingWork(InMemoryUnitOfWorkFactory):
    """Units of work over the store of `work`, of which the first ones lose a deadlock."""

    def __init__(self, work: InMemoryUnitOfWorkFactory, *, times: int) -> None:
        super().__init__(work._store)
        self.times = times

    def __call__(self) -> InMemoryUnitOfWork:
        return _RacingUnit(self)


class _RacingUnit(InMemoryUnitOfWork):
    def __init__(self, race: RacingWork) -> None:
        super().__init__(race._store)
        self._race = race

    def commit(self, *_: object) -> None:
        if self._race.times:
            self._race.times -= 1
            raise Deadlock("Two were in each other's way.")
        super().commit()


def test_a_sweep_that_loses_a_deadlock_is_retried(scenario: Scenario) -> None:
    task = scenario.create_call_task(due_at=scenario.now)
    scenario.advance()

    assert replace(sweep(scenario), work=RacingWork(scenario.ports.work, times=2))() == 1
    assert len(scenario.ledger(task)) == 1


def test_a_sweep_that_loses_every_deadlock_is_left_to_the_next_run(scenario: Scenario) -> None:
    task = scenario.create_call_task(due_at=scenario.now)
    scenario.advance()

    with pytest.raises(Unavailable):
        replace(sweep(scenario), work=RacingWork(scenario.ports.work, times=100))()
    assert scenario.stored(task) == task


def test_a_task_that_was_reopened_in_the_database_does_not_stop_the_sweep(scenario: Scenario) -> None:
    reopened, other = scenario.create_call_task(due_at=scenario.now), scenario.create_call_task(due_at=scenario.now)
    scenario.complete(reopened)
    scenario.tables.tasks[reopened.id] = replace(
        scenario.stored(reopened), status=PENDING, completion=None, closed_at=None
    )
    scenario.advance()

    assert sweep(scenario)() == 2

    assert scenario.stored(other).status is MISSED
    broken = scenario.unite.calls.verify_ledger().broken
    assert broken is not None
    assert broken.task_id == reopened.id
