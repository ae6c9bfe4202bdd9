"""Use cases: create a call task, assign it, add a note to it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from unite_core.calls.events import task_assigned, task_created, task_noted
from unite_core.calls.model import CallTask, Note, note_error
from unite_core.calls.ports import CallsUnitOfWork
from unite_core.calls.queries import TaskView, lead_of, view_of, visible_task
from unite_core.checks import Input, UseCase
from unite_core.clock import Clock
from unite_core.errors import Conflict, FieldError, Forbidden, Invalid
from unite_core.identity.model import Actor, Permission
from unite_core.ids import Ids
from unite_core.leads.model import Lead
from unite_core.leads.queries import visible_lead
from unite_core.leads.use_cases import assignee_error
from unite_core.quotas import Quotas, enforce_quota
from unite_core.text import clean
from unite_core.unit_of_work import UnitOfWorkFactory
from unite_core.versions import require_version


@dataclass(frozen=True, kw_only=True)
class NewCallTask(Input):
    """A call task to be created; `assigned_to` None means the lead's owner, `due_at` may lie in the past."""

    lead_id: UUID
    due_at: datetime
    assigned_to: UUID | None = None
    note: str | None = None


@dataclass(frozen=True)
class CreateCallTask(UseCase):
    """Create a call task.

    Admins and managers create tasks for any lead and any active user; agents create them for the leads assigned to
    them, and for themselves. Without `assigned_to` it is assigned to the user to whom the lead is assigned, if they
    are active, else to nobody. A note has up to 2,000 characters; a blank one is none. The number of pending tasks per
    lead is limited.

    Raises `NotFound`, `Forbidden`, `Invalid` and `Conflict` (`too_many_call_tasks`).
    """

    permission: ClassVar[Permission | None] = None
    work: UnitOfWorkFactory[CallsUnitOfWork]
    clock: Clock
    ids: Ids
    quotas: Quotas = field(default_factory=Quotas)

    def __call__(self, actor: Actor, new: NewCallTask) -> TaskView:
        return self.work.run(lambda work: self._create(work, actor, new))

    def _create(self, work: CallsUnitOfWork, actor: Actor, new: NewCallTask) -> TaskView:
        text = clean(new.note or "")
        lead = visible_lead(work, actor, new.lead_id)
        if not actor.may(Permission.ASSIGN_CALLS) and new.assigned_to not in (None, actor.user_id):
            raise Forbidden("What an agent creates is assigned to that agent; leave assigned_to out.")
        problem = note_error("note", text) if text else None
        if problem is not None:
            raise Invalid("The call task breaks a rule.", problems=[problem])
        self._require_room(work, lead)
        now = self.clock.now()
        task = CallTask(
            id=self.ids.new(),
            lead_id=lead.id,
            assigned_to=_assignee(work, lead, new.assigned_to),
            due_at=new.due_at,
            created_by=actor.author,
            created_at=now,
            updated_at=now,
        )
        if text:
            task.note(Note(id=self.ids.new(), author=actor.author, text=text, at=now))
        work.tasks.add(task)
        record_created(work, self.ids, actor, task, lead)
        return view_of(actor, task, lead)

    def _require_room(self, work: CallsUnitOfWork, lead: Lead) -> None:
        # The lead is locked: no other unit of work adds a task meanwhile.
        limit = self.quotas.pending_tasks_per_lead
        if work.tasks.count_pending(lead.id, limit=limit) >= limit:
            raise Conflict(
                f"A lead has at most {limit} pending call tasks; complete or cancel one first.",
                code="too_many_call_tasks",
            )


@dataclass(frozen=True, kw_only=True)
class Assignment(Input):
    """The user to whom a call task is to be assigned, and the version that the caller saw, if they give it."""

    task_id: UUID
    assigned_to: UUID
    expected_version: int | None = None


