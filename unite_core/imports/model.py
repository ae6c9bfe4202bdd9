"""Imports: their states, options, checkpoint, counts and rejections."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from unite_core.checks import Checked, Input
from unite_core.errors import Conflict, FieldError

MAX_FILE_BYTES = 512 * 1024 * 1024
UPLOAD_TTL = timedelta(hours=1)
REPORT_LINK_TTL = timedelta(minutes=5)
SAME_FILE_WITHIN = timedelta(hours=24)
CSV_TYPE = "text/csv"
DEFAULT_SOURCE = "import"
MAX_ATTEMPTS = 5
"""How many times workers may take an import without progress before it fails."""

LEASE = timedelta(seconds=15)
"""How long a worker may be silent before another continues its import."""


class SameFile(Conflict):
    """Another import has the same `same_file_key`: a concurrent request sent the same file first."""

    code = "same_file"


class ImportStatus(StrEnum):
    """The status of an import."""

    AWAITING_UPLOAD = "awaiting_upload"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether the status is final."""
        return self in (ImportStatus.COMPLETED, ImportStatus.FAILED, ImportStatus.CANCELLED)


class OnDuplicate(StrEnum):
    """How a row that repeats a lead is handled: it is skipped, or its filled cells overwrite the lead's."""

    SKIP = "skip"
    UPDATE = "update"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions(Input):
    """How a file is read. `columns` maps headers of the file to fields of a lead (None: ignore that column)."""

    on_duplicate: OnDuplicate = OnDuplicate.SKIP
    default_country: str | None = None
    default_source: str | None = None
    default_assigned_to: UUID | None = None
    columns: Mapping[str, str | None] = field(default_factory=dict)
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Counts(Checked):
    """The number of processed rows by result: `rows` is always the sum of the others."""

    created: int = 0
    updated: int = 0
    duplicate: int = 0
    rejected: int = 0

    @property
    def rows(self) -> int:
        """The number of processed rows."""
        return self.created + self.updated + self.duplicate + self.rejected

    def plus(self, other: "Counts") -> "Counts":
        """Return the sum of both."""
        return Counts(
            self.created + other.created,
            self.updated + other.updated,
            self.duplicate + other.duplicate,
            self.rejected + other.rejected,
        )


