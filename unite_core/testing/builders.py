"""Builders of test objects: each returns a valid object, and takes changes by name."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

from unite_core.calls import events as call_events
from unite_core.calls.ledger import EntryKind, LedgerEntry, link_to_chain
from unite_core.calls.model import CallOutcome, CallTask, Note
from unite_core.errors import FieldError
from unite_core.events import Event
from unite_core.identity.model import REFRESH_TOKEN_TTL, Actor, Role, Session, User
from unite_core.imports.model import ImportOptions, ImportStatus, LeadImport, LeadSnapshot, Rejection, RowKind
from unite_core.leads.details import TEXTS, LeadDetails, LeadStatus
from unite_core.leads.model import ImageStatus, Lead, LeadImage
from unite_core.phone import Phone
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING, SequentialIds

__all__ = [
    "a_lead",
    "a_note",
    "a_phone",
    "a_rejection",
    "a_session",
    "a_snapshot",
    "a_task",
    "a_user",
    "acting",
    "an_actor",
    "an_entry",
    "an_event",
    "an_event_of",
    "an_id",
    "an_image",
    "an_import",
    "csv_bytes",
    "csv_text",
    "revise",
]

# The ids are a year older than those of the in-memory ports, so that the two never collide.
_ids = SequentialIds(1_740_906_000_000)
_numbers = count(1)


def an_id() -> UUID:
    """Return a unique id, greater than all earlier ones."""
    return _ids.new()


def a_phone() -> Phone:
    """Return a unique phone number."""
    return Phone(f"+1212{2000000 + next(_numbers) % 8000000}")


def an_actor(role: Role = Role.ADMIN, *, user_id: UUID | None = None) -> Actor:
    """Return an actor with a role; no stored user is needed."""
    return Actor(user_id=user_id or an_id(), role=role)


def acting(user: User) -> Actor:
    """Return the actor of the user, as use cases take it."""
    return Actor(user_id=user.id, role=user.role)


def a_user(**changes: Any) -> User:
    """Return an active agent with a unique e-mail address."""
    number = next(_numbers)
    user: dict[str, Any] = {
        "id": an_id(),
        "email": f"user{number}@unite.example",
        "name": f"User {number}",
        "role": Role.AGENT,
        "phone": None,
        "password_hash": "not a hash",
        "active": True,
        "created_at": A_MONDAY_MORNING,
        "updated_at": A_MONDAY_MORNING,
    }
    return User(**{**user, **changes})


def a_session(user: User, **changes: Any) -> Session:
    """Return a live session of the user."""
    session: dict[str, Any] = {
        "id": an_id(),
        "user_id": user.id,
        "current_refresh": f"{next(_numbers):064x}",
        "created_at": A_MONDAY_MORNING,
        "expires_at": A_MONDAY_MORNING + REFRESH_TOKEN_TTL,
    }
    return Session(**{**session, **changes})


def a_lead(**changes: Any) -> Lead:
    """Return a new lead with a unique phone number, without an e-mail address, assigned to nobody."""
    details: dict[str, Any] = {field.name: None for field in TEXTS} | {
        "name": "Grace Hopper",
        "phone": a_phone(),
        "status": LeadStatus.NEW,
        "source": "api",
        "assigned_to": None,
    }
    own = {name: changes.pop(name, value) for name, value in details.items()}
    lead: dict[str, Any] = {
        "id": an_id(),
        "details": LeadDetails(**own),
        "created_at": A_MONDAY_MORNING,
        "updated_at": A_MONDAY_MORNING,
    }
    return Lead(**{**lead, **changes})


def revise(lead: Lead, **changes: Any) -> None:
    """Change only the named details of the lead."""
    lead.restore(replace(lead.details, **changes))


def an_image(lead: Lead, created_by: User, **changes: Any) -> LeadImage:
    """Return a PNG image of the lead that is not uploaded yet."""
    image_id = changes.pop("id", None) or an_id()
    image: dict[str, Any] = {
        "id": image_id,
        "lead_id": lead.id,
        "content_type": "image/png",
        "size": 100,
        "filename": "portrait.png",
        "key": f"images/{lead.id}/{image_id}",
        "status": ImageStatus.AWAITING_UPLOAD,
        "created_by": created_by.id,
        "created_at": A_MONDAY_MORNING,
    }
    return LeadImage(**{**image, **changes})


def a_task(lead: Lead, created_by: User, **changes: Any) -> CallTask:
    """Return a call task for the lead, due in an hour and assigned to nobody."""
    task: dict[str, Any] = {
        "id": an_id(),
        "lead_id": lead.id,
        "assigned_to": None,
        "due_at": A_MONDAY_MORNING + timedelta(hours=1),
        "created_by": created_by.id,
        "created_at": A_MONDAY_MORNING,
        "updated_at": A_MONDAY_MORNING,
    }
    return CallTask(**{**task, **changes})


def a_note(author: User, **changes: Any) -> Note:
    """Return a note by the author on a call task."""
    note: dict[str, Any] = {"id": an_id(), "author": author.id, "text": "Ask for Grace.", "at": A_MONDAY_MORNING}
    return Note(**{**note, **changes})


def an_entry(task: CallTask, chain: Sequence[LedgerEntry] = (), **changes: Any) -> LedgerEntry:
    """Return the next entry of the task's chain: first a call of five minutes, later a correction of the last entry."""
    entry: dict[str, Any] = {
        "id": an_id(),
        "task_id": task.id,
        "number": 1,
        "kind": EntryKind.CORRECTION if chain else EntryKind.COMPLETED,
        "lead_id": task.lead_id,
        "agent_id": task.assigned_to,
        "actor_id": task.assigned_to,
        "at": A_MONDAY_MORNING + timedelta(hours=1),
        "outcome": CallOutcome.CONNECTED,
        "duration_seconds": 300,
        "reason": "It was longer." if chain else None,
        "corrects": chain[-1].id if chain else None,
        "source": "api",
        **changes,
    }
    call = timedelta(seconds=entry["duration_seconds"] or 0)
    entry.setdefault("called_at", entry.get("started_at") or entry["at"] - call)
    entry.setdefault("attempt", 1 if entry["outcome"] else None)
    return link_to_chain(LedgerEntry(**entry), chain)


