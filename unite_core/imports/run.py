"""Working through the file of an import, chunk by chunk."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

from unite_core.clock import Clock
from unite_core.errors import NotFound, Unavailable
from unite_core.files import Files, discard
from unite_core.identity.ports import IdentityWork
from unite_core.ids import Ids
from unite_core.imports.chunk import Chunk, Row
from unite_core.imports.columns import ColumnMap
from unite_core.imports.decoding import FileRefused
from unite_core.imports.error_report import RejectedRow, report_lines
from unite_core.imports.model import (
    CSV_TYPE,
    MOST_ATTEMPTS,
    Failure,
    ImportStatus,
    LeadImport,
    OnDuplicate,
    RowKind,
)
from unite_core.imports.ports import ImportsWork
from unite_core.imports.reading import Dialect, Record, RecordReader, examine
from unite_core.imports.rows import LeadDraft, RowInterpreter, RowRules
from unite_core.imports.storing import rehearse, store
from unite_core.leads.model import DuplicateLead
from unite_core.phone import PhonePolicy
from unite_core.unit_of_work import Work

CHUNK_ROWS = 2000
CHUNK_BYTES = 2 * 1024 * 1024
"""How much of the file is read for one chunk, a block more or less: its rows may have a million characters each."""

REPORT_PAGE = 200
MOST_OWNERS = 10_000
RACES = 5
"""How often a chunk is decided anew because somebody else added one of its leads meanwhile."""


class LostLease(Exception):
    """Another worker continues this import; whoever sees this stops, and has changed nothing."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class ContinueImport:
    """Work through an import from its last committed chunk on, until it ends or the worker has to stop.

    Each chunk is one transaction that holds its leads, its rejections and the checkpoint: a worker that dies leaves
    no row half done. Only the holder of the import's lease commits. Safe to run twice and side by side.

    Returns the import's status when it stopped, None where another worker is at it. `Unavailable` passes through:
    the import stays as it is and is continued later.
    """

    work: Work[ImportsWork]
    reads: Work[ImportsWork]
    files: Files
    clock: Clock
    ids: Ids
    phones: PhonePolicy
    chunk_rows: int = CHUNK_ROWS

    def __call__(
        self, import_id: UUID, *, holder: str, should_stop: Callable[[], bool] = _never
    ) -> ImportStatus | None:
        taken = self._take(import_id, holder)
        if not isinstance(taken, LeadImport):
            return taken
        try:
            return self._run(taken, holder, should_stop)
        except LostLease:
            return None
        except Unavailable:
            self._excuse(taken.id, holder)
            raise

    def _run(self, taken: LeadImport, holder: str, should_stop: Callable[[], bool]) -> ImportStatus:
        try:
            stopped = self._work_through(taken, holder, should_stop)
        except FileRefused as refused:
            return self._end(taken.id, holder, Failure(refused.code, refused.detail), refused.columns)
        except NotFound:
            return self._end(taken.id, holder, Failure("file_missing", "The uploaded file is gone; upload it again."))
        return self._let_go(taken.id, holder) if stopped else self._end(taken.id, holder, None)

    def _take(self, import_id: UUID, holder: str) -> LeadImport | ImportStatus | None:
        now = self.clock.now()
        with self.work() as work:
            wanted = work.imports.get(import_id)
            if wanted.status not in (ImportStatus.QUEUED, ImportStatus.RUNNING):
                return wanted.status
            if wanted.held_by_another(holder, now):
                return None
            if wanted.attempts >= MOST_ATTEMPTS:
                wanted.fail(
                    Failure("gave_up", f"It could not be continued from row {wanted.last_row + 1}; tell support."), now
                )
                work.rehearsal.clear(import_id)
            else:
                wanted.take(holder, now)
            wanted.touched()
            work.imports.save(wanted)
            work.commit()
        return wanted.status if wanted.status.ended else wanted

    def _work_through(self, taken: LeadImport, holder: str, should_stop: Callable[[], bool]) -> bool:
        """Commit chunk after chunk; true where the worker has to stop before the end of the file."""
        since = self.clock.now()
        if not taken.dialect:
            taken = self._examine(taken, holder)
        dialect = Dialect.from_plain(taken.dialect)
        columns = ColumnMap.from_plain(taken.columns)
        with self.reads() as reads:
            rules = RowRules(
                default_country=taken.options.default_country or self.phones.default_country,
                phone_rule=self.phones.rule,
                owners=owners(reads),
            )
        interpret = RowInterpreter(columns, rules, len(dialect.header))
        with self.files.read(taken.key) as stream:
            reader = RecordReader(stream, dialect.encoding, dialect.delimiter)
            reader.skip(max(taken.last_row, dialect.header_row))
            records = iter(reader)
            while chunk := self._next_chunk(reader, records, interpret):
                now = self.clock.now()
                taken = self._commit(taken.id, holder, chunk, reader.bytes_read, (now - since).total_seconds())
                since = now
                if taken.cancel_requested:
                    return False
                if should_stop():
                    return True
        return False

    def _next_chunk(self, reader: RecordReader, records: Iterator[Record], interpret: RowInterpreter) -> list[Row]:
        chunk: list[Row] = []
        enough = reader.bytes_read + CHUNK_BYTES
        for record in islice(records, self.chunk_rows):
            chunk.append((record, interpret(record)))
            if reader.bytes_read >= enough:
                break
        return chunk

    def _examine(self, taken: LeadImport, holder: str) -> LeadImport:
        with ExitStack() as streams:
            dialect, columns = examine(
                lambda: streams.enter_context(self.files.read(taken.key)),
                taken.options.columns,
                names_needed=taken.options.on_duplicate is OnDuplicate.SKIP,
            )
        with self.work() as work:
            mine = self._mine(work, taken.id, holder)
            mine.examined(dialect.to_plain(), columns.to_plain())
            mine.renew(self.clock.now())
            mine.touched()
            work.imports.save(mine)
            work.commit()
        return mine

    def _commit(self, import_id: UUID, holder: str, rows: list[Row], bytes_read: int, seconds: float) -> LeadImport:
        for _ in range(RACES):
            try:
                return self._commit_once(import_id, holder, rows, bytes_read, seconds)
            except DuplicateLead:
                continue
        raise Unavailable("Too many others add the same leads at the same time.")

    def _commit_once(
        self, import_id: UUID, holder: str, rows: list[Row], bytes_read: int, seconds: float
    ) -> LeadImport:
        phones = {draft.phone.key for _, draft in rows if isinstance(draft, LeadDraft) and draft.phone is not None}
        emails = {draft.email for _, draft in rows if isinstance(draft, LeadDraft) and draft.email is not None}
        with self.work() as work:
            mine = self._mine(work, import_id, holder)
            if mine.cancel_requested:
                work.commit()
                return mine
            dry = mine.options.dry_run
            matches = work.rehearsal.matches(import_id, phones, emails) if dry else work.leads.matches(phones, emails)
            now = self.clock.now()
            result = Chunk(mine, matches, self.ids, now).decide(rows)
            if dry:
                rehearse(work, import_id, result)
            else:
                store(work, import_id, result)
            work.rows.reject(import_id, result.rejections)
            mine.advance(rows[-1][0].row, bytes_read, result.counts, seconds, now)
            mine.touched()
            work.imports.save(mine)
            work.commit()
        return mine

    def _excuse(self, import_id: UUID, holder: str) -> None:
        """Not count this attempt: it was not the file that it failed for."""
        with suppress(Unavailable, LostLease), self.work() as work:
            mine = self._mine(work, import_id, holder)
            mine.excuse()
            mine.touched()
            work.imports.save(mine)
            work.commit()

    def _let_go(self, import_id: UUID, holder: str) -> ImportStatus:
        with self.work() as work:
            mine = self._mine(work, import_id, holder)
            mine.let_go()
            mine.touched()
            work.imports.save(mine)
            work.commit()
        return mine.status

    def _end(
        self, import_id: UUID, holder: str, failure: Failure | None, columns: Sequence[Mapping[str, Any]] = ()
    ) -> ImportStatus:
        report_key = self._write_report(import_id, holder)
        now = self.clock.now()
        with self.work() as work:
            mine = self._mine(work, import_id, holder)
            if columns:
                mine.examined(mine.dialect, [dict(column) for column in columns])
            if failure is not None:
                mine.fail(failure, now, report_key)
            elif mine.cancel_requested:
                mine.cancel(now, report_key)
                work.after_commit(partial(discard, self.files, mine.key))
            else:
                mine.complete(now, report_key)
            mine.touched()
            work.rehearsal.clear(import_id)
            work.imports.save(mine)
            work.commit()
        return mine.status

    def _write_report(self, import_id: UUID, holder: str) -> str | None:
        with self.reads() as reads:
            done = reads.imports.get(import_id)
        if not done.counts.rejected:
            return None
        key = report_key(import_id)
        header = Dialect.from_plain(done.dialect).header
        with self.files.write(key, content_type=CSV_TYPE) as report:
            for line in report_lines(header, self._rejected(import_id, holder)):
                report.write(line)
        return key

    def _rejected(self, import_id: UUID, holder: str) -> Iterator[RejectedRow]:
        row = 0
        while True:
            with self.reads() as reads:
                page = reads.rows.rejections(import_id, kind=RowKind.REJECTED, after_row=row, limit=REPORT_PAGE)
            for found in page:
                yield RejectedRow(found.row, found.problems, found.cells)
            if len(page) < REPORT_PAGE:
                return
            row = page[-1].row
            self._renew(import_id, holder)

    def _renew(self, import_id: UUID, holder: str) -> None:
        with self.work() as work:
            mine = self._mine(work, import_id, holder)
            mine.renew(self.clock.now())
            mine.touched()
            work.imports.save(mine)
            work.commit()

    def _mine(self, work: ImportsWork, import_id: UUID, holder: str) -> LeadImport:
        mine = work.imports.get(import_id)
        if mine.holder != holder or mine.status is not ImportStatus.RUNNING:
            raise LostLease
        return mine


def owners(work: IdentityWork) -> dict[str, UUID]:
    """How a cell may name an active user: by e-mail address, by id, or by a name that only one of them has."""
    users = work.users.active(limit=MOST_OWNERS)
    bearers = Counter(user.name.lower() for user in users)
    known = {user.name.lower(): user.id for user in users if bearers[user.name.lower()] == 1}
    for user in users:
        known[user.email] = user.id
        known[str(user.id)] = user.id
    return known


def report_key(import_id: UUID) -> str:
    """Where the files hold the error report of an import."""
    return f"reports/{import_id}.csv"
