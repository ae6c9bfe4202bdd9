"""Ports of imports: repositories of imports, of their rows and of dry runs."""

from abc import abstractmethod
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from unite_core.calls.ports import CallsUnitOfWork
from unite_core.checks import Checked, Input
from unite_core.imports.model import ImportStatus, LeadImport, LeadSnapshot, Rejection, RowKind
from unite_core.leads.model import Lead
from unite_core.leads.ports import ContactMatches
from unite_core.paging import Page, PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFilter(Input):
    """A filter of imports; an empty set is no condition."""

    statuses: frozenset[ImportStatus] = frozenset()


@dataclass(frozen=True, slots=True)
class OpenImports(Checked):
    """The number of a user's imports that have not ended, and the total bytes of their files."""

    count: int
    size: int


class Imports(Protocol):
    """Stores imports."""

    @abstractmethod
    def add(self, new: LeadImport) -> None:
        """Add an import; raise `Conflict` (`same_file`) if another one has its `same_file_key`."""

    @abstractmethod
    def get(self, import_id: UUID) -> LeadImport:
        """Return the import, locked until a writing unit of work ends; raise `NotFound`."""

    @abstractmethod
    def save(self, changed: LeadImport) -> None:
        """Store a changed import.

        Raise `PreconditionFailed` if `changed.version - 1` is not the stored version, and `Conflict`
        (`same_file`) if another import has its `same_file_key`.
        """

    @abstractmethod
    def page(self, filters: ImportFilter, request: PageRequest) -> Page[LeadImport]:
        """Return a page of imports, newest first."""

    @abstractmethod
    def find_same_file(self, same_file_key: str) -> LeadImport | None:
        """Return the import with this key, or None."""

    @abstractmethod
    def count_open(self, user_id: UUID) -> OpenImports:
        """Count the imports of the user that await their upload, are queued or running."""

    @abstractmethod
    def unfinished(self, *, now: datetime, limit: int) -> Sequence[LeadImport]:
        """Return up to `limit` imports that a worker should continue, oldest first.

        They are queued or running, or being undone, and no worker's lease on them lasts beyond `now`.
        """

    @abstractmethod
    def abandoned(self, *, before: datetime, limit: int) -> Sequence[LeadImport]:
        """Return up to `limit` imports, created before the moment `before`, whose file was never uploaded."""

    @abstractmethod
    def expired(self, *, before: datetime) -> UUID | None:
        """Return the oldest import that ended before `before` and still has rejections, snapshots or an error report.

        Imports that are being undone are excluded.
        """


class ImportRows(Protocol):
    """Stores the rejected and duplicate rows of imports, and snapshots of leads before their update."""

    @abstractmethod
    def reject(self, import_id: UUID, rejections: Sequence[Rejection]) -> None:
        """Store rejections of rows that have none yet."""

    @abstractmethod
    def rejections(self, import_id: UUID, *, kind: RowKind | None, after_row: int, limit: int) -> Sequence[Rejection]:
        """Return up to `limit` rejections from rows after `after_row`, sorted by row."""

    @abstractmethod
    def add_snapshots(self, snapshots: Sequence[LeadSnapshot]) -> None:
        """Store snapshots; if a lead has one already, only its `version_after` is updated."""

    @abstractmethod
    def snapshots_of(
        self, import_id: UUID, *, limit: int, lead_ids: Collection[UUID] | None = None
    ) -> Sequence[LeadSnapshot]:
        """Return up to `limit` snapshots, those of leads that the import itself had created first.

        With `lead_ids` (up to 5,000) only those of these leads.
        """

    @abstractmethod
    def delete_snapshots(self, import_id: UUID, lead_ids: Collection[UUID]) -> None:
        """Delete the snapshots of these leads."""

    @abstractmethod
    def purge(self, import_id: UUID, *, limit: int) -> int:
        """Delete up to `limit` snapshots and rejections of the import; return how many were deleted."""


class DryRunLeads(Protocol):
    """Stores the leads as they would be after the rows that a dry run has processed so far.

    It replaces `Leads` in a dry run: what is stored here is visible to the same import, and to
    nothing else.
    """

    @abstractmethod
    def put(self, import_id: UUID, leads: Sequence[Lead]) -> None:
        """Store the pretended state of these leads; one that was stored before is replaced."""

    @abstractmethod
    def matches(self, import_id: UUID, phone_keys: Collection[str], emails: Collection[str]) -> ContactMatches:
        """Return what `Leads.matches` does, with pretended leads in place of the real ones of the same id."""

    @abstractmethod
    def clear(self, import_id: UUID) -> None:
        """Delete everything that the import pretended."""


class ImportsUnitOfWork(CallsUnitOfWork, Protocol):
    """A unit of work with the repositories of imports too."""

    imports: Imports
    rows: ImportRows
    rehearsal: DryRunLeads


class UploadNotice(Protocol):
    """A notice that a file was uploaded to `key`. `id` is the same each time that the notice is received."""

    key: str
    id: str

    @abstractmethod
    def held(self) -> AbstractContextManager[None]:
        """Hide the notice from all other receivers while the block runs."""

    @abstractmethod
    def done(self) -> None:
        """Delete the notice, once its effect is committed; raise `Unavailable`."""


class UploadNotices(Protocol):
    """The notices of a storage about files that clients have uploaded: a queue, whose messages may come twice.

    A notice that was received is hidden for a while. If it is not `done` by then, it is received again.
    """

    @abstractmethod
    def receive(self, *, wait: timedelta = timedelta()) -> UploadNotice | None:
        """Return the next notice, None if there is none within `wait`; raise `Unavailable`."""


class NoUploadNotices(UploadNotices):
    """No notices: clients say themselves that they have uploaded a file."""

    def receive(self, *, wait: timedelta = timedelta()) -> UploadNotice | None:  # noqa: ARG002 - none will come
        return None
