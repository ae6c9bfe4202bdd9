"""Tests of the call tasks of deleted leads, of undone imports with called leads, and of statuses set by imports."""

import io
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Self
from uuid import UUID

import pytest

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
from unite_core.testing.scenario import HOUR, Scenario
from unite_core.unit_of_work import before_commit


def delete(scenario: Scenario, lead: Lead, version: int | None = None) -> None:
    scenario.unite.leads.delete(scenario.manager, LeadToDelete(lead_id=lead.id, expected_version=version))


def imported(scenario: Scenario, text: str, **options: Any) -> LeadImport:
    stored = scenario.unite.imports.store_file(scenario.admin, io.BytesIO(text.encode()))
    file = FileToImport(stored=stored, filename="leads.csv", options=ImportOptions(**options))
    queued = scenario.unite.imports.import_stored_file(scenario.admin, file)
    scenario.unite.imports.continue_import(queued.id, holder="worker")
    return scenario.unite.imports.get(scenario.admin, queued.id)


def named(scenario: Scenario, name: str) -> Lead:
    (lead,) = (lead for lead in scenario.tables.leads.values() if lead.name == name)
    return lead


def test_deleting_a_lead_cancels_its_pending_tasks(scenario: Scenario) -> None:
    lead, other = scenario.create_lead(), scenario.create_call_task()
    made, first, second = (scenario.create_call_task(lead) for _ in range(3))
    scenario.complete(made)

    delete(scenario, lead)

    for task in (first, second):
        gone = scenario.stored(task)
        assert (gone.status, gone.cancel_reason, gone.version) == (
            TaskStatus.CANCELLED,
            "The lead was deleted.",
            2,
        )
        (entry,) = scenario.ledger(task)
        assert (entry.kind, entry.actor_id) == (EntryKind.CANCELLED, scenario.manager.user_id)
    assert scenario.stored(made).status is TaskStatus.COMPLETED
    assert scenario.stored(other) == other
    assert [event.type for event in scenario.events()[-3:]] == ["lead.deleted", *["call_task.cancelled"] * 2]
    assert scenario.events()[-1].data["lead_name"] == "Grace Hopper"
    assert scenario.unite.calls.verify_ledger().broken is None


