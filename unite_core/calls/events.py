"""Events of call tasks and of the call log. No event contains a phone number."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallTask, Note
from unite_core.clock import rfc3339
from unite_core.events import Event
from unite_core.identity.model import Actor
from unite_core.leads.model import Lead
from unite_core.notifications.audience import (
    CALL_CORRECTED,
    TASK_ASSIGNED,
    TASK_CANCELLED,
    TASK_COMPLETED,
    TASK_CREATED,
    TASK_MISSED,
)

TASK_NOTED = "call_task.noted"


def task_created(event_id: UUID, at: datetime, actor: Actor, task: CallTask, lead: Lead | None) -> Event:
    """Return the event that a call task was created."""
    return _event(event_id, TASK_CREATED, at, actor, task, lead)


def task_assigned(event_id: UUID, at: datetime, actor: Actor, task: CallTask, lead: Lead | None) -> Event:
    """Return the event that a call task was assigned to a user."""
    return _event(event_id, TASK_ASSIGNED, at, actor, task, lead)


def task_noted(event_id: UUID, at: datetime, actor: Actor, task: CallTask, lead: Lead | None, note: Note) -> Event:
    """Return the event that a note was added to a call task, with the id of the note."""
    return _event(event_id, TASK_NOTED, at, actor, task, lead, {"note_id": str(note.id)})


def task_completed(event_id: UUID, actor: Actor, task: CallTask, lead: Lead | None, entry: LedgerEntry) -> Event:
    """Return the event that a call was made."""
    data = {
        "outcome": entry.outcome.value if entry.outcome else None,
        "duration_seconds": entry.duration_seconds,
        "follow_up_task_id": _text(task.follow_up_id),
        **_entry_data(entry),
    }
    return _event(event_id, TASK_COMPLETED, entry.at, actor, task, lead, data)


def task_cancelled(event_id: UUID, actor: Actor | None, task: CallTask, lead: Lead | None, entry: LedgerEntry) -> Event:
    """Return the event that a call task was cancelled."""
    return _event(event_id, TASK_CANCELLED, entry.at, actor, task, lead, {**_entry_data(entry), "reason": entry.reason})


def task_missed(event_id: UUID, task: CallTask, lead: Lead | None, entry: LedgerEntry) -> Event:
    """Return the event that a call was not made in time."""
    return _event(event_id, TASK_MISSED, entry.at, None, task, lead, {**_entry_data(entry), "reason": entry.reason})


def call_corrected(event_id: UUID, actor: Actor, task: CallTask, lead: Lead | None, entry: LedgerEntry) -> Event:
    """Return the event that an entry of the call log was corrected."""
    data = {**_entry_data(entry), "corrects": _text(entry.corrects)}
    return _event(event_id, CALL_CORRECTED, entry.at, actor, task, lead, data)


def _event(
    event_id: UUID,
    event_type: str,
    at: datetime,
    actor: Actor | None,
    task: CallTask,
    lead: Lead | None,
    more: Mapping[str, Any] | None = None,
) -> Event:
    return Event(
        id=event_id,
        type=event_type,
        at=at,
        actor_id=actor.stored_id if actor else None,
        correlation_id=actor.correlation_id if actor else None,
        lead_ids=(task.lead_id,),
        data={
            "task_id": str(task.id),
            "lead_name": lead.name if lead else None,
            "assigned_to": _text(task.assigned_to),
            "created_by": str(task.created_by),
            "due_at": rfc3339(task.due_at),
            **(more or {}),
        },
    )


def _entry_data(entry: LedgerEntry) -> dict[str, Any]:
    """Return the entry and its hash, a copy of which leaves the database with this event."""
    return {"entry_id": str(entry.id), "entry_hash": entry.hash, "entry": _entry(entry)}


def _entry(entry: LedgerEntry) -> dict[str, Any]:
    """Return the entry without its texts: all that a report needs of it."""
    return {
        "id": str(entry.id),
        "task_id": str(entry.task_id),
        "number": entry.number,
        "kind": entry.kind.value,
        "result": entry.result.value,
        "outcome": entry.outcome.value if entry.outcome else None,
        "agent_id": _text(entry.agent_id),
        "duration_seconds": entry.duration_seconds,
        "called_at": rfc3339(entry.called_at),
        "at": rfc3339(entry.at),
        "source": entry.source,
        "attempt": entry.attempt,
        "corrects": _text(entry.corrects),
        "hash": entry.hash,
    }


def _text(value: UUID | None) -> str | None:
    return str(value) if value is not None else None
