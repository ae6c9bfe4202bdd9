"""What becomes of calls to leads that are deleted, and of leads that calls are planned to; imports that choose."""

import io
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Self
from uuid import UUID

import pytest

from tests.core.calls.floor import HOUR, Floor
from unite_core import (
    CallTask,
    Conflict,
    EntryKind,
    FileToImport,
    Forbidden,
    ImportOptions,
    Lead,
    LeadImport,
    LeadStatus,
    LeadToDelete,
    NotFound,
    OnDuplicate,
    PreconditionFailed,
    TaskStatus,
    Unavailable,
)
from unite_core.imports.undo import UndoStep
from unite_core.testing.in_memory import InMemoryCallTasks, InMemoryUnitOfWork, InMemoryUnitOfWorkFactory
from unite_core.testing.in_memory.tables import Tables
from unite_core.unit_of_work import before_commit


def delete(floor: Floor, lead: Lead, version: int | None = None) -> None:
    floor.unite.leads.delete(floor.manager, LeadToDelete(lead_id=lead.id, expected_version=version))


def imported(floor: Floor, text: str, **options: Any) -> LeadImport:
    stored = floor.unite.imports.store_file(floor.admin, io.BytesIO(text.encode()))
    file = FileToImport(stored=stored, filename="leads.csv", options=ImportOptions(**options))
    queued = floor.unite.imports.import_stored_file(floor.admin, file)
    floor.unite.imports.continue_import(queued.id, holder="worker")
    return floor.unite.imports.get(floor.admin, queued.id)


def named(floor: Floor, name: str) -> Lead:
    (lead,) = (lead for lead in floor.tables.leads.values() if lead.name == name)
    return lead


def test_whoever_deletes_a_lead_cancels_the_calls_to_it(floor: Floor) -> None:
    lead, other = floor.lead(), floor.create()
    made, first, second = (floor.create(lead) for _ in range(3))
    floor.complete(made)

    delete(floor, lead)

    for task in (first, second):
        gone = floor.stored(task)
        assert (gone.status, gone.cancel_reason, gone.version) == (
            TaskStatus.CANCELLED,
            "The lead was deleted.",
            2,
        )
        (entry,) = floor.chain(task)
        assert (entry.kind, entry.actor_id) == (EntryKind.CANCELLED, floor.manager.user_id)
    assert floor.stored(made).status is TaskStatus.COMPLETED
    assert floor.stored(other) == other
    assert [event.type for event in floor.events[-3:]] == ["lead.deleted", *["call_task.cancelled"] * 2]
    assert floor.events[-1].data["lead_name"] == "Grace Hopper"
    assert floor.unite.calls.verify_ledger().broken is None


def test_a_lead_that_is_not_deleted_is_called_all_the_same(floor: Floor) -> None:
    lead = floor.lead()
    task = floor.create(lead)

    with pytest.raises(PreconditionFailed):
        delete(floor, lead, version=2)
    with pytest.raises(Forbidden):
        floor.unite.leads.delete(floor.ann, LeadToDelete(lead_id=lead.id))
    failing = replace(floor.unite.leads.delete, work=before_commit(floor.ports.work, refuse))
    with pytest.raises(Conflict):
        failing(floor.manager, LeadToDelete(lead_id=lead.id))

    assert floor.stored(task) == task


def refuse(*_: object) -> None:
    raise Conflict("Another attempt took over.")


def test_no_call_is_planned_to_a_lead_that_is_gone(floor: Floor) -> None:
    lead = floor.lead()
    delete(floor, lead)

    with pytest.raises(NotFound):
        floor.create(lead)


def test_undoing_an_import_keeps_the_leads_that_calls_are_planned_to(floor: Floor) -> None:
    done = imported(floor, "Name,Phone\nAda,+12125550101\nBen,+12125550102\nCleo,+12125550103\n")
    planned, made = floor.create(named(floor, "Ada")), floor.create(named(floor, "Ben"))
    floor.cancel(made)

    undone = floor.unite.imports.undo(floor.admin, done.id).undone

    assert undone is not None
    assert (undone.removed, undone.kept) == (1, 2)
    kept = {lead.name for lead in floor.tables.leads.values() if lead.deleted_at is None}
    assert kept == {"Ada", "Ben"}
    assert floor.stored(planned) == planned


class LateWork(InMemoryUnitOfWorkFactory):
    """Over the same store as `work`; it does not see in time, so many times, that a call is planned."""

    def __init__(self, work: InMemoryUnitOfWorkFactory, *, times: int) -> None:
        super().__init__(work._store)
        self.times = times

    def __call__(self) -> InMemoryUnitOfWork:
        return _LateUnit(self)