def an_event_of(entry: LedgerEntry) -> Event:
    """Return the event of that entry of the call ledger."""
    task = a_task(a_lead(id=entry.lead_id), a_user(), id=entry.task_id, assigned_to=entry.agent_id)
    actor = an_actor()
    if entry.kind is EntryKind.CORRECTION:
        return call_events.call_corrected(an_id(), actor, task, None, entry)
    if entry.kind is EntryKind.CANCELLED:
        return call_events.task_cancelled(an_id(), actor, task, None, entry)
    if entry.kind is EntryKind.MISSED:
        return call_events.task_missed(an_id(), task, None, entry)
    return call_events.task_completed(an_id(), actor, task, None, entry)


def an_import(created_by: User, **changes: Any) -> LeadImport:
    """Return a queued import of a file of 1,000 bytes."""
    import_id = changes.pop("id", None) or an_id()
    coming: dict[str, Any] = {
        "id": import_id,
        "filename": "leads.csv",
        "size": 1000,
        "status": ImportStatus.QUEUED,
        "options": ImportOptions(),
        "key": f"imports/{import_id}.csv",
        "created_by": created_by.id,
        "created_at": A_MONDAY_MORNING,
    }
    return LeadImport(**{**coming, **changes})


def a_rejection(row: int, **changes: Any) -> Rejection:
    """Return the rejection of a row without a name."""
    rejection: dict[str, Any] = {
        "row": row,
        "kind": RowKind.REJECTED,
        "problems": (FieldError(field="name", code="required", detail="A lead needs a name."),),
        "cells": ("", "+12122345678"),
    }
    return Rejection(**{**rejection, **changes})


def a_snapshot(of: LeadImport, lead: Lead, **changes: Any) -> LeadSnapshot:
    """Return the snapshot of `lead` before the import updated it for the first time."""
    snapshot: dict[str, Any] = {
        "import_id": of.id,
        "lead_id": lead.id,
        "before": {"name": lead.name},
        "made_by_import": False,
        "version_after": lead.version + 1,
    }
    return LeadSnapshot(**{**snapshot, **changes})


def an_event(**changes: Any) -> Event:
    """Return the event that a unique lead was created, without an actor."""
    event: dict[str, Any] = {
        "id": an_id(),
        "type": "lead.created",
        "at": A_MONDAY_MORNING,
        "lead_ids": (an_id(),),
        "data": {"name": "Grace Hopper", "phone": None},
    }
    return Event(**{**event, **changes})


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str]], *, delimiter: str = ",") -> str:
    """Return a CSV file in the format of RFC 4180."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def csv_bytes(rows: Iterable[Mapping[str, str]], *, header: Sequence[str] = ("Name", "Phone", "Email")) -> bytes:
    """Return a CSV file in UTF-8 of rows that are mappings by header; a cell that a row leaves out is empty."""
    return csv_text(header, ([row.get(column, "") for column in header] for row in rows)).encode()
