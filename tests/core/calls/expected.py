"""An independent simple implementation of the rules of calls, to compare results with (an oracle)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from unite_core import (
    Actor,
    CallOutcome,
    Completion,
    Conflict,
    EntryKind,
    Forbidden,
    Invalid,
    LeadStatus,
    NotFound,
    PreconditionFailed,
    Role,
    TaskStatus,
)

PENDING = TaskStatus.PENDING
Refusal = type[Exception] | None

MOVES = {
    CallOutcome.CONNECTED: {LeadStatus.NEW: LeadStatus.CONTACTED},
    CallOutcome.CALLBACK_REQUESTED: {LeadStatus.NEW: LeadStatus.CONTACTED},
    CallOutcome.CONVERTED: dict.fromkeys(LeadStatus, LeadStatus.CONVERTED),
    CallOutcome.NOT_INTERESTED: dict.fromkeys(set(LeadStatus) - {LeadStatus.CONVERTED}, LeadStatus.LOST),
}
"""Outcome -> old status of the lead -> new status."""


@dataclass
class ExpectedLead:
    """The expected state of a lead."""

    id: UUID
    owner: UUID | None
    status: LeadStatus = LeadStatus.NEW
    chosen_at: datetime | None = None
    deleted: bool = False
    version: int = 1


@dataclass
class ExpectedTask:
    """The expected state of a call task. `said` is the last correction: the wrong entry, and the right values."""

    id: UUID
    lead: ExpectedLead
    assigned_to: UUID | None
    due_at: datetime
    status: TaskStatus = PENDING
    notes: list[str] = field(default_factory=list)
    completion: Completion | None = None
    reason: str | None = None
    agent: UUID | None = None
    entries: list[EntryKind] = field(default_factory=list)
    said: tuple[UUID, CallOutcome] | None = None
    version: int = 1


@dataclass
class ExpectedState:
    """The expected leads, tasks, events so far (type, and id of the task or lead), and active users."""

    active: set[UUID]
    leads: list[ExpectedLead] = field(default_factory=list)
    tasks: list[ExpectedTask] = field(default_factory=list)
    events: list[tuple[str, UUID]] = field(default_factory=list)

    def create_lead(self, lead_id: UUID, owner: UUID | None) -> ExpectedLead:
        lead = ExpectedLead(lead_id, owner)
        self.leads.append(lead)
        self.events.append(("lead.created", lead_id))
        return lead

    def choose(self, lead: ExpectedLead, status: LeadStatus, now: datetime) -> None:
        if status is not lead.status:
            lead.chosen_at = now
            self._move(lead, status)

    def delete(self, lead: ExpectedLead) -> None:
        lead.deleted = True
        lead.version += 1
        self.events.append(("lead.deleted", lead.id))
        for task in self.tasks:
            if task.lead is lead and task.status is PENDING:
                self.cancel(task, "The lead was deleted.")

    def add_task(self, task_id: UUID, lead: ExpectedLead, assigned_to: UUID | None, due_at: datetime) -> ExpectedTask:
        task = ExpectedTask(task_id, lead, assigned_to, due_at)
        self.tasks.append(task)
        self.events.append(("call_task.created", task_id))
        if assigned_to is not None:
            self.events.append(("call_task.assigned", task_id))
        return task

    def assign(self, task: ExpectedTask, to: UUID) -> None:
        task.assigned_to = to
        task.version += 1
        self.events.append(("call_task.assigned", task.id))

    def note(self, task: ExpectedTask, text: str) -> None:
        task.notes.append(text.strip())
        task.version += 1
        self.events.append(("call_task.noted", task.id))

    def complete(
        self, task: ExpectedTask, who: UUID, completion: Completion, follow_up_id: UUID | None, now: datetime
    ) -> ExpectedTask | None:
        """Close the task, change the status of the lead, and return the follow-up task, if any."""
        task.completion = completion
        task.agent = task.assigned_to or who
        self._close(task, TaskStatus.COMPLETED)
        status = MOVES.get(completion.outcome, {}).get(task.lead.status, task.lead.status)
        began = completion.started_at or now - timedelta(seconds=completion.duration_seconds)
        kept = task.lead.chosen_at is not None and task.lead.chosen_at > began
        if status is not task.lead.status and not kept:
            self._move(task.lead, status)
        if follow_up_id is None or completion.follow_up_at is None:
            return None
        agent = task.assigned_to if task.assigned_to in self.active else None
        return self.add_task(follow_up_id, task.lead, agent, completion.follow_up_at)

    def cancel(self, task: ExpectedTask, reason: str | None) -> None:
        task.reason = reason
        task.agent = task.assigned_to
        self._close(task, TaskStatus.CANCELLED)

    def miss(self, before: datetime) -> int:
        """Close all pending tasks that were due before the moment; return their number."""
        late = [task for task in self.tasks if task.status is PENDING and task.due_at < before]
        for task in sorted(late, key=lambda task: (task.due_at, task.id)):
            task.agent = task.assigned_to
            self._close(task, TaskStatus.MISSED)
        return len(late)

    def correct(self, task: ExpectedTask, wrong: UUID, outcome: CallOutcome) -> None:
        task.entries.append(EntryKind.CORRECTION)
        task.said = (wrong, outcome)
        self.events.append(("call_log.corrected", task.id))

    def _close(self, task: ExpectedTask, status: TaskStatus) -> None:
        task.status = status
        task.entries = [EntryKind(status)]
        task.version += 1
        self.events.append((f"call_task.{status}", task.id))

    def _move(self, lead: ExpectedLead, status: LeadStatus) -> None:
        lead.status = status
        lead.version += 1
        self.events.append(("lead.changed", lead.id))


def cannot_create(book: ExpectedState, lead: ExpectedLead, who: Actor, to: UUID | None) -> Refusal:
    agent = who.role is Role.AGENT
    if lead.deleted or (agent and lead.owner != who.user_id):
        return NotFound
    if agent and to not in (None, who.user_id):
        return Forbidden
    return Invalid if to is not None and to not in book.active else None


def cannot_see(task: ExpectedTask, who: Actor) -> Refusal:
    return NotFound if who.role is Role.AGENT and task.assigned_to != who.user_id else None


def cannot_manage(task: ExpectedTask, who: Actor) -> Refusal:
    return cannot_see(task, who) or (Forbidden if who.role is Role.AGENT else None)


def has_passed(task: ExpectedTask, version: int | None) -> Refusal:
    return PreconditionFailed if version not in (None, task.version) else None


def is_closed(task: ExpectedTask) -> Refusal:
    return Conflict if task.status is not PENDING else None


def cannot_be(completion: Completion, now: datetime) -> Refusal:
    soon = completion.follow_up_at is None or completion.follow_up_at > now
    asked = completion.outcome is not CallOutcome.CALLBACK_REQUESTED or completion.follow_up_at is not None
    return None if completion.duration_seconds >= 0 and soon and asked else Invalid
