"""Leads and their images in memory."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallOutcome
from unite_core.calls.ports import CallCounts
from unite_core.errors import NotFound, PreconditionFailed
from unite_core.leads.details import FILTERED_TEXTS
from unite_core.leads.model import Duplicate, DuplicateLead, ImageStatus, Lead, LeadImage
from unite_core.leads.ports import (
    LEAD_LISTS,
    ContactMatches,
    LeadFilter,
    LeadImages,
    Leads,
    lead_namespace,
)
from unite_core.leads.search import matches
from unite_core.paging import Page, PageRequest, Position
from unite_core.testing.in_memory.calls import calls_of_lead
from unite_core.testing.in_memory.copies import copied
from unite_core.testing.in_memory.tables import Tables, newest_first
from unite_core.versions import require_version


class InMemoryLeads(Leads):
    """The store of leads. No method returns deleted leads; other leads may have their phone and e-mail.

    The namespaces of the cache that a change affects are added to `changed`.
    """

    def __init__(self, tables: Tables, changed: set[str]) -> None:
        self._changed = changed
        self._leads = tables.leads
        self._phones = tables.phones
        self._emails = tables.emails
        self._calls = tables.lead_calls
        self._ledger = tables.ledger

    def add(self, lead: Lead) -> None:
        self.add_many([lead])

    def add_many(self, leads: Sequence[Lead]) -> None:
        for lead in leads:
            self._refuse_duplicate(lead)
        for lead in leads:
            self._put(lead)
        self._changed.update(LEAD_LISTS)

    def get(self, lead_id: UUID) -> Lead:
        lead = self._leads.get(lead_id)
        if lead is None or lead.deleted_at is not None:
            raise NotFound("There is no such lead.")
        return copied(lead)

    def find(self, lead_ids: Collection[UUID]) -> dict[UUID, Lead]:
        ids = set(lead_ids)
        return {lead.id: copied(lead) for lead in self._living() if lead.id in ids}

    def save(self, lead: Lead) -> None:
        stored = self._leads.get(lead.id)
        if stored is None:
            raise PreconditionFailed("There is no such lead.")
        require_version(lead.version - 1, stored.version)
        if lead.deleted_at is None:
            self._refuse_duplicate(lead)
        if stored.deleted_at is None:
            if stored.phone is not None:
                del self._phones[stored.phone.key]
            if stored.email is not None:
                del self._emails[stored.email]
        self._put(lead)
        self._changed.update((*LEAD_LISTS, lead_namespace(lead.id)))

    def page(self, filters: LeadFilter, request: PageRequest) -> Page[Lead]:
        leads = (
            lead
            for lead in self._living()
            if _meets(lead, filters) and _called(lead, self._calls_of(lead, filters), filters)
        )
        return newest_first(leads, request, lambda lead: Position(lead.created_at, lead.id))

    def matches(self, phone_keys: Collection[str], emails: Collection[str]) -> ContactMatches:
        by_phone = {key: self._phones[key] for key in phone_keys if key in self._phones}
        by_email = {email: self._emails[email] for email in emails if email in self._emails}
        leads = {lead_id: copied(self._leads[lead_id]) for lead_id in {*by_phone.values(), *by_email.values()}}
        return ContactMatches(
            {key: leads[lead_id] for key, lead_id in by_phone.items()},
            {email: leads[lead_id] for email, lead_id in by_email.items()},
        )

    def untouched_of_import(self, import_id: UUID, *, after_row: int, limit: int) -> Sequence[Lead]:
        made = [
            (lead.import_row, lead)
            for lead in self._living()
            if lead.import_id == import_id
            and lead.import_row is not None
            and lead.import_row > after_row
            and lead.version == 1
        ]
        return copied([lead for _, lead in sorted(made, key=lambda it: it[0])[:limit]])

    def _calls_of(self, lead: Lead, filters: LeadFilter) -> CallCounts | None:
        if filters.visible_to is None or not filters.by_calls:
            return self._calls.get(lead.id)
        return calls_of_agent(self._ledger.values(), lead.id, filters.visible_to)

    def _living(self) -> Iterator[Lead]:
        return (lead for lead in self._leads.values() if lead.deleted_at is None)

    def _put(self, lead: Lead) -> None:
        self._leads[lead.id] = copied(lead)
        if lead.deleted_at is None:
            if lead.phone is not None:
                self._phones[lead.phone.key] = lead.id
            if lead.email is not None:
                self._emails[lead.email] = lead.id

    def _refuse_duplicate(self, lead: Lead) -> None:
        holders = {
            "phone": self._phones.get(lead.phone.key) if lead.phone is not None else None,
            "email": self._emails.get(lead.email) if lead.email is not None else None,
        }
        duplicates = [Duplicate(field, other) for field, other in holders.items() if other not in (None, lead.id)]
        if duplicates:
            raise DuplicateLead(tuple(duplicates))


def calls_of_agent(entries: Collection[LedgerEntry], lead_id: UUID, agent_id: UUID) -> CallCounts | None:
    """Return the calls of that agent to the lead; None if there were none."""
    own = [it for it in calls_of_lead(entries, lead_id) if it.agent_id == agent_id]
    if not own:
        return None
    outcomes = Counter(CallOutcome(it.result) for it in own)
    return CallCounts(outcomes=outcomes, first_called_at=min(it.called_at for it in own))


def _called(lead: Lead, calls: CallCounts | None, filters: LeadFilter) -> bool:
    """Return whether the lead, which had these calls, matches the filters by calls."""
    if calls is None:
        return not filters.called and not filters.call_outcomes and filters.called_within is None
    return (
        filters.called is not False
        and (not filters.call_outcomes or bool(calls.outcomes.keys() & filters.call_outcomes))
        and (filters.called_within is None or calls.first_called_at - lead.created_at <= filters.called_within)
    )


class InMemoryLeadImages(LeadImages):
    """The store of the pictures of leads; their bytes are in `Files`."""

    def __init__(self, tables: Tables) -> None:
        self._images = tables.images

    def add(self, image: LeadImage) -> None:
        self._images[image.id] = copied(image)

    def get(self, lead_id: UUID, image_id: UUID) -> LeadImage:
        image = self._images.get(image_id)
        if image is None or image.lead_id != lead_id:
            raise NotFound("The lead has no such image.")
        return copied(image)

    def save(self, image: LeadImage) -> None:
        self._images[image.id] = copied(image)

    def remove(self, image_id: UUID) -> None:
        self._images.pop(image_id, None)

    def page(self, lead_id: UUID, request: PageRequest) -> Page[LeadImage]:
        ready = (it for it in self._images.values() if it.lead_id == lead_id and it.status is ImageStatus.READY)
        return newest_first(ready, request, lambda image: Position(image.created_at, image.id))

    def leads_with_images(self, lead_ids: Collection[UUID]) -> set[UUID]:
        return {image.lead_id for image in self._images.values()} & set(lead_ids)

    def count_of_lead(self, lead_id: UUID) -> int:
        return sum(image.lead_id == lead_id for image in self._images.values())

    def count_announced(self, user_id: UUID) -> int:
        waiting = (it for it in self._images.values() if it.status is ImageStatus.AWAITING_UPLOAD)
        return sum(image.created_by == user_id for image in waiting)

    def abandoned(self, *, before: datetime, limit: int) -> Sequence[LeadImage]:
        waiting = (it for it in self._images.values() if it.status is ImageStatus.AWAITING_UPLOAD)
        return copied([image for image in waiting if image.created_at < before][:limit])


def _meets(lead: Lead, filters: LeadFilter) -> bool:
    texts = filters.texts
    words = filters.words
    if words is not None and not (words and matches(lead.search_text, list(words))):
        return False
    anybody = not filters.assigned_to and not filters.unassigned
    return (
        (not filters.statuses or lead.status in filters.statuses)
        and all(field.key(lead.details) in texts[field.name] for field in FILTERED_TEXTS if field.name in texts)
        and (anybody or lead.assigned_to in filters.assigned_to or (filters.unassigned and lead.assigned_to is None))
        and (filters.created_from is None or lead.created_at >= filters.created_from)
        and (filters.created_to is None or lead.created_at < filters.created_to)
        and (filters.visible_to is None or lead.assigned_to == filters.visible_to)
    )
