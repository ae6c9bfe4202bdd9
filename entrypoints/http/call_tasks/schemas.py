"""Schemas and JSON of call tasks, notes and completions."""

from typing import Any

from entrypoints.http.framework.fields import (
    Body,
    Choice,
    CommaSeparated,
    Id,
    ListOf,
    ObjectOf,
    Text,
    Timestamp,
    WholeNumber,
)
from entrypoints.http.framework.paging import PageQuery
from entrypoints.http.leads.schemas import Assignee
from unite_core.calls.model import (
    MAX_CALL_SECONDS,
    MAX_NOTE_LENGTH,
    MAX_NOTES,
    MAX_REASON_LENGTH,
    CallOutcome,
    CallTask,
    Note,
    TaskStatus,
)
from unite_core.calls.ports import MAX_NOTES_IN_LISTS
from unite_core.calls.queries import TaskView
from unite_core.leads.details import MAX_NAME_LENGTH
from unite_core.leads.model import Lead
from unite_core.phone import MAX_EXTENSION_LENGTH, MAX_PHONE_LENGTH

NOTE = {"minLength": 1, "maxLength": MAX_NOTE_LENGTH}
DURATION = {"minimum": 0, "maximum": MAX_CALL_SECONDS, "description": "Seconds; 0 if nobody answered."}
REASON = {"maxLength": MAX_REASON_LENGTH}

CALL_TASK_EXAMPLE: dict[str, Any] = {
    "id": "01990f40-1a2b-7c3d-8e4f-5a6b7c8d9e0f",
    "lead_id": "01990f3e-9b5c-7d2e-8f3a-1b2c3d4e5f60",
    "lead": {"name": "Grace Hopper", "phone": "+12125550123", "phone_extension": None},
    "assigned_to": "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f",
    "status": "pending",
    "due_at": "2026-02-02T15:00:00Z",
    "notes": [
        {
            "id": "01990f40-2b3c-7d4e-9f50-6b7c8d9e0f1a",
            "author": "01990f3e-7c3a-7b0c-8d1e-9f0a1b2c3d4e",
            "text": "She asked for a demonstration.",
            "at": "2026-01-31T09:30:00.123456Z",
        }
    ],
    "outcome": None,
    "duration_seconds": None,
    "started_at": None,
    "completion_note": None,
    "follow_up_at": None,
    "completed_at": None,
    "closed_at": None,
    "cancel_reason": None,
    "follow_up_of": None,
    "follow_up_task_id": None,
    "created_by": "01990f3e-7c3a-7b0c-8d1e-9f0a1b2c3d4e",
    "created_at": "2026-01-31T09:30:00.123456Z",
    "updated_at": "2026-01-31T09:30:00.123456Z",
    "version": 1,
}
COMPLETED_EXAMPLE = CALL_TASK_EXAMPLE | {
    "status": "completed",
    "outcome": "callback_requested",
    "duration_seconds": 312,
    "started_at": "2026-02-02T15:01:00Z",
    "completion_note": "Call again on Friday.",
    "follow_up_at": "2026-02-06T15:00:00Z",
    "completed_at": "2026-02-02T15:06:40.5Z",
    "closed_at": "2026-02-02T15:06:40.5Z",
    "follow_up_task_id": "01990f40-3c4d-7e5f-8061-7c8d9e0f1a2b",
    "updated_at": "2026-02-02T15:06:40.5Z",
    "version": 2,
}
CANCELLED_EXAMPLE = CALL_TASK_EXAMPLE | {
    "status": "cancelled",
    "closed_at": "2026-02-01T08:00:00Z",
    "cancel_reason": "She bought elsewhere.",
    "updated_at": "2026-02-01T08:00:00Z",
    "version": 2,
}
NEW_CALL_TASK_EXAMPLE = {
    "lead_id": CALL_TASK_EXAMPLE["lead_id"],
    "assigned_to": CALL_TASK_EXAMPLE["assigned_to"],
    "due_at": "2026-02-02T15:00:00Z",
    "note": "She asked for a demonstration.",
}
COMPLETION_EXAMPLE = {
    "outcome": "callback_requested",
    "duration_seconds": 312,
    "started_at": "2026-02-02T15:01:00Z",
    "note": "Call again on Friday.",
    "follow_up_at": "2026-02-06T15:00:00Z",
}


class LeadToCallSchema(Body):
    """The lead to call: what a caller needs."""

    name = Text(required=True, metadata={"minLength": 1, "maxLength": MAX_NAME_LENGTH})
    phone = Text(required=True, allow_none=True, metadata={"maxLength": MAX_PHONE_LENGTH, "description": "E.164"})
    phone_extension = Text(
        required=True, allow_none=True, metadata={"maxLength": MAX_EXTENSION_LENGTH, "pattern": "^[0-9]+$"}
    )


class NoteSchema(Body):
    """A note on a call task."""

    id = Id(required=True)
    author = Id(required=True)
    text = Text(required=True, metadata=NOTE)
    at = Timestamp(required=True)


