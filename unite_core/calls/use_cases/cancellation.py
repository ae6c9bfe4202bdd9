"""Use cases for calls that are not made: cancel a call task, mark overdue ones as missed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from unite_core.calls.closing import LEAD_DELETED, cancel
from unite_core.calls.events import task_missed
from unite_core.calls.ledger import closing_entry, link_to_chain
from unite_core.calls.model import TaskStatus, reason_error
from unite_core.calls.ports import CallsUnitOfWork
from unite_core.calls.queries import TaskView, lead_of, view_of, visible_task
from unite_core.checks import BatchSize, Input, UseCase
from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import Invalid
from unite_core.identity.model import Actor, Permission
from unite_core.ids import Ids
from unite_core.text import clean
from unite_core.unit_of_work import UnitOfWorkFactory
from unite_core.versions import require_version


@dataclass(frozen=True, kw_only=True)
class Cancellation(Input):
    """The cancellation of a call task, its reason, and the version that the caller saw, if they give it."""

    task_id: UUID
    reason: str | None = None
    expected_version: int | None = None


@dataclass(frozen=True)
class CancelCallTask(UseCase):
    """Cancel a pending call task. Admins and managers only.

    A reason has up to 500 characters on one line; a blank one is none. The call log gets an entry. Cancelling twice
    with the same reason has one effect and returns the same response, whatever version is expected.

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
class MarkMissed(UseCase):
    """Mark the pending tasks that were due longer than `missed_after` ago as missed; the call log gets their entries.

    Run by a schedule, by any number of workers at the same time; a task is marked once. One transaction marks `limit`
    tasks; the next one follows until no more are overdue, or `should_stop` returns True. Returns how many were marked.
    """

    work: UnitOfWorkFactory[CallsUnitOfWork]
    clock: Clock
    ids: Ids
    missed_after: timedelta

    def __call__(self, *, limit: BatchSize = 100, should_stop: Callable[[], bool] = lambda: False) -> int:
        total = 0
        while not should_stop():
            marked = retry_on_deadlock(lambda: self._mark(limit))
            total += marked
            if marked < limit:
                break
        return total

    def _mark(self, limit: int) -> int:
        now = self.clock.now()
        with self.work() as work:
            overdue = work.tasks.overdue(before=now - self.missed_after, limit=limit)
            chains = work.ledger.chains([task.id for task in overdue])
            leads = work.leads.find({task.lead_id for task in overdue})
            for task in overdue:
                task.miss(now)
                task.mark_updated(now)
                work.tasks.save(task)
                lead = leads.get(task.lead_id)
                closing = closing_entry(self.ids.new(), task, None, source=lead.source if lead else None)
                entry = link_to_chain(closing, chains.get(task.id, ()))
                work.ledger.append(entry)
                work.record(task_missed(self.ids.new(), task, lead, entry))
            work.commit()
        return len(overdue)


@dataclass(frozen=True)
class CancelCallsOfDeletedLeads(UseCase):
    """Cancel the pending tasks whose leads are deleted; the call log gets their entries.

    Deleting a lead cancels the calls to it. A version of Unite from before calls existed does not do that, and one may
    run beside this one during an upgrade, or have run after a rollback. Run by a schedule, by any number of workers at
    the same time; a task is cancelled once. One transaction cancels `limit` tasks. Returns how many were cancelled.
    """

    work: UnitOfWorkFactory[CallsUnitOfWork]
    reads: UnitOfWorkFactory[CallsUnitOfWork]
    clock: Clock
    ids: Ids

    def __call__(self, *, limit: BatchSize = 100, should_stop: Callable[[], bool] = lambda: False) -> int:
        total = 0
        # Nearly always there are none, and a unit of work that only reads does not block writers.
        while not should_stop() and self._any():
            cancelled = retry_on_deadlock(lambda: self._cancel(limit))
            total += cancelled
            if cancelled < limit:
                break
        return total

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
