"""Events of imports, and of the leads that they change."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from unite_core.events import Event
from unite_core.imports.model import LeadImport
from unite_core.notifications.audience import IMPORT_FINISHED

STARTED = "import.started"
UNDONE = "import.undone"
LEADS_CREATED = "lead.imported"
LEADS_UPDATED = "lead.updated_by_import"
LEADS_REMOVED = "lead.removed_by_undo"
LEADS_RESTORED = "lead.restored_by_undo"


def import_started(event_id: UUID, at: datetime, started: LeadImport) -> Event:
    """Return the event that a worker took the import for the first time."""
    return _event(event_id, STARTED, at, started, {"filename": started.filename, "size": started.size})


def import_finished(event_id: UUID, at: datetime, ended: LeadImport) -> Event:
    """Return the event that the import ended: with its status, its counts, and its failure if it failed."""
    data = {
        "filename": ended.filename,
        "status": ended.status.value,
        "dry_run": ended.options.dry_run,
        "counts": {"rows": ended.counts.rows, **asdict(ended.counts)},
        "failure": asdict(ended.failure) if ended.failure else None,
        "seconds_worked": round(ended.seconds_worked, 3),
    }
    return _event(event_id, IMPORT_FINISHED, at, ended, data)


def import_undone(event_id: UUID, at: datetime, undone: LeadImport) -> Event:
    """Return the event that the effects of the import were undone, with the number of leads."""
    so_far = undone.undone
    counts = {"removed": so_far.removed, "restored": so_far.restored, "kept": so_far.kept} if so_far else {}
    return _event(event_id, UNDONE, at, undone, {"filename": undone.filename, **counts})


def leads_of_import(event_id: UUID, what: str, at: datetime, by: LeadImport, lead_ids: Sequence[UUID]) -> Event:
    """Return the event that an import, or its undo, changed all of these leads; `what` is one of the four types."""
    return _event(event_id, what, at, by, {"filename": by.filename}, tuple(lead_ids))


def _event(
    event_id: UUID,
    event_type: str,
    at: datetime,
    by: LeadImport,
    data: dict[str, Any],
    lead_ids: tuple[UUID, ...] = (),
) -> Event:
    return Event(
        id=event_id,
        type=event_type,
        at=at,
        actor_id=by.created_by,
        correlation_id=by.correlation_id,
        lead_ids=lead_ids,
        import_id=by.id,
        data=data,
    )
