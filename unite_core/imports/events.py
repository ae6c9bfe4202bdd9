"""What imports go through and what they do to leads, as others are told of it."""

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
    """A worker has taken the import for the first time."""
    return _of(event_id, STARTED, at, started, {"filename": started.filename, "size": started.size})


def import_finished(event_id: UUID, at: datetime, ended: LeadImport) -> Event:
    """The import has ended: `data` says as what, with its counts, and with the failure where it failed."""
    told = {
        "filename": ended.filename,
        "status": ended.status.value,
        "dry_run": ended.options.dry_run,
        "counts": {"rows": ended.counts.rows, **asdict(ended.counts)},
        "failure": asdict(ended.failure) if ended.failure else None,
        "seconds_worked": round(ended.seconds_worked, 3),
    }
    return _of(event_id, IMPORT_FINISHED, at, ended, told)


def import_undone(event_id: UUID, at: datetime, undone: LeadImport) -> Event:
    """The effects of the import are taken back; `data` counts on how many leads."""
    so_far = undone.undone
    counts = {"removed": so_far.removed, "restored": so_far.restored, "kept": so_far.kept} if so_far else {}
    return _of(event_id, UNDONE, at, undone, {"filename": undone.filename, **counts})


def leads_of_import(event_id: UUID, what: str, at: datetime, by: LeadImport, lead_ids: Sequence[UUID]) -> Event:
    """The import, or its undoing, did the same to all of these leads; `what` is one of the four types."""
    return _of(event_id, what, at, by, {"filename": by.filename}, tuple(lead_ids))


def _of(
    event_id: UUID, what: str, at: datetime, by: LeadImport, data: dict[str, Any], lead_ids: tuple[UUID, ...] = ()
) -> Event:
    return Event(
        id=event_id,
        type=what,
        at=at,
        actor_id=by.created_by,
        correlation_id=by.correlation_id,
        lead_ids=lead_ids,
        import_id=by.id,
        data=data,
    )
