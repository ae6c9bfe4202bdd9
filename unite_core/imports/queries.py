"""Queries of imports, their rejected rows and their activity."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from unite_core.checks import BatchSize, Input, UseCase, between
from unite_core.clock import Clock
from unite_core.errors import NotFound
from unite_core.events import Event
from unite_core.files import Download, Files, download_name
from unite_core.identity.model import Actor, Permission
from unite_core.imports.model import CSV_TYPE, REPORT_LINK_TTL, LeadImport, Rejection, RowKind
from unite_core.imports.ports import ImportFilter, ImportsUnitOfWork
from unite_core.notifications.ports import ActivityLog
from unite_core.paging import Page, PageRequest
from unite_core.unit_of_work import UnitOfWorkFactory


@dataclass(frozen=True)
class GetImport(UseCase):
    """Get one import: its progress, its counts, its columns. Admins and managers only.

    Raises `Forbidden` and `NotFound`.
    """

    reads: UnitOfWorkFactory[ImportsUnitOfWork]

    def __call__(self, actor: Actor, import_id: UUID) -> LeadImport:
        actor.must(Permission.IMPORT_LEADS)
        with self.reads() as reads:
            return reads.imports.get(import_id)


@dataclass(frozen=True)
class ListImports(UseCase):
    """List imports, newest first. Admins and managers only.

    Raises `Forbidden`.
    """

    reads: UnitOfWorkFactory[ImportsUnitOfWork]

    def __call__(self, actor: Actor, filters: ImportFilter, request: PageRequest) -> Page[LeadImport]:
        actor.must(Permission.IMPORT_LEADS)
        with self.reads() as reads:
            return reads.imports.page(filters, request)


MAX_REJECTIONS = 500
"""Rejected rows on a page."""

MAX_ROW = 2**31 - 1
"""The greatest number of a row: a file of the maximum size has fewer bytes."""


@dataclass(frozen=True, kw_only=True)
class RejectionFilter(Input):
    """A filter of rejections: those of one kind, or all (None), from rows after `after_row`."""

    import_id: UUID
    kind: RowKind | None = None
    after_row: Annotated[int, between(0, MAX_ROW)] = 0
    limit: Annotated[int, between(1, MAX_REJECTIONS)]


@dataclass(frozen=True)
class RejectionPage:
    """A page of rejections, sorted by row; `next_row` is the row after which the following page starts."""

    items: tuple[Rejection, ...]
    next_row: int | None


@dataclass(frozen=True)
class ListRejections(UseCase):
    """List the rows that made no lead, in the order of the file, also while the import runs. Admins and managers only.

    Raises `Forbidden` and `NotFound`.
    """

    reads: UnitOfWorkFactory[ImportsUnitOfWork]

    def __call__(self, actor: Actor, filters: RejectionFilter) -> RejectionPage:
        actor.must(Permission.IMPORT_LEADS)
        with self.reads() as reads:
            reads.imports.get(filters.import_id)
            rejections = reads.rows.rejections(
                filters.import_id, kind=filters.kind, after_row=filters.after_row, limit=filters.limit + 1
            )
        items = tuple(rejections[: filters.limit])
        return RejectionPage(items, items[-1].row if len(rejections) > filters.limit else None)


@dataclass(frozen=True)
class GetErrorReport(UseCase):
    """Get a short-lived link to the error report: a CSV of the rejected rows that can be corrected and uploaded again.

    Admins and managers only. There is one once the import has ended with rejected rows.

    Raises `Forbidden` and `NotFound` (`no_error_report`).
    """

    reads: UnitOfWorkFactory[ImportsUnitOfWork]
    files: Files

    def __call__(self, actor: Actor, import_id: UUID) -> Download:
        actor.must(Permission.IMPORT_LEADS)
        with self.reads() as reads:
            lead_import = reads.imports.get(import_id)
        if lead_import.report_key is None:
            why = "the import has not ended yet"
            if lead_import.status.ended:
                why = "it was deleted after its time" if lead_import.counts.rejected else "no row was rejected"
            raise NotFound(f"There is no error report: {why}.", code="no_error_report")
        stem = lead_import.filename.removesuffix(".csv")
        return self.files.sign_download(
            lead_import.report_key,
            filename=download_name(stem, ".errors.csv"),
            content_type=CSV_TYPE,
            ttl=REPORT_LINK_TTL,
        )


@dataclass(frozen=True)
class GetImportActivity(UseCase):
    """List the activity of an import, newest first, without its changes of single leads. Admins and managers only.

    The log is updated after the fact, most often within seconds, and later if it was unavailable.

    Raises `Forbidden` and `NotFound`, and `Unavailable` if the log cannot be read.
    """

    reads: UnitOfWorkFactory[ImportsUnitOfWork]
    activity: ActivityLog

    def __call__(self, actor: Actor, import_id: UUID, request: PageRequest) -> Page[Event]:
        actor.must(Permission.IMPORT_LEADS)
        with self.reads() as reads:
            reads.imports.get(import_id)
        return self.activity.of_import(import_id, request)


@dataclass(frozen=True)
class DueImports(UseCase):
    """Return the ids of the imports that no worker processes, oldest first, for workers to continue."""

    reads: UnitOfWorkFactory[ImportsUnitOfWork]
    clock: Clock

    def __call__(self, *, limit: BatchSize = 100) -> "ImportsToContinue":
        with self.reads() as reads:
            unfinished = reads.imports.unfinished(now=self.clock.now(), limit=limit)
        return ImportsToContinue(
            to_import=tuple(due.id for due in unfinished if not due.undoing),
            to_undo=tuple(due.id for due in unfinished if due.undoing),
            correlation_ids={due.id: due.correlation_id for due in unfinished},
            traceparents={due.id: due.traceparent for due in unfinished},
        )


@dataclass(frozen=True)
class ImportsToContinue:
    """The imports to continue and the undos to continue, and the request that caused each of them, and its span."""

    to_import: tuple[UUID, ...]
    to_undo: tuple[UUID, ...]
    correlation_ids: Mapping[UUID, str | None] = field(default_factory=dict)
    traceparents: Mapping[UUID, str | None] = field(default_factory=dict)
