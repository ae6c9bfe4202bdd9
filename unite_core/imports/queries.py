"""What can be asked about imports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

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
class GetImport:
    """Read one import: how far it is, its counts, its columns. Admins and managers only.

    Raises `Forbidden` and `NotFound`.
    """

    reads: UnitOfWorkFactory[ImportsUnitOfWork]

    def __call__(self, actor: Actor, import_id: UUID) -> LeadImport:
        actor.must(Permission.IMPORT_LEADS)
        with self.reads() as reads:
            return reads.imports.get(import_id)


@dataclass(frozen=True)
class ListImports:
    """List imports, newest first. Admins and managers only.

    Raises `Forbidden`.
    """

    reads: UnitOfWorkFactory[ImportsUnitOfWork]

    def __call__(self, actor: Actor, filters: ImportFilter, request: PageRequest) -> Page[LeadImport]:
        actor.must(Permission.IMPORT_LEADS)
        with self.reads() as reads:
            return reads.imports.page(filters, request)


@dataclass(frozen=True, kw_only=True)
class RejectionFilter:
    """Which rejections a list holds: those of one kind, or all (None), from rows after `after_row`."""

    import_id: UUID
    kind: RowKind | None = None
    after_row: int = 0
    limit: int


@dataclass(frozen=True)
class RejectionPage:
    """A stretch of the rejections, in the order of rows; `next_row` is what the following page starts after."""

    items: tuple[Rejection, ...]
    next_row: int | None


@dataclass(frozen=True)
class ListRejections:
    """List the rows that made no lead, in the order of the file, while it runs too. Admins and managers only.

    Raises `Forbidden` and `NotFound`.
    """

    reads: UnitOfWorkFactory[ImportsUnitOfWork]

    def __call__(self, actor: Actor, filters: RejectionFilter) -> RejectionPage:
        actor.must(Permission.IMPORT_LEADS)
        with self.reads() as reads:
            reads.imports.get(filters.import_id)
            found = reads.rows.rejections(
                filters.import_id, kind=filters.kind, after_row=filters.after_row, limit=filters.limit + 1
            )
        items = tuple(found[: filters.limit])
        return RejectionPage(items, items[-1].row if len(found) > filters.limit else None)


@dataclass(frozen=True)
class GetErrorReport:
    """Get a short-lived link to the error report: a CSV of the rejected rows that can be corrected and uploaded again.

    Admins and managers only. There is one once the import has ended with rejected rows.

    Raises `Forbidden` and `NotFound` (`no_error_report`).
    """

    reads: UnitOfWorkFactory[ImportsUnitOfWork]
    files: Files

    def __call__(self, actor: Actor, import_id: UUID) -> Download:
        actor.must(Permission.IMPORT_LEADS)
        with self.reads() as reads:
            wanted = reads.imports.get(import_id)
        if wanted.report_key is None:
            why = "the import has not ended yet"
            if wanted.status.ended:
                why = "it was deleted after its time" if wanted.counts.rejected else "no row was rejected"
            raise NotFound(f"There is no error report: {why}.", code="no_error_report")
        stem = wanted.filename.removesuffix(".csv")
        return self.files.sign_download(
            wanted.report_key,
            filename=download_name(stem, ".errors.csv"),
            content_type=CSV_TYPE,
            ttl=REPORT_LINK_TTL,
        )


@dataclass(frozen=True)
class GetImportActivity:
    """Read what an import went through, newest first, without what it did to single leads. Admins and managers only.

    The log is told after the fact, most often within seconds, and later where it was away.

    Raises `Forbidden` and `NotFound`, and `Unavailable` where the log cannot be read.
    """

    reads: UnitOfWorkFactory[ImportsUnitOfWork]
    activity: ActivityLog

    def __call__(self, actor: Actor, import_id: UUID, request: PageRequest) -> Page[Event]:
        actor.must(Permission.IMPORT_LEADS)
        with self.reads() as reads:
            reads.imports.get(import_id)
        return self.activity.of_import(import_id, request)


@dataclass(frozen=True)
class DueImports:
    """Tell workers what there is to do: the ids of imports that nobody works on, oldest first."""

    reads: UnitOfWorkFactory[ImportsUnitOfWork]
    clock: Clock

    def __call__(self, *, limit: int = 100) -> "ImportsToContinue":
        with self.reads() as reads:
            found = reads.imports.unfinished(now=self.clock.now(), limit=limit)
        return ImportsToContinue(
            to_import=tuple(due.id for due in found if not due.undoing),
            to_undo=tuple(due.id for due in found if due.undoing),
            correlation_ids={due.id: due.correlation_id for due in found},
        )


@dataclass(frozen=True)
class ImportsToContinue:
    """The imports to continue and the imports to go on undoing, and which request each of them follows from."""

    to_import: tuple[UUID, ...]
    to_undo: tuple[UUID, ...]
    correlation_ids: Mapping[UUID, str | None] = field(default_factory=dict)
