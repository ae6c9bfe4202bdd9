"""Ports of leads: repositories of leads and of their images."""

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Protocol
from uuid import UUID

from unite_core.checks import Input, between
from unite_core.identity.ports import IdentityUnitOfWork
from unite_core.leads.details import COMPANY, SOURCE, LeadStatus, keys_of, keys_rule
from unite_core.leads.model import Lead, LeadImage
from unite_core.leads.search import query_error, query_words
from unite_core.paging import Page, PageRequest
from unite_core.text import clean

LEADS_NAMESPACE = "leads"
"""The cache namespace of lists of leads: any lead that is added or saved may be in any of them."""

CALLED_LEADS_NAMESPACE = "called_leads"
"""The cache namespace of lists of leads that are filtered by calls: calls change them too."""

LEAD_LISTS = (LEADS_NAMESPACE, CALLED_LEADS_NAMESPACE)
"""The cache namespaces of all lists of leads."""


def lead_namespace(lead_id: UUID) -> str:
    """Return the cache namespace of the lead; saving the lead clears it."""
    return f"lead:{lead_id}"


MAX_CALLED_WITHIN = timedelta(days=400)
"""The longest time to a first call in a filter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFilter(Input):
    """The filters of a list of leads: it has the leads that meet every filter; an empty one has no effect.

    `sources` and `companies` are plain text, compared without case, and `q` is what a user typed into a search box: a
    lead needs a word that begins with each word of it, and a blank one is no filter. `assigned_to` and `unassigned`
    together mean leads that are assigned to one of these users or to nobody. `visible_to` limits the list to the leads
    assigned to that user, in addition to all other filters. `created_from` is inclusive, `created_to` exclusive.
    `called` limits the list to leads that were called, or with False to all others; `call_outcomes` to leads with a
    call that had one of these outcomes; `called_within` to leads whose first call was at most this long after they were
    created. Only calls that were made count, by the last entry about each in the call log. With `visible_to` only the
    calls of that agent count, because the agent may not see the calls of others.
    """

    statuses: frozenset[LeadStatus] = frozenset()
    sources: Annotated[frozenset[str], keys_rule(SOURCE)] = frozenset()
    assigned_to: frozenset[UUID] = frozenset()
    unassigned: bool = False
    q: Annotated[str | None, query_error] = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    companies: Annotated[frozenset[str], keys_rule(COMPANY)] = frozenset()
    called: bool | None = None
    call_outcomes: frozenset[str] = frozenset()
    called_within: Annotated[timedelta | None, between(timedelta(), MAX_CALLED_WITHIN)] = None
    visible_to: UUID | None = None

    def __post_init__(self) -> None:
        Input.__post_init__(self)
        object.__setattr__(self, "sources", keys_of(SOURCE, self.sources))
        object.__setattr__(self, "companies", keys_of(COMPANY, self.companies))

    @property
    def words(self) -> tuple[str, ...] | None:
        """The words of `q`: a lead needs a word that begins with each; no lead matches if there are none.

        None without a query.
        """
        query = clean(self.q or "")
        return tuple(query_words(query)) if query else None

    @property
    def texts(self) -> dict[str, frozenset[str]]:
        """Name of a text field -> the accepted values of its key (`TextField.key`), for each field that is filtered."""
        given = {"source": self.sources, "company": self.companies}
        return {name: keys for name, keys in given.items() if keys}

    @property
    def by_calls(self) -> bool:
        """Whether the list is filtered by calls."""
        return self.called is not None or bool(self.call_outcomes) or self.called_within is not None


@dataclass(slots=True)
class ContactMatches:
    """The leads by phone key and by e-mail address; a lead that is in both mappings is the same object in both."""

    by_phone: dict[str, Lead] = field(default_factory=dict)
    by_email: dict[str, Lead] = field(default_factory=dict)


class Leads(Protocol):
    """The store of leads. No method returns deleted leads; other leads may have their phone and e-mail."""

    @abstractmethod
    def add(self, lead: Lead) -> None:
        """Add a lead; raise `DuplicateLead` with the ids of all leads that have its phone or e-mail."""

    @abstractmethod
    def add_many(self, leads: Sequence[Lead]) -> None:
        """Add leads that share no phone or e-mail with each other; add none and raise `DuplicateLead` if one exists."""

    @abstractmethod
    def get(self, lead_id: UUID) -> Lead:
        """Return the lead, locked until a unit of work that writes ends; raise `NotFound`, also if it is deleted."""

    @abstractmethod
    def find(self, lead_ids: Collection[UUID]) -> dict[UUID, Lead]:
        """Return those of these leads (up to 5,000) that exist, by their ids; none is locked."""

    @abstractmethod
    def save(self, lead: Lead) -> None:
        """Store a changed lead, a deletion, or the restoration of a deleted lead.

        Raises `PreconditionFailed` where `lead.version - 1` is not the stored version, and `DuplicateLead`
        as `add` does.
        """

    @abstractmethod
    def page(self, filters: LeadFilter, request: PageRequest) -> Page[Lead]:
        """Return a page of leads, newest first (`created_at`, then `id`)."""

    @abstractmethod
    def matches(self, phone_keys: Collection[str], emails: Collection[str]) -> ContactMatches:
        """Return the leads that have one of these phone keys or one of these e-mail addresses (up to 5,000 of each).

        In a unit of work that then adds leads, either no other unit can add one of these phones or addresses before
        it ends, or `add_many` raises.
        """

    @abstractmethod
    def untouched_of_import(self, import_id: UUID, *, after_row: int, limit: int) -> Sequence[Lead]:
        """Return up to `limit` leads that the import created, at version 1, of rows after `after_row`, in row order."""


class LeadImages(Protocol):
    """The store of the pictures of leads; their bytes are in `Files`."""

    @abstractmethod
    def add(self, image: LeadImage) -> None:
        """Add an image."""

    @abstractmethod
    def get(self, lead_id: UUID, image_id: UUID) -> LeadImage:
        """Return the image of that lead, locked until a unit of work that writes ends; raise `NotFound`."""

    @abstractmethod
    def save(self, image: LeadImage) -> None:
        """Store a changed image."""

    @abstractmethod
    def remove(self, image_id: UUID) -> None:
        """Remove an image; no error if there is none."""

    @abstractmethod
    def page(self, lead_id: UUID, request: PageRequest) -> Page[LeadImage]:
        """Return a page of the lead's images that are ready, newest first."""

    @abstractmethod
    def leads_with_images(self, lead_ids: Collection[UUID]) -> set[UUID]:
        """Return the ids of those of these leads (up to 5,000) that have images, ready or not."""

    @abstractmethod
    def count_of_lead(self, lead_id: UUID) -> int:
        """Count the images of the lead, ready or not."""

    @abstractmethod
    def count_announced(self, user_id: UUID) -> int:
        """Count the images that the user has announced and whose bytes have not arrived."""

    @abstractmethod
    def abandoned(self, *, before: datetime, limit: int) -> Sequence[LeadImage]:
        """Return up to `limit` images that were created before the moment `before` and whose bytes never arrived."""


class LeadsUnitOfWork(IdentityUnitOfWork, Protocol):
    """A unit of work with the stores of leads and of their images."""

    leads: Leads
    images: LeadImages