def test_a_refused_deletion_of_a_lead_cancels_no_task(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    task = scenario.create_call_task(lead)

    with pytest.raises(PreconditionFailed):
        delete(scenario, lead, version=2)
    with pytest.raises(Forbidden):
        scenario.unite.leads.delete(scenario.ann, LeadToDelete(lead_id=lead.id))
    failing = replace(scenario.unite.leads.delete, work=before_commit(scenario.ports.work, refuse))
    with pytest.raises(Conflict):
        failing(scenario.manager, LeadToDelete(lead_id=lead.id))

    assert scenario.stored(task) == task


def refuse(*_: object) -> None:
    raise Conflict("Another attempt took over.")


def test_no_task_can_be_created_for_a_deleted_lead(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    delete(scenario, lead)

    with pytest.raises(NotFound):
        scenario.create_call_task(lead)


def test_undoing_an_import_keeps_leads_with_call_tasks(scenario: Scenario) -> None:
    done = imported(scenario, "Name,Phone\nAda,+12125550101\nBen,+12125550102\nCleo,+12125550103\n")
    planned, made = scenario.create_call_task(named(scenario, "Ada")), scenario.create_call_task(named(scenario, "Ben"))
    scenario.cancel(made)

    undone = scenario.unite.imports.undo(scenario.admin, done.id).undone

    assert undone is not None
    assert (undone.removed, undone.kept) == (1, 2)
    kept = {lead.name for lead in scenario.tables.leads.values() if lead.deleted_at is None}
    assert kept == {"Ada", "Ben"}
    assert scenario.stored(planned) == planned


class LateWork(InMemoryUnitOfWorkFactory):
    """Units of work over the store of `work`, of which the first ones do not see a new call task."""

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


def late_undo(scenario: Scenario, *, times: int) -> UndoStep:
    return UndoStep(LateWork(scenario.ports.work, times=times), scenario.ports.clock, scenario.ports.ids)


def test_undoing_an_import_keeps_a_lead_that_gets_a_task_at_the_last_moment(scenario: Scenario) -> None:
    done = imported(scenario, "Name,Phone\nAda,+12125550101\nBen,+12125550102\n")
    scenario.create_call_task(named(scenario, "Ada"))
    with scenario.ports.work() as work:
        unwanted = work.imports.get(done.id)
        unwanted.begin_undo()
        unwanted.mark_updated()
        work.imports.save(unwanted)
        work.commit()

    with pytest.raises(Unavailable):
        late_undo(scenario, times=100)(done.id)
    assert {lead.deleted_at for lead in scenario.tables.leads.values()} == {None}
    late_undo(scenario, times=2)(done.id)

    assert named(scenario, "Ada").deleted_at is None
    assert named(scenario, "Ben").deleted_at is not None


def test_a_status_set_by_an_import_counts_as_chosen_by_a_user(scenario: Scenario) -> None:
    task = scenario.create_call_task(scenario.create_lead(phone="+12125550101"))
    began = scenario.now
    now = scenario.advance()
    text = "Name,Phone,Status\nGrace,+12125550101,lost\nAda,+12125550102,lost\n"

    imported(scenario, text, on_duplicate=OnDuplicate.UPDATE)
    scenario.complete(task, started_at=began)

    assert (scenario.lead_of(task).status, scenario.lead_of(task).status_chosen_at) == (LeadStatus.LOST, now)


def test_an_import_that_does_not_change_the_status_does_not_count_as_a_choice(scenario: Scenario) -> None:
    task = scenario.create_call_task(scenario.create_lead(phone="+12125550101"))
    began = scenario.now
    scenario.advance(HOUR)

    imported(scenario, "Name,Phone,Status\nG. Hopper,+12125550101,new\n", on_duplicate=OnDuplicate.UPDATE)
    scenario.complete(task, started_at=began)

    lead = scenario.lead_of(task)
    assert (lead.name, lead.status, lead.status_chosen_at) == ("G. Hopper", LeadStatus.CONTACTED, None)


def left_behind(scenario: Scenario, calls: int = 1) -> list[CallTask]:
    """Pending calls to leads that were deleted by a version from before there were calls."""
    tasks = [scenario.create_call_task(note="Ask for Grace.") for _ in range(calls)]
    for task in tasks:
        scenario.tables.leads[task.lead_id].deleted_at = scenario.now
    return tasks


def test_remaining_tasks_of_deleted_leads_are_cancelled_once(scenario: Scenario) -> None:
    [task], kept = left_behind(scenario), scenario.create_call_task()
    now = scenario.advance()

    assert scenario.unite.upkeep.cancel_calls_of_deleted_leads() == 1
    assert scenario.unite.upkeep.cancel_calls_of_deleted_leads() == 0

    gone = scenario.stored(task)
    assert (gone.status, gone.cancel_reason, gone.closed_at) == (TaskStatus.CANCELLED, "The lead was deleted.", now)
    assert gone.notes == task.notes
    (entry,) = scenario.ledger(task)
    assert (entry.kind, entry.reason, entry.actor_id) == (EntryKind.CANCELLED, "The lead was deleted.", None)
    assert (scenario.events()[-1].type, scenario.events()[-1].actor_id) == ("call_task.cancelled", None)
    assert scenario.stored(kept) == kept
    assert scenario.unite.calls.verify_ledger().broken is None


def test_remaining_tasks_of_deleted_leads_are_cancelled_in_batches(scenario: Scenario) -> None:
    tasks = left_behind(scenario, calls=5)

    assert scenario.unite.upkeep.cancel_calls_of_deleted_leads(limit=2) == 5
    assert {scenario.stored(task).status for task in tasks} == {TaskStatus.CANCELLED}


def test_cancelling_remaining_tasks_can_be_stopped_between_two_transactions(scenario: Scenario) -> None:
    left_behind(scenario, calls=5)
    stopping = iter([False, True])

    assert scenario.unite.upkeep.cancel_calls_of_deleted_leads(limit=2, should_stop=lambda: next(stopping)) == 2
