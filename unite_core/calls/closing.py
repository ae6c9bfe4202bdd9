"""Steps that close a call task: store it, count its call, append to the ledger; cancel the tasks of a deleted lead."""

from dataclasses import dataclass, replace
from datetime import datetime

from unite_core.calls.events import task_cancelled
from unite_core.calls.ledger import LedgerEntry, closing_entry, link_to_chain
from unite_core.calls.model import CallTask
from unite_core.calls.ports import CallsUnitOfWork
from unite_core.identity.model import Actor
from unite_core.ids import Ids
from unite_core.leads.model import Lead

LEAD_DELETED = "The lead was deleted."


def append_to_chain(work: CallsUnitOfWork, entry: LedgerEntry) -> LedgerEntry:
    """Append the entry to the chain of its task, which is locked; return the entry as it was appended."""
    linked = link_to_chain(entry, work.ledger.chains([entry.task_id]).get(entry.task_id, ()))
    work.ledger.append(linked)
    return linked


def store_closed_task(
    work: CallsUnitOfWork, ids: Ids, task: CallTask, actor: Actor | None, lead: Lead | None
) -> LedgerEntry:
    """Store a task that was closed by the actor, or by the schedule, and its entry."""
    work.tasks.save(task)
    entry = closing_entry(ids.new(), task, actor.stored_id if actor else None, source=lead.source if lead else None)
    return append_to_chain(work, count_call(work, entry))


def count_call(work: CallsUnitOfWork, entry: LedgerEntry) -> LedgerEntry:
    """Count the call, if there was one, among those made to its lead; return the entry with the number of the call."""
    if entry.outcome is None:
        return entry
    return replace(entry, attempt=work.lead_calls.add(entry.lead_id, entry.outcome, entry.called_at))


def cancel(
    work: CallsUnitOfWork,
    ids: Ids,
    actor: Actor | None,
    task: CallTask,
    lead: Lead | None,
    reason: str | None,
    now: datetime,
) -> None:
    """Cancel a pending task; the actor is None if a schedule does it. Raise `Conflict` (`task_closed`)."""
    task.cancel(reason, now)
    task.mark_updated(now)
    entry = store_closed_task(work, ids, task, actor, lead)
    work.record(task_cancelled(ids.new(), actor, task, lead, entry))


@dataclass(frozen=True)
class CancelCallsOfLead:
    """Cancels the pending call tasks of a lead when the lead is deleted."""

    ids: Ids

    def __call__(self, work: CallsUnitOfWork, actor: Actor, lead: Lead, now: datetime) -> None:
        for task in work.tasks.lock_pending_of_lead(lead.id):
            cancel(work, self.ids, actor, task, lead, LEAD_DELETED, now)
