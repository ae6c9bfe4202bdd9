"""What can be asked about call tasks and the call log."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from unite_core.calls.ledger import BrokenChain, LedgerEntry, Unreadable, broken
from unite_core.calls.model import CallTask
from unite_core.calls.ports import CallsWork, LedgerFilter, TaskFilter
from unite_core.errors import NotFound
from unite_core.identity.model import Actor, Permission
from unite_core.leads.model import Lead
from unite_core.paging import Page, PageRequest
from unite_core.unit_of_work import Work


@dataclass(frozen=True, slots=True)
class TaskView:
    """A call task and whom it is to reach; `lead` is None once that lead was deleted."""

    task: CallTask
    lead: Lead | None


@dataclass(frozen=True)
class GetCallTask:
    """Read one call task. Agents read those assigned to them, admins and managers all.

    Raises `NotFound`, for a task that the caller may not see too.
    """

    reads: Work[CallsWork]

    def __call__(self, actor: Actor, task_id: UUID) -> TaskView:
        with self.reads() as reads:
            return view_of(reads, visible_task(reads, actor, task_id))


@dataclass(frozen=True)
class ListCallTasks:
    """List call tasks, the soonest due first. Agents see those assigned to them, admins and managers all."""

    reads: Work[CallsWork]

    def __call__(self, actor: Actor, wanted: TaskFilter, request: PageRequest) -> Page[TaskView]:
        if not actor.may(Permission.SEE_ALL_CALLS):
            wanted = replace(wanted, visible_to=actor.user_id)
        with self.reads() as reads:
            page = reads.tasks.page(wanted, request)
            leads = reads.leads.find({task.lead_id for task in page.items})
        return Page([TaskView(task, leads.get(task.lead_id)) for task in page.items], page.next)


@dataclass(frozen=True)
class ListCallLogs:
    """List what became of calls, newest first: every entry of the call ledger, corrections too.

    Agents see their own calls, admins and managers all.
    """

    reads: Work[CallsWork]

    def __call__(self, actor: Actor, wanted: LedgerFilter, request: PageRequest) -> Page[LedgerEntry]:
        if not actor.may(Permission.SEE_ALL_CALLS):
            wanted = replace(wanted, visible_to=actor.user_id)
        with self.reads() as reads:
            return reads.ledger.page(wanted, request)


@dataclass(frozen=True, slots=True)
class TaskLedger:
    """A task's chain from its first entry on, and the first fault in it; `broken` is None where it verifies.

    Entries that cannot be read are left out, and are a fault.
    """

    task: CallTask
    entries: Sequence[LedgerEntry]
    broken: BrokenChain | None


@dataclass(frozen=True)
class GetLedger:
    """Read the ledger of a call task: its entries with their hashes, and whether the chain verifies.

    Whoever may see the task may read it.

    Raises `NotFound`.
    """

    reads: Work[CallsWork]

    def __call__(self, actor: Actor, task_id: UUID) -> TaskLedger:
        with self.reads() as reads:
            task = visible_task(reads, actor, task_id)
            chain = reads.ledger.as_stored([task_id]).get(task_id, ())
        return TaskLedger(task, [it for it in chain if not isinstance(it, Unreadable)], broken(task, chain))


def visible_task(work: CallsWork, actor: Actor, task_id: UUID) -> CallTask:
    """The task, if the actor may see it: agents see what is assigned to them.

    Raises `NotFound` where the actor may not know that there is such a task.
    """
    task = work.tasks.get(task_id)
    if not actor.may(Permission.SEE_ALL_CALLS) and task.assigned_to != actor.user_id:
        raise NotFound("There is no such call task.")
    return task


def view_of(work: CallsWork, task: CallTask) -> TaskView:
    """The task and its lead, which is not held."""
    return TaskView(task, work.leads.find([task.lead_id]).get(task.lead_id))
