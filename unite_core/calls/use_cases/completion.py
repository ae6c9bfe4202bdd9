"""Use case: complete a call task with the outcome of its call."""

from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from unite_core.calls.closing import store_closed_task
from unite_core.calls.events import task_completed
from unite_core.calls.lead_status import status_after
from unite_core.calls.model import CallTask, Completion, completion_errors
from unite_core.calls.ports import CallsUnitOfWork
from unite_core.calls.queries import TaskView, lead_of, view_of, visible_task
from unite_core.calls.use_cases.tasks import if_active, record_created
from unite_core.checks import Input, UseCase
from unite_core.clock import Clock
from unite_core.errors import Invalid, NotFound
from unite_core.identity.model import Actor, Permission
from unite_core.ids import Ids
from unite_core.leads.events import lead_changed
from unite_core.leads.model import Lead
from unite_core.text import clean
from unite_core.unit_of_work import UnitOfWorkFactory
from unite_core.versions import require_version


@dataclass(frozen=True, kw_only=True)
class CompletedCall(Input):
    """The completion of a call task, and the version of the task that the caller saw, if they give it."""

    task_id: UUID
    completion: Completion
    expected_version: int | None = None


@dataclass(frozen=True)
class CompleteCallTask(UseCase):
    """Complete a pending call task. Agents complete their own, admins and managers all.

    The call log gets an entry. A call with a follow-up (`follow_up_at`) creates a task for it, assigned to the
    same user as long as they are active; a requested callback needs a follow-up. The lead's status follows the
    outcome: connected and callback_requested make a new lead contacted, converted makes it converted, not_interested
    makes it lost unless it is converted; a status that a user chose after the call had begun stays. All of this is
    done, or nothing.

    Completing twice with the same content has one effect and returns the same response, whatever version is expected.

    Raises `NotFound`, `Conflict` (`task_closed`), `PreconditionFailed` and `Invalid`.
    """

    permission: ClassVar[Permission | None] = None
    work: UnitOfWorkFactory[CallsUnitOfWork]
    clock: Clock
    ids: Ids

    def __call__(self, actor: Actor, call: CompletedCall) -> TaskView:
        return self.work.run(lambda work: self._complete_once(work, actor, call))

    def _complete_once(self, work: CallsUnitOfWork, actor: Actor, call: CompletedCall) -> TaskView:
        completion = replace(call.completion, note=clean(call.completion.note or "") or None)
        task = visible_task(work, actor, call.task_id)
        if task.completion == completion:
            return view_of(actor, task, lead_of(work, task))
        task.require_pending()
        require_version(call.expected_version, task.version)
        now = self.clock.now()
        problems = completion_errors(completion, now)
        if problems:
            raise Invalid("The completion breaks a rule.", problems=problems)
        return self._complete(work, actor, task, completion, now)

    def _complete(
        self, work: CallsUnitOfWork, actor: Actor, task: CallTask, completion: Completion, now: datetime
    ) -> TaskView:
        lead = _locked_lead(work, task)
        follow_up = self._follow_up(work, actor, task, completion, now)
        task.complete(completion, now, follow_up_id=follow_up.id if follow_up else None)
        task.mark_updated(now)
        if follow_up is not None:
            work.tasks.add(follow_up)
        entry = store_closed_task(work, self.ids, task, actor, lead)
        work.record(task_completed(self.ids.new(), actor, task, lead, entry))
        if lead is not None:
            self._change_lead_status(work, actor, lead, completion, now)
        if follow_up is not None:
            record_created(work, self.ids, actor, follow_up, lead)
        return view_of(actor, task, lead)

    def _follow_up(
        self, work: CallsUnitOfWork, actor: Actor, task: CallTask, completion: Completion, now: datetime
    ) -> CallTask | None:
        if completion.follow_up_at is None:
            return None
        return CallTask(
            id=self.ids.new(),
            lead_id=task.lead_id,
            assigned_to=if_active(work, task.assigned_to),
            due_at=completion.follow_up_at,
            created_by=actor.author,
            created_at=now,
            updated_at=now,
            follow_up_of=task.id,
        )

    def _change_lead_status(
        self, work: CallsUnitOfWork, actor: Actor, lead: Lead, completion: Completion, now: datetime
    ) -> None:
        status = status_after(lead, completion, now)
        if status is lead.status:
            return
        before = copy(lead)
        lead.move_to(status)
        lead.mark_updated(now)
        work.leads.save(lead)
        work.record(lead_changed(self.ids.new(), now, actor, before, lead))


def _locked_lead(work: CallsUnitOfWork, task: CallTask) -> Lead | None:
    """Return the lead, locked until the transaction ends; None if it was deleted."""
    try:
        return work.leads.get(task.lead_id)
    except NotFound:
        return None
