"""What can be asked about call tasks and the call log."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from unite_core.calls.ledger import ChainFault, LedgerEntry, Unreadable, find_fault
from unite_core.calls.model import CallTask, TaskStatus
from unite_core.calls.ports import CallsUnitOfWork, LedgerFilter, TaskFilter
from unite_core.errors import NotFound
from unite_core.identity.model import Actor, Permission
from unite_core.leads.model import Lead
from unite_core.leads.queries import may_see
from unite_core.paging import Page, PageRequest
from unite_core.unit_of_work import UnitOfWorkFactory


@dataclass(frozen=True, slots=True)
class TaskView:
    """A call task and the lead to call, as one caller may see them.

    `lead` is None once the lead was deleted. It is None too for an agent to whom the lead is not assigned, once the
    task is closed: while it is pending they need the number, afterwards nothing tells them what became of the lead.
    """

    task: CallTask
    lead: Lead | None


@dataclass(frozen=True)
class GetCallTask:
    """Read one call task. Agents read those assigned to them, admins and managers all.

    Raises `NotFound`, for a task that the caller may not see too.
    """

    reads: UnitOfWorkFactory[CallsUnitOfWork]

    def __call__(self, actor: Actor, task_id: UUID) -> TaskView:
        with self.reads() as reads:
            task = visible_task(reads, actor, task_id)
            return view_of(actor, task, lead_of(reads, task))


@dataclass(frozen=True)
class ListCallTasks:
    """List call tasks, the soonest due first. Agents see those assigned to them, admins and managers all."""

    reads: UnitOfWorkFactory[CallsUnitOfWork]

    def __call__(self, actor: Actor, filters: TaskFilter, request: PageRequest) -> Page[TaskView]:
        if not actor.may(Permission.SEE_ALL_CALLS):
            filters = replace(filters, visible_to=actor.user_id)
        with self.reads() as reads:
            page = reads.tasks.page(filters, request)
            leads = reads.leads.find({task.lead_id for task in page.items})
        return Page([view_of(actor, task, leads.get(task.lead_id)) for task in page.items], page.next)


@dataclass(frozen=True)
class ListCallLogs:
    """List what became of calls, newest first: every entry of the call ledger, corrections too.

    Agents see their own calls, admins and managers all.
    """

    reads: UnitOfWorkFactory[CallsUnitOfWork]

    def __call__(self, actor: Actor, filters: LedgerFilter, request: PageRequest) -> Page[LedgerEntry]:
        if not actor.may(Permission.SEE_ALL_CALLS):
            filters = replace(filters, visible_to=actor.user_id)
        with self.reads() as reads:
            return reads.ledger.page(filters, request)


@dataclass(frozen=True)
class GetCallLogEntry:
    """Read one entry of the call log. Agents read those of their own calls, admins and managers all.

    Raises `NotFound`, for an entry that the caller may not see too.
    """

    reads: UnitOfWorkFactory[CallsUnitOfWork]

    def __call__(self, actor: Actor, entry_id: UUID) -> LedgerEntry:
        with self.reads() as reads:
            return visible_entry(reads, actor, entry_id)


@dataclass(frozen=True, slots=True)
class TaskLedger:
    """A task's chain from its first entry on, and the first fault in it; `find_fault` is None where it verifies.

    Entries that cannot be read are left out, and are a fault.
    """

    task: CallTask
    entries: Sequence[LedgerEntry]
    broken: ChainFault | None


@dataclass(frozen=True)
class GetLedger:
    """Read the ledger of a call task: its entries with their hashes, and whether the chain verifies.

    Whoever may see the task may read it.

    Raises `NotFound`.
    """

    reads: UnitOfWorkFactory[CallsUnitOfWork]

    def __call__(self, actor: Actor, task_id: UUID) -> TaskLedger:
        with self.reads() as reads:
            task = visible_task(reads, actor, task_id)
            chain = reads.ledger.chains_as_stored([task_id]).get(task_id, ())
        return TaskLedger(task, [it for it in chain if not isinstance(it, Unreadable)], find_fault(task, chain))


def visible_task(work: CallsUnitOfWork, actor: Actor, task_id: UUID) -> CallTask:
    """The task, if the actor may see it: agents see what is assigned to them.

    Raises `NotFound` where the actor may not know that there is such a task.
    """
    task = work.tasks.get(task_id)
    if not actor.may(Permission.SEE_ALL_CALLS) and task.assigned_to != actor.user_id:
        raise NotFound("There is no such call task.")
    return task


def visible_entry(work: CallsUnitOfWork, actor: Actor, entry_id: UUID) -> LedgerEntry:
    """The entry of the call log, if the actor may see it: agents see those of their own calls.

    Raises `NotFound` where the actor may not know that there is such an entry.
    """
    entry = work.ledger.get(entry_id)
    if not actor.may(Permission.SEE_ALL_CALLS) and entry.agent_id != actor.user_id:
        raise NotFound("There is no such entry in the call log.")
    return entry


def lead_of(work: CallsUnitOfWork, task: CallTask) -> Lead | None:
    """The lead of the task, without a lock; None where it was deleted."""
    return work.leads.find([task.lead_id]).get(task.lead_id)


def view_of(actor: Actor, task: CallTask, lead: Lead | None) -> TaskView:
    """The task as the actor, who may see it, may see its lead."""
    shown = lead is not None and (task.status is TaskStatus.PENDING or may_see(actor, lead))
    return TaskView(task, lead if shown else None)
