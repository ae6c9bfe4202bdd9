"""Tables of the in-memory adapters, and the lock by which writing units of work exclude each other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from threading import Lock, get_ident
from typing import TypeVar
from uuid import UUID

from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallTask
from unite_core.calls.ports import CallCounts
from unite_core.events import Event
from unite_core.identity.model import Session, User
from unite_core.imports.model import LeadImport, LeadSnapshot, Rejection
from unite_core.leads.model import Lead, LeadImage
from unite_core.notifications.model import Delivery
from unite_core.notifications.ports import Consent
from unite_core.paging import Page, PageRequest, Position, page_of
from unite_core.reports.ports import Cell
from unite_core.reports.tally import Tally
from unite_core.summaries.ports import CreatedSummary
from unite_core.testing.in_memory.copies import copied

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedKey:
    """An idempotency key in use; `answered_at` is None while there is no response."""

    fingerprint: str
    holder: str
    claimed_at: datetime
    until: datetime
    answer: bytes | None = None
    answered_at: datetime | None = None


@dataclass(slots=True)
class Tables:
    """One state of all tables. Stored objects are never changed in place: repositories copy in both directions."""

    users: dict[UUID, User] = field(default_factory=dict)
    sessions: dict[UUID, Session] = field(default_factory=dict)
    refreshes: dict[str, UUID] = field(default_factory=dict)
    leads: dict[UUID, Lead] = field(default_factory=dict)
    phones: dict[str, UUID] = field(default_factory=dict)
    emails: dict[str, UUID] = field(default_factory=dict)
    images: dict[UUID, LeadImage] = field(default_factory=dict)
    imports: dict[UUID, LeadImport] = field(default_factory=dict)
    rejections: dict[UUID, dict[int, Rejection]] = field(default_factory=dict)
    snapshots: dict[UUID, dict[UUID, LeadSnapshot]] = field(default_factory=dict)
    rehearsed: dict[UUID, dict[UUID, Lead]] = field(default_factory=dict)
    idempotency_keys: dict[str, ClaimedKey] = field(default_factory=dict)
    usage: dict[tuple[str, UUID], datetime] = field(default_factory=dict)
    events: dict[UUID, Event] = field(default_factory=dict)
    deliveries: dict[UUID, Delivery] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    tasks: dict[UUID, CallTask] = field(default_factory=dict)
    ledger: dict[UUID, LedgerEntry] = field(default_factory=dict)
    lead_calls: dict[UUID, CallCounts] = field(default_factory=dict)
    rollups: dict[Cell, Tally] = field(default_factory=dict)
    unfolded: dict[UUID, None] = field(default_factory=dict)
    summaries: dict[tuple[UUID, date], CreatedSummary] = field(default_factory=dict)

    def copied(self) -> "Tables":
        """Return a separate state with the same contents."""
        copy = Tables(*(dict(getattr(self, table.name)) for table in fields(self)))
        for nested in (copy.rejections, copy.snapshots, copy.rehearsed):
            for key, rows in nested.items():
                nested[key] = dict(rows)  # type: ignore[arg-type]  # each copy goes back to the same table
        return copy


class Store:
    """The committed state. One unit of work writes at a time; readers never wait."""

    def __init__(self) -> None:
        self._committed = Tables()
        self._lock = Lock()
        self._writer: int | None = None

    def read(self) -> Tables:
        """Return the committed state as it is now, for one unit of work."""
        return self._committed.copied()

    def begin(self) -> Tables:
        """Wait until this thread may write, and return the state to work on."""
        if self._writer == get_ident():
            raise RuntimeError("A writing unit of work began inside another one; a database would wait for ever.")
        self._lock.acquire()
        self._writer = get_ident()
        return self._committed.copied()

    def commit(self, changed: Tables) -> None:
        """Make `changed` the committed state, and let the next unit write."""
        self._committed = changed
        self.end()

    def end(self) -> None:
        """Let the next unit write."""
        self._writer = None
        self._lock.release()


def newest_first(items: Iterable[T], request: PageRequest, position: Callable[[T], Position]) -> Page[T]:
    """Return a page of copies, sorted by moment and then by id, both descending."""
    return _page(items, request, position, descending=True)


def oldest_first(items: Iterable[T], request: PageRequest, position: Callable[[T], Position]) -> Page[T]:
    """Return a page of copies, sorted by moment and then by id, both ascending."""
    return _page(items, request, position, descending=False)


def _page(items: Iterable[T], request: PageRequest, position: Callable[[T], Position], *, descending: bool) -> Page[T]:
    def key(item: T) -> tuple[datetime, UUID]:
        at = position(item)
        return at.at, at.id

    ordered = sorted(items, key=key, reverse=descending)
    if request.after is not None:
        after = (request.after.at, request.after.id)
        ordered = [item for item in ordered if (key(item) < after if descending else key(item) > after)]
    return page_of(copied(ordered[: request.limit + 1]), request.limit, position)