class CallTaskSchema(Body):
    """A call task and, once it is closed, its outcome."""

    id = Id(required=True)
    lead_id = Id(required=True)
    lead = ObjectOf(
        LeadToCallSchema,
        required=True,
        allow_none=True,
        metadata={
            "description": "The lead to call, with its current data. It is null if the lead was deleted, and on a "
            "closed task for an agent who is not assigned to the lead."
        },
    )
    assigned_to = Id(required=True, allow_none=True, metadata={"description": "The user who is to call."})
    status = Choice(TaskStatus, required=True)
    due_at = Timestamp(required=True)
    notes = ListOf(
        NoteSchema,
        required=True,
        metadata={
            "maxItems": MAX_NOTES,
            "description": f"Oldest first; a list of tasks shows only the latest {MAX_NOTES_IN_LISTS}.",
        },
    )
    outcome = Choice(CallOutcome, required=True, allow_none=True)
    duration_seconds = WholeNumber(required=True, allow_none=True, metadata=DURATION)
    started_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When the call began, if it is known."}
    )
    completion_note = Text(required=True, allow_none=True, metadata=NOTE)
    follow_up_at = Timestamp(required=True, allow_none=True, metadata={"description": "When the next call is due."})
    completed_at = Timestamp(required=True, allow_none=True)
    closed_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it was completed, missed or cancelled."}
    )
    cancel_reason = Text(required=True, allow_none=True, metadata=REASON)
    follow_up_of = Id(
        required=True, allow_none=True, metadata={"description": "The task whose completion created this one."}
    )
    follow_up_task_id = Id(
        required=True, allow_none=True, metadata={"description": "The task that the completion of this one created."}
    )
    created_by = Id(required=True)
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)
    version = WholeNumber(required=True, minimum=1)


def call_task_json(view: TaskView) -> dict[str, Any]:
    """Return a call task as `CallTaskSchema` shows it."""
    task = view.task
    return {
        "id": task.id,
        "lead_id": task.lead_id,
        "lead": None if view.lead is None else _lead_json(view.lead),
        "assigned_to": task.assigned_to,
        "status": task.status,
        "due_at": task.due_at,
        "notes": list(map(_note_json, task.notes)),
        **_completion_json(task),
        "closed_at": task.closed_at,
        "cancel_reason": task.cancel_reason,
        "follow_up_of": task.follow_up_of,
        "follow_up_task_id": task.follow_up_id,
        "created_by": task.created_by,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "version": task.version,
    }


def _lead_json(lead: Lead) -> dict[str, Any]:
    phone = lead.phone
    return {
        "name": lead.name,
        "phone": phone.number if phone else None,
        "phone_extension": phone.extension if phone else None,
    }


def _note_json(note: Note) -> dict[str, Any]:
    return {"id": note.id, "author": note.author, "text": note.text, "at": note.at}


def _completion_json(task: CallTask) -> dict[str, Any]:
    completion = task.completion
    return {
        "outcome": completion.outcome if completion else None,
        "duration_seconds": completion.duration_seconds if completion else None,
        "started_at": completion.started_at if completion else None,
        "completion_note": completion.note if completion else None,
        "follow_up_at": completion.follow_up_at if completion else None,
        "completed_at": task.closed_at if completion else None,
    }


class CallTaskPageSchema(Body):
    """A page of call tasks."""

    items = ListOf(CallTaskSchema, required=True)
    next_cursor = Text(required=True, allow_none=True)


class CallTaskQuery(PageQuery):
    """The filters of the list of call tasks; a task must match all of them."""

    status = CommaSeparated(Choice(TaskStatus), metadata={"description": "One or several, separated by commas."})
    assigned_to = CommaSeparated(
        Assignee(),
        metadata={"description": "Ids of users, separated by commas; `none` stands for unassigned tasks."},
    )
    lead_id = Id()
    due_from = Timestamp(metadata={"description": "Due at or after this time; RFC 3339 with an offset."})
    due_to = Timestamp(metadata={"description": "Due before this time."})


class NewCallTaskSchema(Body):
    """The data of a new call task."""

    lead_id = Id(required=True)
    assigned_to = Id(
        allow_none=True,
        metadata={"description": "The user who is to call; if left out or null, the user assigned to the lead."},
    )
    due_at = Timestamp(required=True, metadata={"description": "RFC 3339 with an offset; it may be in the past."})
    note = Text(allow_none=True, metadata=NOTE)


class AssignmentSchema(Body):
    """The new assignee of a call task."""

    assigned_to = Id(required=True)


class NewNoteSchema(Body):
    """A new note."""

    text = Text(required=True, metadata={**NOTE, "description": "It may have several paragraphs."})


class CancellationSchema(Body):
    """The reason for a cancellation."""

    reason = Text(allow_none=True, metadata={**REASON, "description": "In one line."})


class CompletionSchema(Body):
    """The outcome of a call. A completion that is sent twice with the same content counts once."""

    outcome = Choice(CallOutcome, required=True)
    duration_seconds = WholeNumber(required=True, metadata=DURATION)
    started_at = Timestamp(allow_none=True, metadata={"description": "When the call began; not in the future."})
    note = Text(allow_none=True, metadata=NOTE)
    follow_up_at = Timestamp(
        allow_none=True,
        metadata={
            "description": "When to call again, in the future; it creates a call task. `callback_requested` requires "
            "it, and any other outcome may have it."
        },
    )
