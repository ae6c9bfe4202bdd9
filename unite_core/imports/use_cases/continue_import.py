"""Use case: process the file of an import, chunk by chunk."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Annotated, Any
from uuid import UUID

from unite_core.checks import UseCase
from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import NotFound, PreconditionFailed, Unavailable
from unite_core.files import Files, delete_quietly
from unite_core.identity.ports import IdentityUnitOfWork
from unite_core.ids import Ids
from unite_core.imports.chunk import Chunk, Row
from unite_core.imports.csv.columns import ColumnMap
from unite_core.imports.csv.decoding import InvalidFile
from unite_core.imports.csv.error_report import RejectedRow, report_lines
from unite_core.imports.csv.lines import Readable
from unite_core.imports.csv.reading import Dialect, Record, RecordReader, detect_dialect
from unite_core.imports.csv.rows import LeadDraft, RowInterpreter, RowRules
from unite_core.imports.events import (
    LEADS_CREATED,
    LEADS_UPDATED,
    import_finished,
    import_started,
    leads_of_import,
)
from unite_core.imports.lease import CancelRequested, Lease, LeaseRenewingStream, LostLease, StopRequested
from unite_core.imports.model import (
    CSV_TYPE,
    MAX_ATTEMPTS,
    Failure,
    ImportStatus,
    LeadImport,
    OnDuplicate,
    RowKind,
)
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.imports.store_chunk import store_chunk, store_dry_run
from unite_core.leads.model import DuplicateLead
from unite_core.phone import PhonePolicy
from unite_core.text import line
from unite_core.unit_of_work import UnitOfWorkFactory

CHUNK_ROWS = 2000
CHUNK_BYTES = 2 * 1024 * 1024
"""How much of the file is read for one chunk, plus or minus a block: its rows may have a million characters each."""

REPORT_PAGE = 200
MAX_HOLDER_LENGTH = 128
MAX_CACHED_OWNERS = 10_000


def _never() -> bool:
    return False


@dataclass(frozen=True)
class ContinueImport(UseCase):
    """Process an import from its last committed chunk on, until it ends or the worker has to stop.

    Each chunk is one transaction with its leads, its rejections and the checkpoint: a worker that dies leaves
    no row half done. Only the holder of the import's lease commits. Safe to run twice and at the same time.

    Returns the import's status when it stopped, None if another worker processes it. `on_taken` is called once it is
    certain that there is something to do: an import that has ended keeps its status and is not taken, and neither is
    one that another worker holds. `Unavailable` passes through: the import stays as it is and is continued later.
    """

    work: UnitOfWorkFactory[ImportsUnitOfWork]
    reads: UnitOfWorkFactory[ImportsUnitOfWork]
    files: Files
    clock: Clock
    ids: Ids
    phones: PhonePolicy
    chunk_rows: int = CHUNK_ROWS

    def __call__(
        self,
        import_id: UUID,
        *,
        holder: Annotated[str, line(MAX_HOLDER_LENGTH)],
        should_stop: Callable[[], bool] = _never,
        on_taken: Callable[[], None] = lambda: None,
    ) -> ImportStatus | None:
        taken = self._take(import_id, holder)
        if not isinstance(taken, LeadImport):
            return taken
        on_taken()
        lease = Lease(self.work, self.clock, import_id, holder, should_stop)
        try:
            return self._run(taken, lease) if taken.attempts <= MAX_ATTEMPTS else self._fail(taken, lease)
        except LostLease:
            return None
        except Unavailable:
            self._uncount_attempt(lease)
            raise

    def _take(self, import_id: UUID, holder: str) -> LeadImport | ImportStatus | None:
        now = self.clock.now()
        with self.work() as work:
            lead_import = work.imports.get(import_id)
            if lead_import.status not in (ImportStatus.QUEUED, ImportStatus.RUNNING):
                return lead_import.status
            if lead_import.held_by_another(holder, now):
                return None
            first = lead_import.started_at is None
            lead_import.take(holder, now)
            lead_import.mark_updated()
            if first:
                work.record(import_started(self.ids.new(), now, lead_import))
            work.imports.save(lead_import)
            work.commit()
        return lead_import

    def _run(self, taken: LeadImport, lease: Lease) -> ImportStatus:
        try:
            self._process(taken, lease)
        except InvalidFile as refused:
            return self._end(lease, Failure(refused.code, refused.detail), columns=refused.columns)
        except NotFound:
            return self._end(lease, Failure("file_missing", "The uploaded file is gone; upload it again."))
        except StopRequested:
            return self._release(lease)
        except CancelRequested:
            pass
        return self._end(lease)

    def _fail(self, taken: LeadImport, lease: Lease) -> ImportStatus:
        failure = Failure("gave_up", f"It could not be continued from row {taken.last_row + 1}; tell support.")
        # Writing the report may be what kills workers; after more attempts the import fails without one.
        return self._end(lease, failure, report=taken.attempts <= 2 * MAX_ATTEMPTS)

    def _process(self, taken: LeadImport, lease: Lease) -> None:
        """Commit chunk after chunk; raise `CancelRequested` or `StopRequested` if it must not go on."""
        since = self.clock.now()
        if not taken.dialect:
            taken = self._examine(taken, lease)
        dialect = Dialect.from_plain(taken.dialect)
        columns = ColumnMap.from_plain(taken.columns)
        with self.reads() as reads:
            rules = RowRules(
                default_country=taken.options.default_country or self.phones.default_country,
                phone_rule=self.phones.rule,
                owners=owners(reads),
            )
        interpret = RowInterpreter(columns, rules, len(dialect.header))
        with self._reading(taken.key, lease) as stream:
            reader = RecordReader(stream, dialect.encoding, dialect.delimiter)
            reader.skip(max(taken.last_row, dialect.header_row))
            records = iter(reader)
            while chunk := self._next_chunk(reader, records, interpret):
                now = self.clock.now()
                taken = self._commit(lease, chunk, reader.bytes_read, (now - since).total_seconds())
                since = now
                lease.raise_if_stopped(taken)

    @contextmanager
    def _reading(self, key: str, lease: Lease) -> Iterator[Readable]:
        with self.files.read(key) as stream:
            yield LeaseRenewingStream(stream, lease)

    def _next_chunk(self, reader: RecordReader, records: Iterator[Record], interpret: RowInterpreter) -> list[Row]:
        chunk: list[Row] = []
        limit = reader.bytes_read + CHUNK_BYTES
        for record in islice(records, self.chunk_rows):
            chunk.append((record, interpret(record)))
            if reader.bytes_read >= limit:
                break
        return chunk

    def _examine(self, taken: LeadImport, lease: Lease) -> LeadImport:
        dialect, columns = detect_dialect(
            lambda: self._reading(taken.key, lease),
            taken.options.columns,
            names_needed=taken.options.on_duplicate is OnDuplicate.SKIP,
        )
        with lease.held() as (_, lead_import):
            lead_import.examined(dialect.to_plain(), columns.to_plain())
        return lead_import

    def _commit(self, lease: Lease, rows: list[Row], bytes_read: int, seconds: float) -> LeadImport:
        """Decide about the rows and store the result; try again if somebody changes one of the leads meanwhile."""
        return retry_on_deadlock(
            lambda: self._commit_once(lease, rows, bytes_read, seconds), DuplicateLead, PreconditionFailed
        )

    def _commit_once(self, lease: Lease, rows: list[Row], bytes_read: int, seconds: float) -> LeadImport:
        phones = {draft.phone.key for _, draft in rows if isinstance(draft, LeadDraft) and draft.phone is not None}
        emails = {draft.email for _, draft in rows if isinstance(draft, LeadDraft) and draft.email is not None}
        with lease.held() as (work, lead_import):
            if lead_import.cancel_requested:
                return lead_import
            dry = lead_import.options.dry_run
            matches = (
                work.rehearsal.matches(lead_import.id, phones, emails) if dry else work.leads.matches(phones, emails)
            )
            now = self.clock.now()
            result = Chunk(lead_import, matches, self.ids, now).decide(rows)
            if dry:
                store_dry_run(work, lead_import.id, result)
            else:
                store_chunk(work, lead_import.id, result)
                created = [lead.id for writes in result.writes for lead in writes.created]
                self._record(work, lead_import, LEADS_CREATED, created)
                self._record(work, lead_import, LEADS_UPDATED, [snapshot.lead_id for snapshot in result.snapshots])
            work.rows.reject(lead_import.id, result.rejections)
            lead_import.advance(rows[-1][0].row, bytes_read, result.counts, seconds, now)
        return lead_import

    def _record(
        self, work: ImportsUnitOfWork, lead_import: LeadImport, event_type: str, lead_ids: Sequence[UUID]
    ) -> None:
        if lead_ids:
            work.record(leads_of_import(self.ids.new(), event_type, self.clock.now(), lead_import, lead_ids))

    def _uncount_attempt(self, lease: Lease) -> None:
        """Do not count this attempt: it did not fail because of the file.

        Nor if another worker holds the import by now: a worker that waits long for a response loses the lease before it
        fails.
        """
        with suppress(Unavailable):
            retry_on_deadlock(lambda: self._count_one_less(lease.import_id))

    def _count_one_less(self, import_id: UUID) -> None:
        with self.work() as work:
            lead_import = work.imports.get(import_id)
            if lead_import.status is ImportStatus.RUNNING:
                lead_import.uncount_attempt()
                lead_import.mark_updated()
                work.imports.save(lead_import)
                work.commit()

    def _release(self, lease: Lease) -> ImportStatus:
        with lease.held() as (_, lead_import):
            lead_import.uncount_attempt()
            lead_import.release_lease()
        return lead_import.status

    def _end(
        self,
        lease: Lease,
        failure: Failure | None = None,
        *,
        columns: Sequence[Mapping[str, Any]] = (),
        report: bool = True,
    ) -> ImportStatus:
        report_key = self._write_report(lease) if report else None
        now = self.clock.now()
        with lease.held() as (work, lead_import):
            if columns:
                lead_import.examined(lead_import.dialect, [dict(column) for column in columns])
            if failure is not None:
                lead_import.fail(failure, now, report_key)
            elif lead_import.cancel_requested:
                lead_import.cancel(now, report_key)
            else:
                lead_import.complete(now, report_key)
            work.record(import_finished(self.ids.new(), now, lead_import))
            work.rehearsal.clear(lead_import.id)
            work.after_commit(partial(delete_quietly, self.files, lead_import.key))
        return lead_import.status

    def _write_report(self, lease: Lease) -> str | None:
        with self.reads() as reads:
            lead_import = reads.imports.get(lease.import_id)
        if not lead_import.counts.rejected:
            return None
        key = report_key(lead_import.id)
        header = Dialect.from_plain(lead_import.dialect).header
        with self.files.write(key, content_type=CSV_TYPE) as report:
            for line in report_lines(header, self._rejected(lease)):
                report.write(line)
        return key

    def _rejected(self, lease: Lease) -> Iterator[RejectedRow]:
        row = 0
        while True:
            with self.reads() as reads:
                page = reads.rows.rejections(lease.import_id, kind=RowKind.REJECTED, after_row=row, limit=REPORT_PAGE)
            for rejection in page:
                yield RejectedRow(rejection.row, rejection.problems, rejection.cells)
            if len(page) < REPORT_PAGE:
                return
            row = page[-1].row
            lease.keep()


def owners(work: IdentityUnitOfWork) -> dict[str, UUID]:
    """Return the names of active users in cells: e-mail address, id, or a name that only one of them has."""
    users = work.users.active(limit=MAX_CACHED_OWNERS)
    counts = Counter(user.name.lower() for user in users)
    ids = {user.name.lower(): user.id for user in users if counts[user.name.lower()] == 1}
    for user in users:
        ids[user.email] = user.id
        ids[str(user.id)] = user.id
    return ids


def report_key(import_id: UUID) -> str:
    """Return the key of the error report of an import in file storage."""
    return f"reports/{import_id}.csv"
