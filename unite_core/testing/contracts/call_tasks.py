"""Contract tests of the repository of call tasks."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Protocol
from uuid import UUID

import pytest

from unite_core.calls.ledger import Unreadable
from unite_core.calls.model import CallOutcome, CallTask, Completion, TaskStatus
from unite_core.calls.ports import MAX_NOTES_IN_LISTS, CallTasks, TaskFilter
from unite_core.errors import NotFound, PreconditionFailed
from unite_core.identity.model import User
from unite_core.leads.model import Lead
from unite_core.paging import Page, PageRequest, Position
from unite_core.testing.builders import a_lead, a_note, a_task, a_user, an_id
from unite_core.testing.contracts.database import (
    DatabaseContract,
    Transaction,
    Units,
    add_all,
    require_repositories,
    run_concurrently,
)
from unite_core.testing.contracts.pages import check_pages
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

_NOW = A_MONDAY_MORNING
_MICROSECOND = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)
_EXACT = datetime(2026, 10, 25, 0, 59, 59, 999_999, tzinfo=UTC)
_TEXT = "Zoë 王小明 👩🏽‍💻 𠜎\n\tshe said: “call back”, 100 %\u2028'; --"

CLOSED: dict[str, dict[str, Any]] = {
    "pending": {},
    "completed": {
        "status": TaskStatus.COMPLETED,
        "completion": Completion(
            outcome=CallOutcome.CALLBACK_REQUESTED,
            duration_seconds=86_400,
            note=_TEXT,
            started_at=_EXACT,
            follow_up_at=_EXACT + 2 * _MICROSECOND,
        ),
        "closed_at": _EXACT,
        "follow_up_id": UUID(int=7),
        "version": 2,
    },
    "completed in few words": {
        "status": TaskStatus.COMPLETED,
        "completion": Completion(outcome=CallOutcome.NO_ANSWER, duration_seconds=0),
        "closed_at": _EXACT,
    },
    "completed in many words": {
        "status": TaskStatus.COMPLETED,
        "completion": Completion(outcome=CallOutcome.CONNECTED, duration_seconds=1, note="👩" * 2000),
        "closed_at": _EXACT,
    },
    "cancelled": {"status": TaskStatus.CANCELLED, "cancel_reason": "王" * 500, "closed_at": _EXACT},
    "cancelled for no reason": {"status": TaskStatus.CANCELLED, "closed_at": _EXACT},
    "missed": {"status": TaskStatus.MISSED, "closed_at": _EXACT, "follow_up_of": UUID(int=8)},
}
"""Tasks in every state."""


class CallTasksUnit(Transaction, Protocol):
    """A unit of work with the port `CallTasks`."""

    @property
    def tasks(self) -> CallTasks: ...


class CallTasksContract(DatabaseContract[CallTasksUnit]):
    """Call tasks are stored with their notes, listed, and locked for changes."""

    repositories = "`tasks`, a `CallTasks`"

    one_writer: ClassVar[bool] = False
    """Whether units that write exclude each other, as on SQLite; elsewhere they only wait for the same rows."""

    @pytest.fixture
    def ann(self, work: Units[CallTasksUnit]) -> User:
        """Return a user who is stored already."""
        ann = a_user()
        add_all(work, ann)
        return ann

    @pytest.fixture
    def lead(self, work: Units[CallTasksUnit]) -> Lead:
        """Return a lead that is stored already."""
        lead = a_lead()
        add_all(work, lead)
        return lead

    @pytest.mark.parametrize("state", CLOSED)
    def test_a_task_comes_back_as_stored(
        self,
        work: Units[CallTasksUnit],
        reads: Units[CallTasksUnit],
        ann: User,
        lead: Lead,
        state: str,
    ) -> None:
        exact = {"due_at": _EXACT, "created_at": _EXACT - _HOUR, "updated_at": _EXACT + _HOUR}
        task = a_task(lead, ann, assigned_to=ann.id, **exact, **CLOSED[state])

        add_all(work, task)

        assert _get(reads, task.id) == task

    def test_a_task_comes_back_with_its_notes_in_the_order_in_which_they_were_written(
        self, work: Units[CallTasksUnit], reads: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        later, earlier = a_note(ann, text=_TEXT, at=_EXACT), a_note(ann, text="x" * 2000, at=_EXACT - _HOUR)
        task = a_task(lead, ann, notes=[later, earlier])

        add_all(work, task)

        assert _get(reads, task.id).notes == [later, earlier]

    def test_an_unknown_task_is_not_found(self, work: Units[CallTasksUnit], reads: Units[CallTasksUnit]) -> None:
        for units in (work, reads):
            with units() as unit, pytest.raises(NotFound):
                unit.tasks.get(an_id())

    def test_a_task_that_is_changed_and_not_saved_is_unchanged_in_the_store(
        self, work: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        task = a_task(lead, ann, notes=[a_note(ann)])
        add_all(work, task)

        with work() as unit:
            stored = unit.tasks.get(task.id)
            stored.cancel("changed after finding", _NOW)
            stored.notes.clear()
            task.assign(ann.id)
            unchanged = replace(task, assigned_to=None)
            assert unit.tasks.get(task.id) == unchanged
            reads: list[Callable[[], CallTask | Unreadable]] = [
                lambda: unit.tasks.page(TaskFilter(), PageRequest()).items[0],
                lambda: unit.tasks.lock_pending_of_lead(lead.id)[0],
                lambda: unit.tasks.overdue(before=task.due_at + _HOUR, limit=1)[0],
                lambda: unit.tasks.iterate_by_id(None, limit=1)[0],
            ]
            for read in reads:
                found = read()
                assert isinstance(found, CallTask)
                found.cancel("changed after reading", _NOW)
                found.notes.clear()
            assert unit.tasks.get(task.id) == unchanged
            saved = unit.tasks.get(task.id)
            saved.assign(ann.id)
            saved.mark_updated(_NOW)
            unit.tasks.save(saved)
            saved.cancel("changed after saving", _NOW)
            assert unit.tasks.get(task.id) == replace(task, version=2, updated_at=_NOW)

    def test_a_changed_task_is_stored_with_the_notes_that_it_did_not_have(
        self, work: Units[CallTasksUnit], reads: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        task = a_task(lead, ann, notes=[a_note(ann, text="first")])
        add_all(work, task)

        for text in ("second", "third"):
            _change(work, task.id, lambda it, text=text: it.note(a_note(ann, text=text)))  # type: ignore[misc]  # bound
        _change(work, task.id, lambda it: it.complete(Completion(outcome=CallOutcome.BUSY, duration_seconds=3), _EXACT))

        stored = _get(reads, task.id)
        assert [note.text for note in stored.notes] == ["first", "second", "third"]
        assert (stored.status, stored.closed_at, stored.version) == (TaskStatus.COMPLETED, _EXACT, 4)
        assert stored.completion == Completion(outcome=CallOutcome.BUSY, duration_seconds=3)

    @pytest.mark.parametrize("state", CLOSED)
    def test_a_task_is_changed_in_every_value(
        self, work: Units[CallTasksUnit], reads: Units[CallTasksUnit], ann: User, lead: Lead, state: str
    ) -> None:
        task, other = a_task(lead, ann), a_task(lead, ann, notes=[a_note(ann)])
        add_all(work, task, other)
        changes = {"assigned_to": ann.id, "due_at": _EXACT, "updated_at": _EXACT + _HOUR, **CLOSED[state], "version": 2}
        changed = replace(task, **changes)

        with work() as unit:
            unit.tasks.save(changed)
            unit.commit()

        assert _get(reads, task.id) == changed
        assert _get(reads, other.id) == other

    def test_a_stored_note_is_never_changed(
        self, work: Units[CallTasksUnit], reads: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        kept, other = a_note(ann), a_note(ann)
        task = a_task(lead, ann, notes=[kept, other])
        add_all(work, task)

        with work() as unit:
            changed = unit.tasks.get(task.id)
            changed.notes = [replace(kept, text="something else")]
            changed.mark_updated(_NOW)
            unit.tasks.save(changed)
            unit.commit()

        assert _get(reads, task.id).notes == [kept, other]

    def test_a_list_has_the_latest_notes_and_saving_a_task_of_it_loses_none(
        self, work: Units[CallTasksUnit], reads: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        notes = [[a_note(ann, text=f"{number} of {many}") for number in range(many)] for many in (0, 9, 10, 11, 200)]
        tasks = [a_task(lead, ann, due_at=_NOW + number * _HOUR, notes=them) for number, them in enumerate(notes)]
        add_all(work, *tasks)

        with reads() as unit:
            listed = unit.tasks.page(TaskFilter(), PageRequest()).items
        assert [task.notes for task in listed] == [them[-MAX_NOTES_IN_LISTS:] for them in notes]

        more = a_note(ann, text="one more")
        with work() as unit:
            task = unit.tasks.page(TaskFilter(), PageRequest()).items[3]
            task.note(more)
            task.mark_updated(_NOW)
            unit.tasks.save(task)
            unit.commit()
        assert _get(reads, task.id).notes == [*notes[3], more]

    def test_saving_an_outdated_task_is_refused(
        self, work: Units[CallTasksUnit], reads: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        task = a_task(lead, ann)
        add_all(work, task)
        _change(work, task.id, lambda it: it.assign(ann.id))

        task.cancel(None, _NOW)
        task.note(a_note(ann))
        task.mark_updated(_NOW)
        with work() as unit, pytest.raises(PreconditionFailed):
            unit.tasks.save(task)

        stored = _get(reads, task.id)
        assert (stored.status, stored.assigned_to, stored.notes) == (TaskStatus.PENDING, ann.id, [])

    def test_a_task_that_was_never_added_is_not_saved(self, work: Units[CallTasksUnit], ann: User, lead: Lead) -> None:
        known = a_task(lead, ann)
        add_all(work, known)

        for version in (1, 2, 7):
            with work() as unit:
                with pytest.raises(PreconditionFailed):
                    unit.tasks.save(a_task(lead, ann, version=version))
                assert [*unit.tasks.page(TaskFilter(), PageRequest()).items] == [known]

    def test_saving_a_task_of_another_version_is_refused(
        self, work: Units[CallTasksUnit], reads: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        task = a_task(lead, ann)
        add_all(work, task)
        for _ in range(2):
            _change(work, task.id, lambda it: it.assign(ann.id))
        stored = _get(reads, task.id)

        for version in (1, 2, 3, 5, 6):
            with work() as unit, pytest.raises(PreconditionFailed):
                unit.tasks.save(replace(stored, assigned_to=None, notes=[a_note(ann)], version=version))

        assert _get(reads, task.id) == stored

    def test_reading_a_task_to_change_it_locks_it(self, work: Units[CallTasksUnit], ann: User, lead: Lead) -> None:
        task = a_task(lead, ann)
        add_all(work, task)

        def cancel(_: int) -> bool:
            with work() as unit:
                stored = unit.tasks.get(task.id)
                first = stored.status is TaskStatus.PENDING
                if first:
                    stored.cancel(None, _NOW)
                    stored.mark_updated(_NOW)
                    unit.tasks.save(stored)
                unit.commit()
            return first

        assert sorted(run_concurrently(4, cancel)) == [False, False, False, True]

    def test_pages_go_from_the_soonest_due_to_the_latest(
        self, work: Units[CallTasksUnit], reads: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        late, soon = a_task(lead, ann, due_at=_NOW + _HOUR), a_task(lead, ann, due_at=_NOW - _HOUR)
        twins = [a_task(lead, ann, due_at=_NOW), a_task(lead, ann, due_at=_NOW)]
        just_after = a_task(lead, ann, due_at=_NOW + _MICROSECOND, notes=[a_note(ann), a_note(ann)])
        add_all(work, late, twins[1], just_after, soon, twins[0])

        with reads() as unit:
            first = unit.tasks.page(TaskFilter(), PageRequest(limit=2))
            second = unit.tasks.page(TaskFilter(), PageRequest(limit=2, after=first.next))
            third = unit.tasks.page(TaskFilter(), PageRequest(limit=2, after=second.next))

        assert [*first.items] == [soon, twins[0]]
        assert [*second.items] == [twins[1], just_after]
        assert [*third.items] == [late]
        assert third.next is None

    def test_pages_of_every_size_neither_skip_nor_repeat(
        self, work: Units[CallTasksUnit], reads: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        moments = [_NOW, _NOW + _HOUR, _NOW, _NOW - _MICROSECOND, _NOW, _NOW - _HOUR, _NOW]
        tasks = [
            a_task(lead, ann, due_at=at, notes=[a_note(ann)], assigned_to=(ann.id, None)[number % 3 == 1])
            for number, at in enumerate(moments)
        ]
        add_all(work, *tasks)

        def page(filters: TaskFilter, request: PageRequest) -> Page[CallTask]:
            with reads() as unit:
                return unit.tasks.page(filters, request)

        def position(task: CallTask) -> Position:
            return Position(task.due_at, task.id)

        ordered = sorted(tasks, key=lambda task: (task.due_at, task.id))
        hers = [task for task in ordered if task.assigned_to == ann.id]
        check_pages(lambda request: page(TaskFilter(), request), ordered, position, descending=False)
        check_pages(lambda request: page(TaskFilter(visible_to=ann.id), request), hers, position, descending=False)

    def test_pages_contain_what_matches_the_filter(
        self, work: Units[CallTasksUnit], reads: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        ben, other = a_user(), a_lead()
        mine = a_task(lead, ann, assigned_to=ann.id)
        done = a_task(lead, ann, assigned_to=ann.id, due_at=_NOW, **CLOSED["completed"])
        bens = a_task(other, ann, assigned_to=ben.id, due_at=_NOW - _HOUR)
        missed = a_task(other, ann, assigned_to=ben.id, due_at=_NOW - 2 * _HOUR, **CLOSED["missed"])
        without_agent = a_task(lead, ann, due_at=_NOW + _MICROSECOND)
        add_all(work, ben, other, mine, done, bens, missed, without_agent)
        names = {mine.id: "mine", done.id: "done", bens.id: "bens", missed.id: "missed", without_agent.id: "nobodys"}

        def matching(**filters: Any) -> list[str]:
            with reads() as unit:
                return [names[it.id] for it in unit.tasks.page(TaskFilter(**filters), PageRequest()).items]

        pending = frozenset({TaskStatus.PENDING})
        both = frozenset({ann.id, ben.id})
        assert matching() == ["missed", "bens", "done", "nobodys", "mine"]
        assert matching(statuses=pending) == ["bens", "nobodys", "mine"]
        assert matching(statuses=frozenset({TaskStatus.COMPLETED, TaskStatus.MISSED})) == ["missed", "done"]
        assert matching(statuses=frozenset(TaskStatus)) == ["missed", "bens", "done", "nobodys", "mine"]
        assert matching(assigned_to=frozenset({ann.id})) == ["done", "mine"]
        assert matching(assigned_to=both) == ["missed", "bens", "done", "mine"]
        assert matching(unassigned=True) == ["nobodys"]
        assert matching(assigned_to=frozenset({ben.id}), unassigned=True) == ["missed", "bens", "nobodys"]
        assert matching(assigned_to=both, unassigned=True, statuses=pending) == ["bens", "nobodys", "mine"]
        assert matching(lead_id=lead.id) == ["done", "nobodys", "mine"]
        assert matching(lead_id=lead.id, assigned_to=both, statuses=pending) == ["mine"]
        assert matching(lead_id=lead.id, unassigned=True) == ["nobodys"]
        assert matching(due_from=_NOW) == ["done", "nobodys", "mine"]
        assert matching(due_to=_NOW) == ["missed", "bens"]
        assert matching(due_from=_NOW, due_to=_NOW + _MICROSECOND) == ["done"]
        assert matching(assigned_to=both, statuses=pending, due_to=_NOW) == ["bens"]
        assert matching(visible_to=ben.id) == ["missed", "bens"]
        assert matching(visible_to=ben.id, statuses=pending) == ["bens"]
        assert matching(visible_to=ben.id, assigned_to=both) == ["missed", "bens"]
        assert matching(visible_to=ben.id, assigned_to=frozenset({ann.id})) == []
        assert matching(visible_to=ben.id, unassigned=True) == []
        assert matching(visible_to=ben.id, lead_id=lead.id) == []
        assert matching(assigned_to=frozenset(an_id() for _ in range(50)) | {ben.id}, statuses=pending) == ["bens"]

    def test_pages_of_a_filter_neither_skip_nor_repeat(
        self, work: Units[CallTasksUnit], reads: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        states = [CLOSED["pending"], CLOSED["missed"], CLOSED["cancelled"]]
        tasks = [
            a_task(lead, ann, assigned_to=(ann.id, None)[number % 2], due_at=_NOW + number // 4 * _HOUR, **states[it])
            for number in range(18)
            for it in [number % 3]
        ]
        add_all(work, *tasks)
        filters = TaskFilter(
            assigned_to=frozenset({ann.id}),
            unassigned=True,
            statuses=frozenset({TaskStatus.PENDING, TaskStatus.MISSED}),
        )

        listed: list[CallTask] = []
        request: PageRequest | None = PageRequest(limit=3)
        while request is not None:
            with reads() as unit:
                page = unit.tasks.page(filters, request)
            listed += page.items
            request = PageRequest(limit=3, after=page.next) if page.next else None

        assert listed == [task for task in tasks if task.status in filters.statuses]

    def test_pending_tasks_that_were_due_before_are_overdue_the_longest_due_first(
        self, work: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        young, old = a_task(lead, ann, due_at=_NOW - _MICROSECOND), a_task(lead, ann, due_at=_NOW - _HOUR)
        twins = [a_task(lead, ann, due_at=_NOW - _MICROSECOND * 2, notes=[a_note(ann)]) for _ in range(2)]
        due_now = a_task(lead, ann, due_at=_NOW)
        closed = [a_task(lead, ann, due_at=_NOW - _HOUR, **CLOSED[state]) for state in ("missed", "completed")]
        add_all(work, young, *twins[::-1], due_now, *closed, old)

        bare = [replace(twin, notes=[]) for twin in twins]
        assert _overdue(work, limit=10) == [old, *bare, young]
        assert _overdue(work, limit=2) == [old, bare[0]]

    def test_an_overdue_task_is_saved_with_its_notes(
        self, work: Units[CallTasksUnit], reads: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        task = a_task(lead, ann, due_at=_NOW - _HOUR, notes=[a_note(ann)])
        add_all(work, task)

        with work() as unit:
            (overdue,) = unit.tasks.overdue(before=_NOW, limit=1)
            overdue.miss(_NOW)
            overdue.mark_updated(_NOW)
            unit.tasks.save(overdue)
            unit.commit()

        missed = _get(reads, task.id)
        assert (missed.status, missed.notes) == (TaskStatus.MISSED, task.notes)
        assert _overdue(work, limit=1) == []

    def test_concurrent_sweeps_get_different_tasks(self, work: Units[CallTasksUnit], ann: User, lead: Lead) -> None:
        tasks = [a_task(lead, ann, due_at=_NOW - _HOUR) for _ in range(40)]
        add_all(work, *tasks)

        def sweep(_: int) -> list[UUID]:
            with work() as unit:
                overdue = unit.tasks.overdue(before=_NOW, limit=10)
                for task in overdue:
                    task.miss(_NOW)
                    task.mark_updated(_NOW)
                    unit.tasks.save(task)
                unit.commit()
            return [task.id for task in overdue]

        swept = run_concurrently(4, sweep)

        assert sorted(task_id for ids in swept for task_id in ids) == [task.id for task in tasks]

    def test_a_sweep_skips_tasks_locked_by_another_transaction(
        self, work: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        tasks = [a_task(lead, ann, due_at=_NOW - _HOUR) for _ in range(6)]
        add_all(work, *tasks)

        with ThreadPoolExecutor(1) as threads:
            with work() as unit:
                mine = unit.tasks.overdue(before=_NOW, limit=3)
                theirs = threads.submit(_overdue, work, limit=3)
                wait([theirs], timeout=0.1 if self.one_writer else 30)
                assert theirs.done() or self.one_writer
                for task in mine:
                    task.miss(_NOW)
                    task.mark_updated(_NOW)
                    unit.tasks.save(task)
                unit.commit()
            swept = [*mine, *theirs.result(timeout=30)]

        assert sorted(task.id for task in swept) == [task.id for task in tasks]

    def test_the_pending_tasks_of_a_lead_are_listed(self, work: Units[CallTasksUnit], ann: User, lead: Lead) -> None:
        other = a_lead()
        mine = [a_task(lead, ann, notes=[a_note(ann)]), a_task(lead, ann, due_at=_NOW - _HOUR)]
        add_all(work, other, *mine, a_task(lead, ann, **CLOSED["missed"]), a_task(other, ann))

        with work() as unit:
            found = unit.tasks.lock_pending_of_lead(lead.id)
            assert sorted(found, key=lambda it: it.id) == mine
            assert [*unit.tasks.lock_pending_of_lead(an_id())] == []
            assert [unit.tasks.count_pending(lead.id, limit=limit) for limit in (9, 2, 1)] == [2, 2, 1]
            assert unit.tasks.count_pending(an_id(), limit=9) == 0

    def test_the_pending_tasks_of_deleted_leads_are_listed_the_soonest_due_first(
        self, work: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        require_repositories(self, work, "leads")
        gone = [a_lead(deleted_at=_NOW), a_lead(deleted_at=_NOW)]
        late = a_task(gone[0], ann, notes=[a_note(ann)])
        soon = a_task(gone[1], ann, due_at=_NOW - _HOUR)
        add_all(work, *gone, late, soon, a_task(gone[0], ann, **CLOSED["cancelled"]), a_task(lead, ann))

        with work() as unit:
            assert [*unit.tasks.lock_pending_of_deleted_leads(limit=9)] == [soon, replace(late, notes=[])]
            assert [*unit.tasks.lock_pending_of_deleted_leads(limit=1)] == [soon]

    def test_leads_with_tasks_of_any_status_are_listed(
        self, work: Units[CallTasksUnit], reads: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        other, without = a_lead(), a_lead()
        add_all(work, other, without, a_task(lead, ann), a_task(lead, ann), a_task(other, ann, **CLOSED["missed"]))

        with reads() as unit:
            asked = [lead.id, without.id, *(an_id() for _ in range(1200)), other.id]
            assert unit.tasks.leads_with_tasks(asked) == {lead.id, other.id}
            assert unit.tasks.leads_with_tasks([without.id]) == set()
            assert unit.tasks.leads_with_tasks([]) == set()

    def test_walk_returns_all_tasks_in_the_order_of_their_ids(
        self, work: Units[CallTasksUnit], reads: Units[CallTasksUnit], ann: User, lead: Lead
    ) -> None:
        tasks = [a_task(lead, ann, due_at=_NOW - number * _HOUR, notes=[a_note(ann)]) for number in range(5)]
        add_all(work, *tasks[::-1])
        bare = [replace(task, notes=[]) for task in tasks]

        with reads() as unit:
            assert [*unit.tasks.iterate_by_id(None, limit=2)] == bare[:2]
            assert [*unit.tasks.iterate_by_id(tasks[1].id, limit=2)] == bare[2:4]
            assert [*unit.tasks.iterate_by_id(tasks[3].id, limit=2)] == bare[4:]
            assert [*unit.tasks.iterate_by_id(tasks[4].id, limit=2)] == []


def _get(units: Units[CallTasksUnit], task_id: UUID) -> CallTask:
    with units() as unit:
        return unit.tasks.get(task_id)


def _change(work: Units[CallTasksUnit], task_id: UUID, change: Callable[[CallTask], None]) -> None:
    with work() as unit:
        task = unit.tasks.get(task_id)
        change(task)
        task.mark_updated(_NOW)
        unit.tasks.save(task)
        unit.commit()


def _overdue(work: Units[CallTasksUnit], *, limit: int) -> Sequence[CallTask]:
    with work() as unit:
        return [*unit.tasks.overdue(before=_NOW, limit=limit)]
