"""Conversion of leads to plain values (those of JSON) and back."""

import hashlib
import json
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from unite_core.leads.details import TEXTS, LeadDetails, LeadStatus
from unite_core.leads.model import Lead
from unite_core.leads.ports import LeadFilter
from unite_core.paging import Page, PageRequest, Position
from unite_core.phone import Phone


def own_fields(details: LeadDetails) -> dict[str, Any]:
    """Return the details of a lead as plain values, which `details_of` takes."""
    return {
        "phone": details.phone.number if details.phone else None,
        "phone_extension": details.phone.extension if details.phone else None,
        "status": details.status.value,
        "assigned_to": str(details.assigned_to) if details.assigned_to else None,
        **details.texts,
    }


def details_of(own: dict[str, Any], otherwise: LeadDetails) -> LeadDetails:
    """Return the details from the result of `own_fields`; texts that it does not have come from `otherwise`."""
    return LeadDetails.of(
        {name: own.get(name, value) for name, value in otherwise.texts.items()},
        phone=Phone(own["phone"], own["phone_extension"]) if own["phone"] else None,
        status=LeadStatus(own["status"]),
        assigned_to=_id(own["assigned_to"]),
    )


def to_plain(lead: Lead) -> dict[str, Any]:
    """Return a lead that is not deleted as text, numbers and None."""
    return {
        "id": str(lead.id),
        **lead.details.texts,
        "phone": [lead.phone.number, lead.phone.extension] if lead.phone else None,
        "status": lead.status.value,
        "assigned_to": str(lead.assigned_to) if lead.assigned_to else None,
        "created_at": lead.created_at.isoformat(),
        "updated_at": lead.updated_at.isoformat(),
        "created_by": str(lead.created_by) if lead.created_by else None,
        "import_id": str(lead.import_id) if lead.import_id else None,
        "import_row": lead.import_row,
        "status_chosen_at": lead.status_chosen_at.isoformat() if lead.status_chosen_at else None,
        "version": lead.version,
    }


def from_plain(plain: dict[str, Any]) -> Lead:
    """Return the lead from the result of `to_plain`."""
    return Lead(
        id=UUID(plain["id"]),
        details=LeadDetails.of(
            {field.name: plain[field.name] for field in TEXTS},
            phone=Phone(*plain["phone"]) if plain["phone"] else None,
            status=LeadStatus(plain["status"]),
            assigned_to=_id(plain["assigned_to"]),
        ),
        created_at=datetime.fromisoformat(plain["created_at"]),
        updated_at=datetime.fromisoformat(plain["updated_at"]),
        created_by=_id(plain["created_by"]),
        import_id=_id(plain["import_id"]),
        import_row=plain["import_row"],
        status_chosen_at=_moment(plain.get("status_chosen_at")),
        version=plain["version"],
    )


def page_to_plain(page: Page[Lead]) -> dict[str, Any]:
    """Return a page of leads as plain values."""
    after = page.next
    return {
        "items": [to_plain(lead) for lead in page.items],
        "next": [after.at.isoformat(), str(after.id)] if after else None,
    }


def page_from_plain(plain: dict[str, Any]) -> Page[Lead]:
    """Return the page from the result of `page_to_plain`."""
    after = plain["next"]
    return Page(
        [from_plain(lead) for lead in plain["items"]],
        Position(datetime.fromisoformat(after[0]), UUID(after[1])) if after else None,
    )


def page_digest(filters: LeadFilter, request: PageRequest) -> str:
    """Return a hash that is the same only for the same filters and page request (SHA-256, hexadecimal)."""
    asked = [_plain(getattr(part, field.name)) for part in (filters, request) for field in fields(part)]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _plain(condition: object) -> object:
    if isinstance(condition, frozenset):
        return sorted(str(each) for each in condition)
    if isinstance(condition, Position):
        return [condition.at.isoformat(), str(condition.id)]
    return str(condition) if isinstance(condition, (datetime, timedelta, UUID)) else condition


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None
