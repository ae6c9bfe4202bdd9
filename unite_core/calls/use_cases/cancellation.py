"""Calls that are not made: somebody cancels them, or nobody makes them in time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from unite_core.calls.events import task_missed
from unite_core.calls.lead_deletion import LEAD_DELETED, cancel
from unite_core.calls.ledger import closing_entry, link_to_chain
from unite_core.calls.model import TaskStatus, reason_error
from unite_core.calls.ports import CallsUnitOfWork
from unite_core.calls.queries import TaskView, lead_of, view_of, visible_task
from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import Invalid
from unite_core.identity.model import Actor, Permission
from unite_core.ids import Ids
from unite_core.text import clean
from unite_core.unit_of_work import UnitOfWorkFactory
from unite_core.versions import require_version


@dataclass(frozen=True, kw_only=True)
class Cancellation:
    """Which call is not needed any more and why, and the version of the task that the caller saw, if they say so."""

    task_id: UUID
    reason: str | None = None
    expected_version: int | None = None


@dataclass(frozen=True)
class CancelCallTask:
    """Cancel a pending call task. Admins and managers only.

    A reason has up to 500 characters on one line; a blank one is none. The call log gets an entry. Cancelling twice for
    the same reason has one effect and gives the same answer, whatever version is expected.

    Raises `NotFound`, `Forbidden`, `Conflict` (`task_closed`), `PreconditionFailed` and `Invalid`.
    """

    permission: ClassVar[Permission] = Permission.CANCEL_CALLS
    work: UnitOfWorkFactory[CallsUnitOfWork]
    clock: Clock
    ids: Ids

    def __call__(self, actor: Actor, cancellation: Cancellation) -> TaskView:
        return self.work.run(lambda work: self._cancel(work, actor, cancellation))

    def _cancel(self, work: CallsUnitOfWork, actor: Actor, cancellation: Cancellation) -> TaskView:
        reason = clean(cancellation.reason or "") or None
        task = visible_task(work, actor, cancellation.task_id)
        actor.must(self.permission)
        lead = lead_of(work, task)
        if task.status is TaskStatus.CANCELLED and task.cancel_reason == reason:
            return view_of(actor, task, lead)
        task.require_pending()
        require_version(cancellation.expected_version, task.version)
        problem = reason_error(reason) if reason is not None else None
        if problem is not None:
            raise Invalid("The reason breaks a rule.", problems=[problem])
        cancel(work, self.ids, actor, task, lead, reason, self.clock.now())
        return view_of(actor, task, lead)


@dataclass(frozen=True)
class MarkMissed:
    """Mark the pending tasks that were due longer than `missed_after` ago as missed; the call log gets their entries.

    Run by a schedule, by as many as like at the same time; a task is missed once. `limit` tasks are one transaction;
    it goes on until no more are due, or until `should_stop` says so. Returns how many there were.
    """

    work: UnitOfWorkFactory[CallsUnitOfWork]
    clock: Clock
    ids: Ids
    missed_after: timedelta

    def __call__(self, *, limit: int = 100, should_stop: Callable[[], bool] = lambda: False) -> int:
        missed = 0
        while not should_stop():
            found = retry_on_deadlock(lambda: self._mark(limit))
            missed += found
            if found < limit:
                break
        return missed

    def _mark(self, limit: int) -> int:
        now = self.clock.now()
        with self.work() as work:
            overdue = work.tasks.overdue(before=now - self.missed_after, limit=limit)
            chains = work.ledger.chains([task.id for task in overdue])
            leads = work.leads.find({task.lead_id for task in overdue})
            for task in overdue:
                task.miss(now)
                task.touched(now)
                work.tasks.save(task)
                lead = leads.get(task.lead_id)
                missed = closing_entry(self.ids.new(), task, None, source=lead.source if lead else None)
                entry = link_to_chain(missed, chains.get(task.id, ()))
                work.ledger.append(entry)
                work.record(task_missed(self.ids.new(), task, lead, entry))
            work.commit()
        return len(overdue)


@dataclass(frozen=True)
class CancelCallsOfDeletedLeads:
    """Cancel the pending tasks whose leads are deleted; the call log gets their entries.

    Deleting a lead cancels the calls to it. A version of Unite from before there were calls does not, and one may run
    beside this one during an upgrade, or have run after a rollback. Run by a schedule, by several workers at the same
    time too; a task is cancelled once. `limit` tasks are one transaction. Returns how many there were.
    """

    work: UnitOfWorkFactory[CallsUnitOfWork]
    reads: UnitOfWorkFactory[CallsUnitOfWork]
    clock: Clock
    ids: Ids

    def __call__(self, *, limit: int = 100, should_stop: Callable[[], bool] = lambda: False) -> int:
        cancelled = 0
        # Nearly always there are none, and a unit of work that reads keeps nobody from writing while it looks.
        while not should_stop() and self._any():
            found = retry_on_deadlock(lambda: self._cancel(limit))
            cancelled += found
            if found < limit:
                break
        return cancelled

    def _any(self) -> bool:
        with self.reads() as reads:
            return bool(reads.tasks.lock_pending_of_deleted_leads(limit=1))

    def _cancel(self, limit: int) -> int:
        with self.work() as work:
            orphans = work.tasks.lock_pending_of_deleted_leads(limit=limit)
            for task in orphans:
                cancel(work, self.ids, None, task, None, LEAD_DELETED, self.clock.now())
            work.commit()
        return len(orphans)
