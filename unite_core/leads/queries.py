"""Queries of leads, their images and their activity."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from unite_core.cache import Cache, CacheEntryType
from unite_core.checks import UseCase
from unite_core.errors import FieldError, Invalid, NotFound
from unite_core.events import Event
from unite_core.files import Download, Files, download_name
from unite_core.identity.model import Actor, Permission
from unite_core.leads.events import LEAD_EVENTS
from unite_core.leads.model import IMAGE_EXTENSIONS, IMAGE_LINK_TTL, Lead, LeadImage
from unite_core.leads.ports import CALLED_LEADS_NAMESPACE, LEADS_NAMESPACE, LeadFilter, LeadsUnitOfWork, lead_namespace
from unite_core.leads.serialization import from_plain, page_digest, page_from_plain, page_to_plain, to_plain
from unite_core.notifications.ports import ActivityLog, EventFilter
from unite_core.paging import Page, PageRequest
from unite_core.unit_of_work import UnitOfWorkFactory

_LEADS = CacheEntryType(to_plain, from_plain)
_PAGES = CacheEntryType(page_to_plain, page_from_plain)


@dataclass(frozen=True)
class GetLead(UseCase):
    """Read one lead. Agents read those assigned to them, admins and managers all.

    Raises `NotFound`, also for a lead that the caller may not see.
    """

    reads: UnitOfWorkFactory[LeadsUnitOfWork]
    cache: Cache

    def __call__(self, actor: Actor, lead_id: UUID) -> Lead:
        # Permissions are checked after the cache, because the cache has one copy for all users.
        return _seen_by(actor, _LEADS.get(self.cache, lead_namespace(lead_id), "lead", lambda: self._read(lead_id)))

    def _read(self, lead_id: UUID) -> Lead:
        with self.reads() as reads:
            return reads.leads.get(lead_id)


@dataclass(frozen=True)
class ListLeads(UseCase):
    """List leads, newest first. Agents see those assigned to them, admins and managers all."""

    reads: UnitOfWorkFactory[LeadsUnitOfWork]
    cache: Cache
    # The outcomes by which a list can be filtered, which this package does not know; None accepts any text.
    call_outcomes: frozenset[str] | None = None

    def __call__(self, actor: Actor, filters: LeadFilter, request: PageRequest) -> Page[Lead]:
        if self.call_outcomes is not None and not filters.call_outcomes <= self.call_outcomes:
            detail = f"An outcome is one of {', '.join(sorted(self.call_outcomes))}."
            problem = FieldError(field="call_outcomes", code="unknown_value", detail=detail)
            raise Invalid("The filter breaks a rule.", problems=[problem])
        if not actor.may(Permission.SEE_ALL_LEADS):
            filters = replace(filters, visible_to=actor.user_id)
        key = page_digest(filters, request)
        namespace = CALLED_LEADS_NAMESPACE if filters.by_calls else LEADS_NAMESPACE
        return _PAGES.get(self.cache, namespace, key, lambda: self._read(filters, request))

    def _read(self, filters: LeadFilter, request: PageRequest) -> Page[Lead]:
        with self.reads() as reads:
            return reads.leads.page(filters, request)


@dataclass(frozen=True)
class GetImage(UseCase):
    """Read one picture of a lead, uploaded or not, without its bytes.

    Raises `NotFound`.
    """

    reads: UnitOfWorkFactory[LeadsUnitOfWork]

    def __call__(self, actor: Actor, lead_id: UUID, image_id: UUID) -> LeadImage:
        with self.reads() as reads:
            visible_lead(reads, actor, lead_id)
            return reads.images.get(lead_id, image_id)


@dataclass(frozen=True)
class LinkedImage:
    """An image and a link to its bytes that is valid for five minutes."""

    image: LeadImage
    download: Download


@dataclass(frozen=True)
class ListImages(UseCase):
    """List the pictures of a lead that are ready, newest first, each with a short-lived link.

    Raises `NotFound`.
    """

    reads: UnitOfWorkFactory[LeadsUnitOfWork]
    files: Files

    def __call__(self, actor: Actor, lead_id: UUID, request: PageRequest) -> Page[LinkedImage]:
        with self.reads() as reads:
            visible_lead(reads, actor, lead_id)
            page = reads.images.page(lead_id, request)
        return Page([LinkedImage(image, self._link(image)) for image in page.items], page.next)

    def _link(self, image: LeadImage) -> Download:
        return self.files.sign_download(
            image.key,
            filename=download_name(image.filename or str(image.id), *IMAGE_EXTENSIONS[image.content_type]),
            content_type=image.content_type,
            ttl=IMAGE_LINK_TTL,
        )


@dataclass(frozen=True)
class GetLeadActivity(UseCase):
    """Read the activity of a lead, newest first.

    Admins and managers read all of it. Agents read the activity of leads assigned to them: events of the lead itself,
    and events of their own call tasks. Agents do not see the calls of other users or the events of imports. They do
    not see who else worked the lead: the `actor_id` of another user, and another user in `assigned_to`, are null.
    Events reach the log after the change, usually within seconds, and later if the log was unavailable.

    Raises `NotFound`, and `Unavailable` if the log cannot be read.
    """

    reads: UnitOfWorkFactory[LeadsUnitOfWork]
    activity: ActivityLog

    def __call__(self, actor: Actor, lead_id: UUID, request: PageRequest) -> Page[Event]:
        with self.reads() as reads:
            visible_lead(reads, actor, lead_id)
        if actor.may(Permission.SEE_ALL_CALLS):
            return self.activity.of_lead(lead_id, request)
        page = self.activity.of_lead(lead_id, request, EventFilter(types=LEAD_EVENTS, assigned_to=actor.user_id))
        return Page([_without_others(event, actor.user_id) for event in page.items], page.next)


def _without_others(event: Event, user_id: UUID) -> Event:
    """Return the event for an agent: without the ids of other users, as actor, as assignee or as agent of a call."""
    data = dict(event.data)
    assigned = data.get("assigned_to")
    if isinstance(assigned, Mapping):
        data["assigned_to"] = {when: _own(value, user_id) for when, value in assigned.items()}
    elif "assigned_to" in data:
        data["assigned_to"] = _own(assigned, user_id)
    entry = data.get("entry")
    if isinstance(entry, Mapping):
        data["entry"] = {**entry, "agent_id": _own(entry.get("agent_id"), user_id)}
    return replace(event, actor_id=event.actor_id if event.actor_id == user_id else None, data=data)


def _own(value: object, user_id: UUID) -> object:
    return value if value == str(user_id) else None


def visible_lead(work: LeadsUnitOfWork, actor: Actor, lead_id: UUID) -> Lead:
    """Return the lead if the actor may see it: agents see the leads that are assigned to them.

    Raises `NotFound` if there is no such lead, or the actor may not see it.
    """
    return _seen_by(actor, work.leads.get(lead_id))


def may_see(actor: Actor, lead: Lead) -> bool:
    """Return whether the actor may see the lead: agents see the leads that are assigned to them."""
    return actor.may(Permission.SEE_ALL_LEADS) or lead.assigned_to == actor.user_id


def _seen_by(actor: Actor, lead: Lead) -> Lead:
    if not may_see(actor, lead):
        raise NotFound("There is no such lead.")
    return lead