class _LateUnit(InMemoryUnitOfWork):
    def __init__(self, late: LateWork) -> None:
        super().__init__(late._store)
        self._late = late

    def __enter__(self) -> Self:
        super().__enter__()
        self.tasks = _LateTasks(self._tables, self._late)
        return self


class _LateTasks(InMemoryCallTasks):
    def __init__(self, tables: Tables, late: LateWork) -> None:
        super().__init__(tables)
        self._late = late
        self._asked = 0

    def leads_with_tasks(self, lead_ids: Collection[UUID]) -> set[UUID]:
        self._asked += 1
        if self._asked == 1 and self._late.times:
            self._late.times -= 1
            return set()
        return super().leads_with_tasks(lead_ids)


def late_undo(floor: Floor, *, times: int) -> UndoStep:
    return UndoStep(LateWork(floor.ports.work, times=times), floor.ports.clock, floor.ports.ids)


def test_a_lead_that_a_call_was_planned_to_in_the_last_moment_is_kept(floor: Floor) -> None:
    done = imported(floor, "Name,Phone\nAda,+12125550101\nBen,+12125550102\n")
    floor.create(named(floor, "Ada"))
    with floor.ports.work() as work:
        unwanted = work.imports.get(done.id)
        unwanted.begin_undo()
        unwanted.touched()
        work.imports.save(unwanted)
        work.commit()

    with pytest.raises(Unavailable):
        late_undo(floor, times=100)(done.id)
    assert {lead.deleted_at for lead in floor.tables.leads.values()} == {None}
    late_undo(floor, times=2)(done.id)

    assert named(floor, "Ada").deleted_at is None
    assert named(floor, "Ben").deleted_at is not None


def test_the_status_that_an_import_brings_is_somebodys_choice(floor: Floor) -> None:
    task = floor.create(floor.lead(phone="+12125550101"))
    began = floor.now
    now = floor.pass_time()
    text = "Name,Phone,Status\nGrace,+12125550101,lost\nAda,+12125550102,lost\n"

    imported(floor, text, on_duplicate=OnDuplicate.UPDATE)
    floor.complete(task, started_at=began)

    assert (floor.lead_of(task).status, floor.lead_of(task).status_chosen_at) == (LeadStatus.LOST, now)


def test_an_import_that_brings_no_other_status_chooses_none(floor: Floor) -> None:
    task = floor.create(floor.lead(phone="+12125550101"))
    began = floor.now
    floor.pass_time(HOUR)

    imported(floor, "Name,Phone,Status\nG. Hopper,+12125550101,new\n", on_duplicate=OnDuplicate.UPDATE)
    floor.complete(task, started_at=began)

    lead = floor.lead_of(task)
    assert (lead.name, lead.status, lead.status_chosen_at) == ("G. Hopper", LeadStatus.CONTACTED, None)


def left_behind(floor: Floor, calls: int = 1) -> list[CallTask]:
    """Pending calls to leads that were deleted by a version from before there were calls."""
    tasks = [floor.create(note="Ask for Grace.") for _ in range(calls)]
    for task in tasks:
        floor.tables.leads[task.lead_id].deleted_at = floor.now
    return tasks


def test_calls_that_a_deleted_lead_left_behind_are_cancelled_once(floor: Floor) -> None:
    [task], kept = left_behind(floor), floor.create()
    now = floor.pass_time()

    assert floor.unite.upkeep.cancel_calls_of_deleted_leads() == 1
    assert floor.unite.upkeep.cancel_calls_of_deleted_leads() == 0

    gone = floor.stored(task)
    assert (gone.status, gone.cancel_reason, gone.closed_at) == (TaskStatus.CANCELLED, "The lead was deleted.", now)
    assert gone.notes == task.notes
    (entry,) = floor.chain(task)
    assert (entry.kind, entry.reason, entry.actor_id) == (EntryKind.CANCELLED, "The lead was deleted.", None)
    assert (floor.events[-1].type, floor.events[-1].actor_id) == ("call_task.cancelled", None)
    assert floor.stored(kept) == kept
    assert floor.unite.calls.verify_ledger().broken is None


def test_all_calls_that_deleted_leads_left_behind_are_cancelled_a_few_at_a_time(floor: Floor) -> None:
    tasks = left_behind(floor, calls=5)

    assert floor.unite.upkeep.cancel_calls_of_deleted_leads(limit=2) == 5
    assert {floor.stored(task).status for task in tasks} == {TaskStatus.CANCELLED}


def test_cancelling_what_deleted_leads_left_behind_stops_between_two_transactions(floor: Floor) -> None:
    left_behind(floor, calls=5)
    stopping = iter([False, True])

    assert floor.unite.upkeep.cancel_calls_of_deleted_leads(limit=2, should_stop=lambda: next(stopping)) == 2
