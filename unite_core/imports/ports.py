"""What imports need from outside."""

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from unite_core.calls.ports import CallsUnitOfWork
from unite_core.imports.model import ImportStatus, LeadImport, LeadSnapshot, Rejection, RowKind
from unite_core.leads.model import Lead
from unite_core.leads.ports import ContactMatches
from unite_core.paging import Page, PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFilter:
    """Which imports a list holds; an empty set is no condition."""

    statuses: frozenset[ImportStatus] = frozenset()


@dataclass(frozen=True, slots=True)
class OpenImports:
    """How many imports of a user have not ended, and how many bytes their files have together."""

    count: int
    size: int


class Imports(Protocol):
    """All imports."""

    @abstractmethod
    def add(self, new: LeadImport) -> None:
        """Add an import; raises `Conflict` (`same_file`) where another has its `same_file_key`."""

    @abstractmethod
    def get(self, import_id: UUID) -> LeadImport:
        """The import; raises `NotFound`. Until a writing unit of work ends, no other one can change it."""

    @abstractmethod
    def save(self, changed: LeadImport) -> None:
        """Store a changed import.

        Raises `PreconditionFailed` where `changed.version - 1` is not the stored version, and `Conflict`
        (`same_file`) where another import has its `same_file_key`.
        """

    @abstractmethod
    def page(self, filters: ImportFilter, request: PageRequest) -> Page[LeadImport]:
        """A page of imports, newest first."""

    @abstractmethod
    def find_same_file(self, same_file_key: str) -> LeadImport | None:
        """The import that has this key, or None."""

    @abstractmethod
    def count_open(self, user_id: UUID) -> OpenImports:
        """The imports of the user that await their upload, are queued or running."""

    @abstractmethod
    def unfinished(self, *, now: datetime, limit: int) -> Sequence[LeadImport]:
        """Up to `limit` imports that a worker should continue, oldest first.

        They are queued or running, or being undone, and no worker's lease on them lasts beyond `now`.
        """

    @abstractmethod
    def abandoned(self, *, before: datetime, limit: int) -> Sequence[LeadImport]:
        """Up to `limit` imports, created before the moment `before`, whose file never came."""

    @abstractmethod
    def expired(self, *, before: datetime) -> UUID | None:
        """The oldest import that ended before the moment and still has rejections, snapshots or an error report.

        One that is being undone is none of them.
        """


class ImportRows(Protocol):
    """What became of single rows: the rejected and the duplicate ones, and what leads were before an update."""

    @abstractmethod
    def reject(self, import_id: UUID, rejections: Sequence[Rejection]) -> None:
        """Store rejections of rows that have none yet."""

    @abstractmethod
    def rejections(self, import_id: UUID, *, kind: RowKind | None, after_row: int, limit: int) -> Sequence[Rejection]:
        """Up to `limit` rejections from rows after `after_row`, in the order of rows."""

    @abstractmethod
    def remember(self, snapshots: Sequence[LeadSnapshot]) -> None:
        """Store what leads were; of a lead that is known already only `version_after` is taken."""

    @abstractmethod
    def remembered(
        self, import_id: UUID, *, limit: int, lead_ids: Collection[UUID] | None = None
    ) -> Sequence[LeadSnapshot]:
        """Up to `limit` snapshots, those of leads that the import itself had made first.

        With `lead_ids` (up to 5,000) those of these leads alone.
        """

    @abstractmethod
    def forget(self, import_id: UUID, lead_ids: Collection[UUID]) -> None:
        """Remove the snapshots of these leads."""

    @abstractmethod
    def purge(self, import_id: UUID, *, limit: int) -> int:
        """Delete up to `limit` snapshots and rejections of the import; how many."""


class DryRunLeads(Protocol):
    """The leads as they would be after the rows that a dry run has seen so far.

    It takes the place of `Leads` in a dry run: what is put here is found again by the same import, and by
    nothing else.
    """

    @abstractmethod
    def put(self, import_id: UUID, leads: Sequence[Lead]) -> None:
        """Pretend that these leads are stored as they are; one that was put before is replaced."""

    @abstractmethod
    def matches(self, import_id: UUID, phone_keys: Collection[str], emails: Collection[str]) -> ContactMatches:
        """As `Leads.matches`, over the real leads and the pretended ones, which stand in for real ones of their id."""

    @abstractmethod
    def clear(self, import_id: UUID) -> None:
        """Forget everything that the import pretended."""


class ImportsUnitOfWork(CallsUnitOfWork, Protocol):
    """A unit of work that reaches imports too."""

    imports: Imports
    rows: ImportRows
    rehearsal: DryRunLeads
