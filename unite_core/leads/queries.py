"""What can be asked about leads."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from unite_core.cache import Cache, CacheEntryType
from unite_core.errors import NotFound
from unite_core.events import Event
from unite_core.files import Download, Files, download_name
from unite_core.identity.model import Actor, Permission
from unite_core.leads.events import LEAD_EVENTS
from unite_core.leads.model import IMAGE_EXTENSIONS, IMAGE_LINK_TTL, Lead, LeadImage
from unite_core.leads.plain import from_plain, page_digest, page_from_plain, page_to_plain, to_plain
from unite_core.leads.ports import CALLED_LEADS_NAMESPACE, LEADS_NAMESPACE, LeadFilter, LeadsUnitOfWork, lead_namespace
from unite_core.notifications.ports import ActivityLog, EventFilter
from unite_core.paging import Page, PageRequest
from unite_core.unit_of_work import UnitOfWorkFactory

_LEADS = CacheEntryType(to_plain, from_plain)
_PAGES = CacheEntryType(page_to_plain, page_from_plain)


@dataclass(frozen=True)
class GetLead:
    """Read one lead. Agents read those assigned to them, admins and managers all.

    Raises `NotFound`, for a lead that the caller may not see too.
    """

    reads: UnitOfWorkFactory[LeadsUnitOfWork]
    cache: Cache

    def __call__(self, actor: Actor, lead_id: UUID) -> Lead:
        # Who may see the lead is judged after the cache, which holds one copy for all.
        return _seen_by(actor, _LEADS.get(self.cache, lead_namespace(lead_id), "lead", lambda: self._read(lead_id)))

    def _read(self, lead_id: UUID) -> Lead:
        with self.reads() as reads:
            return reads.leads.get(lead_id)


@dataclass(frozen=True)
class ListLeads:
    """List leads, newest first. Agents see those assigned to them, admins and managers all."""

    reads: UnitOfWorkFactory[LeadsUnitOfWork]
    cache: Cache

    def __call__(self, actor: Actor, filters: LeadFilter, request: PageRequest) -> Page[Lead]:
        if not actor.may(Permission.SEE_ALL_LEADS):
            filters = replace(filters, visible_to=actor.user_id)
        key = page_digest(filters, request)
        namespace = CALLED_LEADS_NAMESPACE if filters.by_calls else LEADS_NAMESPACE
        return _PAGES.get(self.cache, namespace, key, lambda: self._read(filters, request))

    def _read(self, filters: LeadFilter, request: PageRequest) -> Page[Lead]:
        with self.reads() as reads:
            return reads.leads.page(filters, request)


@dataclass(frozen=True)
class GetImage:
    """Read one picture of a lead, there or still to come, without its bytes.

    Raises `NotFound`.
    """

    reads: UnitOfWorkFactory[LeadsUnitOfWork]

    def __call__(self, actor: Actor, lead_id: UUID, image_id: UUID) -> LeadImage:
        with self.reads() as reads:
            visible_lead(reads, actor, lead_id)
            return reads.images.get(lead_id, image_id)


@dataclass(frozen=True)
class LinkedImage:
    """An image and a link to its bytes that is good for five minutes."""

    image: LeadImage
    download: Download


@dataclass(frozen=True)
class ListImages:
    """List the pictures of a lead that are there, newest first, each with a short-lived link.

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
class GetLeadActivity:
    """Read what has happened to a lead, newest first.

    Admins and managers read all of it. Agents read that of leads assigned to them: what was done to the lead itself,
    and what became of their own call tasks. They do not see the calls of others, nor what imports did, and they are not
    told who else worked the lead: the `actor_id` of somebody else, and another user in `assigned_to`, is null for them.
    The log is told after the fact, most often within seconds, and later where it was away.

    Raises `NotFound`, and `Unavailable` where the log cannot be read.
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
    """The event as an agent sees it: without the ids of others who did it, or to whom the lead was assigned."""
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
    """The lead, if the actor may see it: agents see what is assigned to them.

    Raises `NotFound` where the actor may not know that there is such a lead.
    """
    return _seen_by(actor, work.leads.get(lead_id))


def may_see(actor: Actor, lead: Lead) -> bool:
    """Whether the actor may see the lead: agents see what is assigned to them."""
    return actor.may(Permission.SEE_ALL_LEADS) or lead.assigned_to == actor.user_id


def _seen_by(actor: Actor, lead: Lead) -> Lead:
    if not may_see(actor, lead):
        raise NotFound("There is no such lead.")
    return lead
