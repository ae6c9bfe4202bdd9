"""Queries of call tasks and the call log."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from unite_core.calls.ledger import ChainFault, LedgerEntry, Unreadable, find_fault
from unite_core.calls.model import CallTask, TaskStatus
from unite_core.calls.ports import CallsUnitOfWork, LedgerFilter, TaskFilter
from unite_core.checks import UseCase
from unite_core.errors import NotFound
from unite_core.identity.model import Actor, Permission
from unite_core.leads.model import Lead
from unite_core.leads.queries import may_see
from unite_core.paging import Page, PageRequest
from unite_core.unit_of_work import UnitOfWorkFactory


@dataclass(frozen=True, slots=True)
class TaskView:
    """A call task and the lead to call, as one caller may see them.

    `lead` is None once the lead was deleted. It is also None for an agent to whom the lead is not assigned, once the
    task is closed: while it is pending they need the number, afterwards they may not see what happens to the lead.
    """

    task: CallTask
    lead: Lead | None


@dataclass(frozen=True)
class GetCallTask(UseCase):
    """Get one call task. Agents get those assigned to them, admins and managers all.

    Raises `NotFound`, also for a task that the caller may not see.
    """

    reads: UnitOfWorkFactory[CallsUnitOfWork]

    def __call__(self, actor: Actor, task_id: UUID) -> TaskView:
        with self.reads() as reads:
            task = visible_task(reads, actor, task_id)
            return view_of(actor, task, lead_of(reads, task))


@dataclass(frozen=True)
class ListCallTasks(UseCase):
    """List call tasks, sorted by due time. Agents get those assigned to them, admins and managers all."""

    reads: UnitOfWorkFactory[CallsUnitOfWork]

    def __call__(self, actor: Actor, filters: TaskFilter, request: PageRequest) -> Page[TaskView]:
        if not actor.may(Permission.SEE_ALL_CALLS):
            filters = replace(filters, visible_to=actor.user_id)
        with self.reads() as reads:
            page = reads.tasks.page(filters, request)
            leads = reads.leads.find({task.lead_id for task in page.items})
        return Page([view_of(actor, task, leads.get(task.lead_id)) for task in page.items], page.next)


@dataclass(frozen=True)
class ListCallLogs(UseCase):
    """List the call log, newest first: every entry of the call ledger, including corrections.

    Agents get their own calls, admins and managers all.
    """

    reads: UnitOfWorkFactory[CallsUnitOfWork]

    def __call__(self, actor: Actor, filters: LedgerFilter, request: PageRequest) -> Page[LedgerEntry]:
        if not actor.may(Permission.SEE_ALL_CALLS):
            filters = replace(filters, visible_to=actor.user_id)
        with self.reads() as reads:
            return reads.ledger.page(filters, request)


@dataclass(frozen=True)
class GetCallLogEntry(UseCase):
    """Get one entry of the call log. Agents get those of their own calls, admins and managers all.

    Raises `NotFound`, also for an entry that the caller may not see.
    """

    reads: UnitOfWorkFactory[CallsUnitOfWork]

    def __call__(self, actor: Actor, entry_id: UUID) -> LedgerEntry:
        with self.reads() as reads:
            return visible_entry(reads, actor, entry_id)


@dataclass(frozen=True, slots=True)
class TaskLedger:
    """The chain of a task from its first entry on, and its first fault; `broken` is None if it verifies.

    Entries that cannot be read are left out, and are a fault.
    """

    task: CallTask
    entries: Sequence[LedgerEntry]
    broken: ChainFault | None


@dataclass(frozen=True)
class GetLedger(UseCase):
    """Get the ledger of a call task: its entries with their hashes, and whether the chain verifies.

    Every user who may see the task may get it.

    Raises `NotFound`.
    """

    reads: UnitOfWorkFactory[CallsUnitOfWork]

    def __call__(self, actor: Actor, task_id: UUID) -> TaskLedger:
        with self.reads() as reads:
            task = visible_task(reads, actor, task_id)
            chain = reads.ledger.chains_as_stored([task_id]).get(task_id, ())
        return TaskLedger(
            task, [entry for entry in chain if not isinstance(entry, Unreadable)], find_fault(task, chain)
        )


def visible_task(work: CallsUnitOfWork, actor: Actor, task_id: UUID) -> CallTask:
    """Return the task, if the actor may see it: agents see those assigned to them.

    Raise `NotFound` if the actor may not know that the task exists.
    """
    task = work.tasks.get(task_id)
    if not actor.may(Permission.SEE_ALL_CALLS) and task.assigned_to != actor.user_id:
        raise NotFound("There is no such call task.")
    return task


def visible_entry(work: CallsUnitOfWork, actor: Actor, entry_id: UUID) -> LedgerEntry:
    """Return the entry of the call log, if the actor may see it: agents see those of their own calls.

    Raise `NotFound` if the actor may not know that the entry exists.
    """
    entry = work.ledger.get(entry_id)
    if not actor.may(Permission.SEE_ALL_CALLS) and entry.agent_id != actor.user_id:
        raise NotFound("There is no such entry in the call log.")
    return entry


def lead_of(work: CallsUnitOfWork, task: CallTask) -> Lead | None:
    """Return the lead of the task, without a lock; None if it was deleted."""
    return work.leads.find([task.lead_id]).get(task.lead_id)


def view_of(actor: Actor, task: CallTask, lead: Lead | None) -> TaskView:
    """Return the task with its lead, or without it if the actor may not see the lead."""
    visible = lead is not None and (task.status is TaskStatus.PENDING or may_see(actor, lead))
    return TaskView(task, lead if visible else None)
