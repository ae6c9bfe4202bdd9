"""Working through the file of an import, chunk by chunk."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import NotFound, PreconditionFailed, Unavailable
from unite_core.files import Files, delete_quietly
from unite_core.identity.ports import IdentityUnitOfWork
from unite_core.ids import Ids
from unite_core.imports.chunk import Chunk, Row
from unite_core.imports.columns import ColumnMap
from unite_core.imports.decoding import InvalidFile
from unite_core.imports.error_report import RejectedRow, report_lines
from unite_core.imports.events import (
    LEADS_CREATED,
    LEADS_UPDATED,
    import_finished,
    import_started,
    leads_of_import,
)
from unite_core.imports.lease import CancelRequested, Lease, LeaseRenewingStream, LostLease, StopRequested
from unite_core.imports.lines import Readable
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
from unite_core.imports.reading import Dialect, Record, RecordReader, detect_dialect
from unite_core.imports.rows import LeadDraft, RowInterpreter, RowRules
from unite_core.imports.store_chunk import store_chunk, store_dry_run
from unite_core.leads.model import DuplicateLead
from unite_core.phone import PhonePolicy
from unite_core.unit_of_work import UnitOfWorkFactory

CHUNK_ROWS = 2000
CHUNK_BYTES = 2 * 1024 * 1024
"""How much of the file is read for one chunk, a block more or less: its rows may have a million characters each."""

REPORT_PAGE = 200
MAX_CACHED_OWNERS = 10_000


def _never() -> bool:
    return False


@dataclass(frozen=True)
class ContinueImport:
    """Work through an import from its last committed chunk on, until it ends or the worker has to stop.

    Each chunk is one transaction that holds its leads, its rejections and the checkpoint: a worker that dies leaves
    no row half done. Only the holder of the import's lease commits. Safe to run twice and side by side.

    Returns the import's status when it stopped, None where another worker is at it. `on_taken` is called once it is
    certain that there is something to do here: an import that has ended keeps its status and is not taken, nor is one
    that another worker holds. `Unavailable` passes through: the import stays as it is and is continued later.
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
        holder: str,
        should_stop: Callable[[], bool] = _never,
        on_taken: Callable[[], None] = lambda: None,
    ) -> ImportStatus | None:
        taken = self._take(import_id, holder)
        if not isinstance(taken, LeadImport):
            return taken
        on_taken()
        lease = Lease(self.work, self.clock, import_id, holder, should_stop)
        try:
            return self._run(taken, lease) if taken.attempts <= MAX_ATTEMPTS else self._give_up(taken, lease)
        except LostLease:
            return None
        except Unavailable:
            self._excuse(lease)
            raise

    def _take(self, import_id: UUID, holder: str) -> LeadImport | ImportStatus | None:
        now = self.clock.now()
        with self.work() as work:
            wanted = work.imports.get(import_id)
            if wanted.status not in (ImportStatus.QUEUED, ImportStatus.RUNNING):
                return wanted.status
            if wanted.held_by_another(holder, now):
                return None
            first = wanted.started_at is None
            wanted.take(holder, now)
            wanted.touched()
            if first:
                work.record(import_started(self.ids.new(), now, wanted))
            work.imports.save(wanted)
            work.commit()
        return wanted

    def _run(self, taken: LeadImport, lease: Lease) -> ImportStatus:
        try:
            self._work_through(taken, lease)
        except InvalidFile as refused:
            return self._end(lease, Failure(refused.code, refused.detail), columns=refused.columns)
        except NotFound:
            return self._end(lease, Failure("file_missing", "The uploaded file is gone; upload it again."))
        except StopRequested:
            return self._let_go(lease)
        except CancelRequested:
            pass
        return self._end(lease)

    def _give_up(self, taken: LeadImport, lease: Lease) -> ImportStatus:
        failure = Failure("gave_up", f"It could not be continued from row {taken.last_row + 1}; tell support.")
        # It may be the report that workers die of; then it is given up without one.
        return self._end(lease, failure, report=taken.attempts <= 2 * MAX_ATTEMPTS)

    def _work_through(self, taken: LeadImport, lease: Lease) -> None:
        """Commit chunk after chunk; raises `CancelRequested` or `StopRequested` where that is not to go on."""
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
        enough = reader.bytes_read + CHUNK_BYTES
        for record in islice(records, self.chunk_rows):
            chunk.append((record, interpret(record)))
            if reader.bytes_read >= enough:
                break
        return chunk

    def _examine(self, taken: LeadImport, lease: Lease) -> LeadImport:
        dialect, columns = detect_dialect(
            lambda: self._reading(taken.key, lease),
            taken.options.columns,
            names_needed=taken.options.on_duplicate is OnDuplicate.SKIP,
        )
        with lease.held() as (_, mine):
            mine.examined(dialect.to_plain(), columns.to_plain())
        return mine

    def _commit(self, lease: Lease, rows: list[Row], bytes_read: int, seconds: float) -> LeadImport:
        """Decide about the rows and store what they come to; anew where somebody changes one of the leads meanwhile."""
        return retry_on_deadlock(
            lambda: self._commit_once(lease, rows, bytes_read, seconds), DuplicateLead, PreconditionFailed
        )

    def _commit_once(self, lease: Lease, rows: list[Row], bytes_read: int, seconds: float) -> LeadImport:
        phones = {draft.phone.key for _, draft in rows if isinstance(draft, LeadDraft) and draft.phone is not None}
        emails = {draft.email for _, draft in rows if isinstance(draft, LeadDraft) and draft.email is not None}
        with lease.held() as (work, mine):
            if mine.cancel_requested:
                return mine
            dry = mine.options.dry_run
            matches = work.rehearsal.matches(mine.id, phones, emails) if dry else work.leads.matches(phones, emails)
            now = self.clock.now()
            result = Chunk(mine, matches, self.ids, now).decide(rows)
            if dry:
                store_dry_run(work, mine.id, result)
            else:
                store_chunk(work, mine.id, result)
                self._tell(work, mine, LEADS_CREATED, [lead.id for it in result.writes for lead in it.created])
                self._tell(work, mine, LEADS_UPDATED, [snapshot.lead_id for snapshot in result.snapshots])
            work.rows.reject(mine.id, result.rejections)
            mine.advance(rows[-1][0].row, bytes_read, result.counts, seconds, now)
        return mine

    def _tell(self, work: ImportsUnitOfWork, mine: LeadImport, what: str, lead_ids: Sequence[UUID]) -> None:
        if lead_ids:
            work.record(leads_of_import(self.ids.new(), what, self.clock.now(), mine, lead_ids))

    def _excuse(self, lease: Lease) -> None:
        """Not count this attempt: it was not the file that it failed for.

        Nor where another worker holds the import by now: who waits long for an answer loses the lease before it fails.
        """
        with suppress(Unavailable):
            retry_on_deadlock(lambda: self._count_one_less(lease.import_id))

    def _count_one_less(self, import_id: UUID) -> None:
        with self.work() as work:
            wanted = work.imports.get(import_id)
            if wanted.status is ImportStatus.RUNNING:
                wanted.uncount_attempt()
                wanted.touched()
                work.imports.save(wanted)
                work.commit()

    def _let_go(self, lease: Lease) -> ImportStatus:
        with lease.held() as (_, mine):
            mine.uncount_attempt()
            mine.release_lease()
        return mine.status

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
        with lease.held() as (work, mine):
            if columns:
                mine.examined(mine.dialect, [dict(column) for column in columns])
            if failure is not None:
                mine.fail(failure, now, report_key)
            elif mine.cancel_requested:
                mine.cancel(now, report_key)
            else:
                mine.complete(now, report_key)
            work.record(import_finished(self.ids.new(), now, mine))
            work.rehearsal.clear(mine.id)
            work.after_commit(partial(delete_quietly, self.files, mine.key))
        return mine.status

    def _write_report(self, lease: Lease) -> str | None:
        with self.reads() as reads:
            done = reads.imports.get(lease.import_id)
        if not done.counts.rejected:
            return None
        key = report_key(done.id)
        header = Dialect.from_plain(done.dialect).header
        with self.files.write(key, content_type=CSV_TYPE) as report:
            for line in report_lines(header, self._rejected(lease)):
                report.write(line)
        return key

    def _rejected(self, lease: Lease) -> Iterator[RejectedRow]:
        row = 0
        while True:
            with self.reads() as reads:
                page = reads.rows.rejections(lease.import_id, kind=RowKind.REJECTED, after_row=row, limit=REPORT_PAGE)
            for found in page:
                yield RejectedRow(found.row, found.problems, found.cells)
            if len(page) < REPORT_PAGE:
                return
            row = page[-1].row
            lease.keep()


def owners(work: IdentityUnitOfWork) -> dict[str, UUID]:
    """How a cell may name an active user: by e-mail address, by id, or by a name that only one of them has."""
    users = work.users.active(limit=MAX_CACHED_OWNERS)
    bearers = Counter(user.name.lower() for user in users)
    known = {user.name.lower(): user.id for user in users if bearers[user.name.lower()] == 1}
    for user in users:
        known[user.email] = user.id
        known[str(user.id)] = user.id
    return known


def report_key(import_id: UUID) -> str:
    """Where the files hold the error report of an import."""
    return f"reports/{import_id}.csv"