@dataclass(frozen=True)
class AssignCallTask(UseCase):
    """Assign a pending call task to an active user, who is notified. Admins and managers only.

    If it is assigned to that user already, nothing changes.

    Raises `NotFound`, `Forbidden`, `PreconditionFailed`, `Conflict` (`task_closed`) and `Invalid`.
    """

    permission: ClassVar[Permission] = Permission.ASSIGN_CALLS
    work: UnitOfWorkFactory[CallsUnitOfWork]
    clock: Clock
    ids: Ids

    def __call__(self, actor: Actor, assignment: Assignment) -> TaskView:
        return self.work.run(lambda work: self._assign(work, actor, assignment))

    def _assign(self, work: CallsUnitOfWork, actor: Actor, assignment: Assignment) -> TaskView:
        task = visible_task(work, actor, assignment.task_id)
        actor.must(self.permission)
        require_version(assignment.expected_version, task.version)
        lead = lead_of(work, task)
        if task.assigned_to == assignment.assigned_to:
            return view_of(actor, task, lead)
        task.assign(assignment.assigned_to)
        problem = assignee_error(work, assignment.assigned_to, "assigned_to")
        if problem is not None:
            raise _not_assignable(problem)
        now = self.clock.now()
        task.mark_updated(now)
        work.tasks.save(task)
        work.record(task_assigned(self.ids.new(), now, actor, task, lead))
        return view_of(actor, task, lead)


@dataclass(frozen=True, kw_only=True)
class NewNote(Input):
    """A note to be added to a call task, and the version that the caller saw, if they give it."""

    task_id: UUID
    text: str
    expected_version: int | None = None


@dataclass(frozen=True)
class AddCallTaskNote(UseCase):
    """Add a note to a call task. Every user who sees the task may, also when it is closed.

    A note has 1 to 2,000 characters and is never changed; a task has up to 200. The number of notes per user and
    hour is limited.

    Raises `NotFound`, `PreconditionFailed`, `Invalid`, `Conflict` (`too_many_notes`) and `TooManyRequests`
    (`quota_exceeded`).
    """

    permission: ClassVar[Permission | None] = None
    work: UnitOfWorkFactory[CallsUnitOfWork]
    clock: Clock
    ids: Ids
    quotas: Quotas = field(default_factory=Quotas)

    def __call__(self, actor: Actor, new: NewNote) -> TaskView:
        return self.work.run(lambda work: self._note(work, actor, new))

    def _note(self, work: CallsUnitOfWork, actor: Actor, new: NewNote) -> TaskView:
        text = clean(new.text)
        task = visible_task(work, actor, new.task_id)
        require_version(new.expected_version, task.version)
        problem = note_error("text", text)
        if problem is not None:
            raise Invalid("The note breaks a rule.", problems=[problem])
        now = self.clock.now()
        note = Note(id=self.ids.new(), author=actor.author, text=text, at=now)
        task.note(note)
        task.mark_updated(now)
        work.tasks.save(task)
        enforce_quota(
            work.usage,
            f"notes of {actor.user_id}",
            note.id,
            limit=self.quotas.notes_per_hour,
            now=now,
            what="notes of one user",
        )
        lead = lead_of(work, task)
        work.record(task_noted(self.ids.new(), now, actor, task, lead, note))
        return view_of(actor, task, lead)


def record_created(work: CallsUnitOfWork, ids: Ids, actor: Actor, task: CallTask, lead: Lead | None) -> None:
    """Record the events that there is a new task, and to whom it is assigned."""
    work.record(task_created(ids.new(), task.created_at, actor, task, lead))
    if task.assigned_to is not None:
        work.record(task_assigned(ids.new(), task.created_at, actor, task, lead))


def if_active(work: CallsUnitOfWork, user_id: UUID | None) -> UUID | None:
    """Return the user if they exist and are active, else None."""
    if user_id is None or assignee_error(work, user_id, "assigned_to") is not None:
        return None
    return user_id


def _assignee(work: CallsUnitOfWork, lead: Lead, requested: UUID | None) -> UUID | None:
    if requested is None:
        return if_active(work, lead.assigned_to)
    problem = assignee_error(work, requested, "assigned_to")
    if problem is not None:
        raise _not_assignable(problem)
    return requested


def _not_assignable(problem: FieldError) -> Invalid:
    return Invalid("A call task is assigned to an active user.", problems=[problem])
