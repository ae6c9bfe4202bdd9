"""The events of leads."""

from datetime import datetime
from typing import Any
from uuid import UUID

from unite_core.events import Event
from unite_core.identity.model import Actor
from unite_core.leads.model import Lead, LeadImage
from unite_core.leads.serialization import own_fields

CREATED = "lead.created"
CHANGED = "lead.changed"
DELETED = "lead.deleted"
IMAGE_ADDED = "lead.image_added"
IMAGE_DELETED = "lead.image_deleted"

LEAD_EVENTS = frozenset({CREATED, CHANGED, DELETED, IMAGE_ADDED, IMAGE_DELETED})
"""The events that concern only one lead: every user who may see the lead may see them."""


def lead_created(event_id: UUID, at: datetime, actor: Actor, lead: Lead) -> Event:
    """Return the event that the lead was created; `data` holds its details at that time."""
    return _of(event_id, CREATED, at, actor, lead.id, own_fields(lead.details))


def lead_changed(event_id: UUID, at: datetime, actor: Actor, before: Lead, after: Lead) -> Event:
    """Return the event that the lead was changed; `data` holds each field that is different, as `from` and `to`."""
    was, is_now = own_fields(before.details), own_fields(after.details)
    changes = {field: {"from": was[field], "to": is_now[field]} for field in was if was[field] != is_now[field]}
    return _of(event_id, CHANGED, at, actor, after.id, changes)


def lead_deleted(event_id: UUID, at: datetime, actor: Actor, lead: Lead) -> Event:
    """Return the event that the lead was deleted."""
    return _of(event_id, DELETED, at, actor, lead.id, {})


def image_added(event_id: UUID, at: datetime, actor: Actor, image: LeadImage) -> Event:
    """Return the event that a picture of the lead was uploaded and checked."""
    return _of(event_id, IMAGE_ADDED, at, actor, image.lead_id, _image(image))


def image_deleted(event_id: UUID, at: datetime, actor: Actor, image: LeadImage) -> Event:
    """Return the event that a picture of the lead was deleted."""
    return _of(event_id, IMAGE_DELETED, at, actor, image.lead_id, _image(image))


def _of(event_id: UUID, what: str, at: datetime, actor: Actor, lead_id: UUID, data: dict[str, Any]) -> Event:
    return Event(
        id=event_id,
        type=what,
        at=at,
        actor_id=actor.stored_id,
        correlation_id=actor.correlation_id,
        lead_ids=(lead_id,),
        data=data,
    )


def _image(image: LeadImage) -> dict[str, Any]:
    return {"image_id": str(image.id), "filename": image.filename, "content_type": image.content_type}