@dataclass(frozen=True, slots=True)
class Failure(Checked):
    """The reason why an import failed: a stable code and a sentence that says what to do."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Undone(Checked):
    """The number of an import's leads that were removed, restored, or left unchanged when it was undone.

    `finished_at` is None while the undo is in progress.
    """

    removed: int = 0
    restored: int = 0
    kept: int = 0
    finished_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class LeadImport(Checked):
    """An import and its checkpoint.

    Every row up to `last_row` (as a spreadsheet numbers them) has been processed and its effect was
    committed with this number; `bytes_done` of `size` bytes had been read by then. `seconds_worked` is the
    time that all workers spent on it. `holder` is the worker that processes it, whose lease ends at `held_until`;
    `attempts` counts how many times a worker took it since its last progress. `undo_row` is the last row whose
    created lead was checked by the undo. `dialect` and `columns` are the results of examining the file, in
    plain values, empty before. `traceparent` (W3C Trace Context) names the span that made it due, if that was traced.
    `same_file_key` is unique: a digest of user, bytes and options.
    """

    id: UUID
    filename: str
    size: int
    status: ImportStatus
    options: ImportOptions
    key: str
    created_by: UUID
    created_at: datetime
    dialect: dict[str, Any] = field(default_factory=dict)
    columns: list[dict[str, Any]] = field(default_factory=list)
    counts: Counts = Counts()
    last_row: int = 0
    bytes_done: int = 0
    seconds_worked: float = 0.0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    failure: Failure | None = None
    report_key: str | None = None
    same_file_key: str | None = None
    cancel_requested: bool = False
    undone: Undone | None = None
    undo_row: int = 0
    holder: str | None = None
    held_until: datetime | None = None
    attempts: int = 0
    correlation_id: str | None = None
    traceparent: str | None = None
    version: int = 1

    def queue(self, size: int, same_file_key: str, correlation_id: str | None = None) -> None:
        """Queue the import: its file is there, and a worker is to take it for the request with the `correlation_id`."""
        if self.status is not ImportStatus.AWAITING_UPLOAD:
            raise Conflict(f"The import is {self.status} already.", code="already_started")
        self.size = size
        self.same_file_key = same_file_key
        self.correlation_id = correlation_id
        self.status = ImportStatus.QUEUED

    def take(self, holder: str, now: datetime) -> None:
        """Assign the import to the worker `holder` for the length of a lease."""
        if self.status is ImportStatus.QUEUED:
            self.status = ImportStatus.RUNNING
            self.started_at = now
        self.attempts += 1
        self.holder = holder
        self.renew(now)

    def held_by_another(self, holder: str, now: datetime) -> bool:
        """Return whether another worker has a lease on the import."""
        return self.holder not in (None, holder) and self.held_until is not None and now < self.held_until

    def examined(self, dialect: dict[str, Any], columns: list[dict[str, Any]]) -> None:
        """Store encoding, delimiter and columns of the file."""
        self.dialect = dialect
        self.columns = columns

    def renew(self, now: datetime) -> None:
        """Renew the lease of the worker."""
        self.held_until = now + LEASE

    def release_lease(self) -> None:
        """Release the lease, so that another worker can take the import at once."""
        self.holder = None
        self.held_until = None

    def advance(self, last_row: int, bytes_done: int, counts: Counts, seconds: float, now: datetime) -> None:
        """Move the checkpoint one chunk further, and renew the lease."""
        self.last_row = last_row
        self.bytes_done = bytes_done
        self.counts = self.counts.plus(counts)
        self.seconds_worked += seconds
        self.attempts = 0
        self.renew(now)

    def complete(self, now: datetime, report_key: str | None) -> None:
        """Complete the import: the end of the file was reached."""
        self.status = ImportStatus.COMPLETED
        self.bytes_done = self.size
        self._end(now)
        self.report_key = report_key

    def uncount_attempt(self) -> None:
        """Do not count the current attempt."""
        self.attempts = max(0, self.attempts - 1)

    def fail(self, failure: Failure, now: datetime, report_key: str | None = None) -> None:
        """Fail the import, for a reason that its owner can act on. The same file may be uploaded again."""
        self.status = ImportStatus.FAILED
        self.failure = failure
        self.same_file_key = None
        self.report_key = report_key
        self._end(now)

    def request_cancel(self, now: datetime) -> None:
        """Cancel the import: at once if no worker processes it, else by its worker before the next chunk."""
        if self.status.ended:
            if self.status is ImportStatus.CANCELLED:
                return
            raise Conflict(f"The import has {self.status} already; undo it instead.", code="import_ended")
        self.cancel_requested = True
        if self.status is not ImportStatus.RUNNING:
            self.cancel(now, None)

    def cancel(self, now: datetime, report_key: str | None) -> None:
        """Cancel the import here: what was imported so far stays, and can be undone."""
        self.status = ImportStatus.CANCELLED
        self.same_file_key = None
        self.report_key = report_key
        self._end(now)

    def begin_undo(self) -> None:
        """Start the undo. The same file may be uploaded again."""
        if not self.status.ended:
            raise Conflict(f"The import is {self.status}; cancel it first.", code="import_not_ended")
        if self.options.dry_run:
            raise Conflict("A dry run changed nothing; there is nothing to undo.", code="nothing_to_undo")
        if self.started_at is None:
            raise Conflict("The import never ran; there is nothing to undo.", code="nothing_to_undo")
        if self.undone is None:
            self.undone = Undone()
            self.same_file_key = None
            self.traceparent = None

    def is_expired(self, now: datetime, retention: timedelta | None) -> bool:
        """Return whether it ended so long ago that the snapshots of its leads are deleted."""
        return retention is not None and self.finished_at is not None and self.finished_at < now - retention

    def record_undo_progress(self, *, removed: int, restored: int, kept: int, row: int) -> None:
        """Record progress of the undo, on created leads up to `row`."""
        so_far = self.undone or Undone()
        self.undone = Undone(so_far.removed + removed, so_far.restored + restored, so_far.kept + kept)
        self.undo_row = row

    def finish_undo(self, now: datetime) -> None:
        """Finish the undo."""
        so_far = self.undone or Undone()
        # The created leads that were not removed were left unchanged.
        touched = self.counts.created - so_far.removed
        self.undone = replace(so_far, kept=so_far.kept + touched, finished_at=now)

    @property
    def undoing(self) -> bool:
        """Whether the undo is in progress."""
        return self.undone is not None and self.undone.finished_at is None

    def mark_updated(self) -> None:
        """Count one change."""
        self.version += 1

    def _end(self, now: datetime) -> None:
        self.finished_at = now
        self.release_lease()


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of an import; the rate counts the time that workers spent on it, None before there is one."""

    bytes_done: int
    bytes_total: int
    percent: float
    rows_per_second: float | None
    eta_seconds: float | None


def progress(lead_import: LeadImport) -> Progress:
    """Compute the progress of an import, and the remaining time at the rate so far."""
    share = lead_import.bytes_done / lead_import.size if lead_import.size else 1.0
    rate = lead_import.counts.rows / lead_import.seconds_worked if lead_import.seconds_worked > 0 else None
    remaining = None
    if lead_import.status.ended:
        remaining = 0.0
    elif rate and lead_import.bytes_done:
        remaining = lead_import.seconds_worked / lead_import.bytes_done * (lead_import.size - lead_import.bytes_done)
    percent = min(100.0, round(share * 100, 1))
    return Progress(
        bytes_done=lead_import.bytes_done,
        bytes_total=lead_import.size,
        percent=percent,
        rows_per_second=None if rate is None else round(rate, 1),
        eta_seconds=None if remaining is None else round(remaining, 1),
    )


class RowKind(StrEnum):
    """Why a row made no lead: it breaks a rule, or it repeats a lead."""

    REJECTED = "rejected"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection(Checked):
    """A row that made no lead.

    `row` is its number as a spreadsheet shows it; `problems` has at least one entry; `cells` are the row's
    own, as in the file. A duplicate names the lead that it repeats (`duplicate_of`), and the row
    (`duplicate_row`) if that lead came from the same file; in a dry run there may be only a row.
    """

    row: int
    kind: RowKind
    problems: tuple[FieldError, ...]
    cells: tuple[str, ...]
    duplicate_of: UUID | None = None
    duplicate_row: int | None = None


TOUCHED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadSnapshot(Checked):
    """The state of a lead before an import first updated it, so that it can be restored.

    `made_by_import` is True if the import itself had created the lead in an earlier row: such a
    lead is removed, not restored. `version_after` is the lead's version after the import's last change of it,
    or `TOUCHED` if somebody else changed it between two changes of the import: such a lead is left unchanged.
    """

    import_id: UUID
    lead_id: UUID
    before: dict[str, Any]
    made_by_import: bool
    version_after: int
