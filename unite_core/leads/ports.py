"""What leads need from outside."""

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from unite_core.identity.ports import IdentityUnitOfWork
from unite_core.leads.details import LeadStatus
from unite_core.leads.model import Lead, LeadImage
from unite_core.paging import Page, PageRequest

LEADS_NAMESPACE = "leads"
"""Where the cache holds lists of leads: any lead that is added or saved may be in any of them."""

CALLED_LEADS_NAMESPACE = "called_leads"
"""Where the cache holds lists of leads that are asked for by their calls: calls change them too."""

LEAD_LISTS = (LEADS_NAMESPACE, CALLED_LEADS_NAMESPACE)
"""Where the cache holds lists of leads of any kind."""


def lead_namespace(lead_id: UUID) -> str:
    """Where the cache holds the lead, which is forgotten when it is saved."""
    return f"lead:{lead_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFilter:
    """Which leads a list holds: those that meet every condition given; an empty one is no condition.

    `assigned_to` and `unassigned` together mean one of these users or nobody. `visible_to` limits the
    list to the leads assigned to that user whatever else is asked. `question` is the words of
    `search.question_words`: a lead has a word beginning with each; no words find nothing. `created_from`
    is inclusive, `created_to` exclusive. `called` limits the list to leads that were called, or with False to all
    others; `call_outcomes` to leads with a call that had one of these outcomes; `called_within` to leads whose first
    call was at most so long after they were created. Only calls count that were made, by the last entry about each in
    the call log; with `visible_to` only those of that agent, who may not know of others.
    """

    statuses: frozenset[LeadStatus] = frozenset()
    sources: frozenset[str] = frozenset()
    assigned_to: frozenset[UUID] = frozenset()
    unassigned: bool = False
    question: tuple[str, ...] | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    companies: frozenset[str] = frozenset()
    called: bool | None = None
    call_outcomes: frozenset[str] = frozenset()
    called_within: timedelta | None = None
    visible_to: UUID | None = None

    @property
    def texts(self) -> dict[str, frozenset[str]]:
        """Name of a text field -> what its key may be (`TextField.key`), for each that limits the list."""
        given = {"source": self.sources, "company": self.companies}
        return {name: keys for name, keys in given.items() if keys}

    @property
    def by_calls(self) -> bool:
        """Whether calls decide what the list holds."""
        return self.called is not None or bool(self.call_outcomes) or self.called_within is not None


@dataclass(slots=True)
class ContactMatches:
    """Who has which phone and e-mail already: phone key -> lead, and e-mail -> lead; one lead is one object in both."""

    by_phone: dict[str, Lead] = field(default_factory=dict)
    by_email: dict[str, Lead] = field(default_factory=dict)


class Leads(Protocol):
    """All leads. Deleted ones are found by nothing here; their phone and e-mail are free."""

    @abstractmethod
    def add(self, lead: Lead) -> None:
        """Add a lead; raises `DuplicateLead` with the ids of all leads that have its phone or e-mail."""

    @abstractmethod
    def add_many(self, leads: Sequence[Lead]) -> None:
        """Add leads of which none shares a phone or e-mail with another; raises `DuplicateLead` and adds none."""

    @abstractmethod
    def get(self, lead_id: UUID) -> Lead:
        """The lead, held until a unit of work that writes ends; raises `NotFound`, for a deleted one too."""

    @abstractmethod
    def find(self, lead_ids: Collection[UUID]) -> dict[UUID, Lead]:
        """Those of these leads (up to 5,000) that there are, by their ids; nobody is held."""

    @abstractmethod
    def save(self, lead: Lead) -> None:
        """Store a changed lead, a deletion, or the return of a deleted lead.

        Raises `PreconditionFailed` where `lead.version - 1` is not the stored version, and `DuplicateLead`
        as `add` does.
        """

    @abstractmethod
    def page(self, filters: LeadFilter, request: PageRequest) -> Page[Lead]:
        """A page of leads, newest first (`created_at`, then `id`)."""

    @abstractmethod
    def matches(self, phone_keys: Collection[str], emails: Collection[str]) -> ContactMatches:
        """The leads that have one of these phone keys or one of these e-mail addresses (up to 5,000 of each).

        In a unit of work that goes on to add leads, nobody else can add one of these before it ends, or
        `add_many` raises.
        """

    @abstractmethod
    def untouched_of_import(self, import_id: UUID, *, after_row: int, limit: int) -> Sequence[Lead]:
        """Up to `limit` leads that the import made, at version 1, from rows after `after_row`, in the order of rows."""


class LeadImages(Protocol):
    """The pictures of leads; their bytes are in `Files`."""

    @abstractmethod
    def add(self, image: LeadImage) -> None:
        """Add an image."""

    @abstractmethod
    def get(self, lead_id: UUID, image_id: UUID) -> LeadImage:
        """The image of that lead, held until a unit of work that writes ends; raises `NotFound`."""

    @abstractmethod
    def save(self, image: LeadImage) -> None:
        """Store a changed image."""

    @abstractmethod
    def remove(self, image_id: UUID) -> None:
        """Remove an image; no error if there is none."""

    @abstractmethod
    def page(self, lead_id: UUID, request: PageRequest) -> Page[LeadImage]:
        """A page of the lead's images that are ready, newest first."""

    @abstractmethod
    def leads_with_images(self, lead_ids: Collection[UUID]) -> set[UUID]:
        """Which of these leads (up to 5,000) have images, ready or not."""

    @abstractmethod
    def count_of_lead(self, lead_id: UUID) -> int:
        """How many images the lead has, ready or not."""

    @abstractmethod
    def count_announced(self, user_id: UUID) -> int:
        """How many images the user has announced whose bytes have not arrived."""

    @abstractmethod
    def abandoned(self, *, before: datetime, limit: int) -> Sequence[LeadImage]:
        """Up to `limit` images, created before the moment `before`, whose bytes never arrived."""


class LeadsUnitOfWork(IdentityUnitOfWork, Protocol):
    """A unit of work that reaches leads and their images too."""

    leads: Leads
    images: LeadImages
