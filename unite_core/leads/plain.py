"""A lead in plain values, fit for JSON."""

from typing import Any
from uuid import UUID

from unite_core.leads.model import Lead, LeadStatus
from unite_core.phone import Phone


def own_fields(lead: Lead) -> dict[str, Any]:
    """What people decide about a lead, as `restore` takes it."""
    return {
        "name": lead.name,
        "phone": lead.phone.number if lead.phone else None,
        "phone_extension": lead.phone.extension if lead.phone else None,
        "email": lead.email,
        "status": lead.status.value,
        "source": lead.source,
        "assigned_to": str(lead.assigned_to) if lead.assigned_to else None,
    }


def restore(lead: Lead, before: dict[str, Any]) -> None:
    """Make the lead what it was, as `own_fields` told it."""
    phone = Phone(before["phone"], before["phone_extension"]) if before["phone"] else None
    lead.rename(before["name"])
    lead.reach_under(phone, before["email"])
    lead.move_to(LeadStatus(before["status"]))
    lead.come_from(before["source"])
    lead.assign(UUID(before["assigned_to"]) if before["assigned_to"] else None)
