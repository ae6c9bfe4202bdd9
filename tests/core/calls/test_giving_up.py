"""Calls that are not made: cancelled by somebody, or missed, once, however many sweep."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.core.calls.floor import HOUR, Floor
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

CANCELLED, MISSED, PENDING = TaskStatus.CANCELLED, TaskStatus.MISSED, TaskStatus.PENDING


def sweep(floor: Floor) -> MarkMissed:
    return floor.unite.upkeep.mark_missed


def test_a_call_that_is_not_needed_is_cancelled_and_the_ledger_says_why(floor: Floor) -> None:
    task = floor.create()
    now = floor.pass_time()

    gone = floor.cancel(task, "  She called herself. ", version=1)

    assert (gone.status, gone.cancel_reason) == (CANCELLED, "She called herself.")
    assert (gone.closed_at, gone.updated_at, gone.version) == (now, now, 2)
    assert floor.stored(task) == gone
    (entry,) = floor.chain(task)
    assert (entry.kind, entry.reason, entry.at) == (EntryKind.CANCELLED, "She called herself.", now)
    assert (entry.agent_id, entry.actor_id) == (floor.ann.user_id, floor.manager.user_id)
    assert (entry.outcome, entry.duration_seconds) == (None, None)


def test_a_call_that_was_nobodys_and_is_not_made_stays_nobodys(floor: Floor) -> None:
    cancelled, missed = (floor.create(floor.lead(assigned_to=None)) for _ in range(2))
    floor.cancel(cancelled)
    floor.miss(missed)

    assert [floor.chain(task)[0].agent_id for task in (cancelled, missed)] == [None, None]


def test_cancelling_twice_for_the_same_reason_has_one_effect(floor: Floor) -> None:
    task = floor.create()
    first = floor.cancel(task, version=1)
    before = floor.tables

    assert floor.cancel(task, " ", floor.admin, version=1) == first
    assert floor.tables == before
    with pytest.raises(Conflict) as refused:
        floor.cancel(task, "She called herself.")
    assert refused.value.code == "task_closed"


def test_the_same_request_twice_cancels_once(floor: Floor) -> None:
    task = floor.create()
    claim = Claim(scope="5c" * 32, fingerprint="f1" * 32, holder="first")
    wanted = Cancellation(task_id=task.id, expected_version=1)

    outcomes = [
        floor.unite.once(
            replace(claim, holder=holder),
            floor.unite.calls.cancel,
            lambda view: view.task.status.encode(),
            SHOW_AGAIN,
            floor.manager,
            wanted,
        )
        for holder in ("first", "second")
    ]

    assert [(outcome.answer, outcome.replayed) for outcome in outcomes] == [(b"cancelled", False), (b"cancelled", True)]
    assert len(floor.chain(task)) == 1


def test_a_call_that_was_made_or_missed_is_not_cancelled(floor: Floor) -> None:
    made, missed = floor.complete(floor.create()), floor.create()
    floor.miss(missed)

    for task in (made, missed):
        with pytest.raises(Conflict) as refused:
            floor.cancel(task)
        assert refused.value.code == "task_closed"


def test_agents_do_not_cancel_what_they_see_and_do_not_find_the_rest(floor: Floor) -> None:
    task = floor.create()

    with pytest.raises(Forbidden):
        floor.cancel(task, actor=floor.ann)
    with pytest.raises(NotFound):
        floor.cancel(task, actor=floor.ben)
    assert floor.stored(task) == task


def test_a_version_that_has_passed_is_not_cancelled(floor: Floor) -> None:
    task = floor.note(floor.create(), "Ask for Grace.")

    with pytest.raises(PreconditionFailed):
        floor.cancel(task, version=1)
    assert floor.stored(task) == task


@pytest.mark.parametrize(
    ("reason", "code"), [("x" * (MAX_REASON_LENGTH + 1), "too_long"), ("two\nlines", "control_character")]
)
def test_what_is_no_reason_is_refused(floor: Floor, reason: str, code: str) -> None:
    task = floor.create()

    with pytest.raises(Invalid) as refused:
        floor.cancel(task, reason)

    assert [(problem.field, problem.code) for problem in refused.value.problems] == [("reason", code)]
    assert floor.stored(task) == task


def test_a_call_is_missed_once_its_grace_is_over(floor: Floor) -> None:
    task = floor.create(due_at=floor.now)
    floor.pass_time(MISSED_AFTER)
    assert sweep(floor)() == 0
    now = floor.pass_time(timedelta(microseconds=1))

    assert sweep(floor)() == 1

    missed = floor.stored(task)
    assert (missed.status, missed.closed_at, missed.updated_at, missed.version) == (MISSED, now, now, 2)
    (entry,) = floor.chain(task)
    assert (entry.kind, entry.at, entry.agent_id, entry.actor_id) == (
        EntryKind.MISSED,
        now,
        floor.ann.user_id,
        None,
    )
    assert sweep(floor)() == 0
    assert floor.told(task).count("call_task.missed") == 1


def test_the_owner_of_the_installation_says_how_long_the_grace_is(floor: Floor) -> None:
    unite = build(floor.ports, Rules(missed_after=timedelta(days=1)))
    task = floor.create(due_at=floor.now)
    floor.pass_time(timedelta(days=1))

    assert unite.upkeep.mark_missed() == 0
    floor.pass_time(timedelta(microseconds=1))
    assert unite.upkeep.mark_missed() == 1
    assert floor.stored(task).status is MISSED


def test_what_is_closed_or_yet_to_come_is_not_missed(floor: Floor) -> None:
    due_at = floor.now
    made, cancelled = floor.create(due_at=due_at), floor.create(due_at=due_at)
    floor.complete(made)
    floor.cancel(cancelled)
    floor.pass_time(2 * HOUR)
    coming = floor.create(due_at=floor.now)

    assert sweep(floor)() == 0
    assert floor.stored(coming).status is PENDING


def test_a_call_that_was_noted_and_is_missed_keeps_its_notes(floor: Floor) -> None:
    task = floor.note(floor.create(note="Ask for Grace."), "Not before ten.")

    floor.miss(task)

    assert floor.stored(task).notes == task.notes


def test_a_sweep_goes_on_until_no_call_is_due(floor: Floor) -> None:
    tasks = [floor.create(due_at=floor.now) for _ in range(5)]
    floor.pass_time()

    assert sweep(floor)(limit=2) == 5
    assert {floor.stored(task).status for task in tasks} == {MISSED}


def test_a_sweep_stops_between_two_transactions_when_it_is_told_to(floor: Floor) -> None:
    tasks = [floor.create(due_at=floor.now) for _ in range(5)]
    floor.pass_time()
    told = iter([False, True])

    assert sweep(floor)(limit=2, should_stop=lambda: next(told)) == 2
    assert sum(floor.stored(task).status is MISSED for task in tasks) == 2


def test_however_many_sweep_a_call_is_missed_once(floor: Floor) -> None:
    tasks = [floor.create(due_at=floor.now) for _ in range(60)]
    floor.pass_time()

    with ThreadPoolExecutor(8) as sweepers:
        counts = [*sweepers.map(lambda _: sweep(floor)(limit=7), range(8))]

    assert sum(counts) == 60
    assert {(len(floor.chain(task)), floor.told(task).count("call_task.missed")) for task in tasks} == {(1, 1)}
    assert floor.unite.calls.verify_ledger().broken is None


class RacingWork(InMemoryUnitOfWorkFactory):
    """Over the same store as `work`; somebody else is quicker, so many times."""

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


def test_a_sweep_that_was_in_somebodys_way_begins_anew(floor: Floor) -> None:
    task = floor.create(due_at=floor.now)
    floor.pass_time()

    assert replace(sweep(floor), work=RacingWork(floor.ports.work, times=2))() == 1
    assert len(floor.chain(task)) == 1


def test_a_sweep_that_is_always_in_somebodys_way_is_left_for_later(floor: Floor) -> None:
    task = floor.create(due_at=floor.now)
    floor.pass_time()

    with pytest.raises(Unavailable):
        replace(sweep(floor), work=RacingWork(floor.ports.work, times=100))()
    assert floor.stored(task) == task


def test_a_task_that_somebody_opened_again_in_the_database_does_not_stop_the_sweep(floor: Floor) -> None:
    reopened, other = floor.create(due_at=floor.now), floor.create(due_at=floor.now)
    floor.complete(reopened)
    floor.tables.tasks[reopened.id] = replace(floor.stored(reopened), status=PENDING, completion=None, closed_at=None)
    floor.pass_time()

    assert sweep(floor)() == 2

    assert floor.stored(other).status is MISSED
    found = floor.unite.calls.verify_ledger().broken
    assert found is not None
    assert found.task_id == reopened.id
