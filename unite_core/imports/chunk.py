"""Decisions about a chunk of rows: create or update a lead, or reject the row."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from unite_core.errors import FieldError
from unite_core.ids import Ids
from unite_core.imports.csv.reading import Record
from unite_core.imports.csv.rows import LeadDraft, missing_name_error
from unite_core.imports.model import (
    DEFAULT_SOURCE,
    Counts,
    LeadImport,
    LeadSnapshot,
    OnDuplicate,
    Rejection,
    RowKind,
)
from unite_core.leads.details import SOURCE, TEXTS, LeadDetails, LeadStatus
from unite_core.leads.model import Lead
from unite_core.leads.ports import ContactMatches
from unite_core.leads.serialization import own_fields
from unite_core.phone import Phone
from unite_core.text import clean

Row = tuple[Record, "LeadDraft | tuple[FieldError, ...]"]

MAX_STORED_LENGTH = 64 * 1024
"""Total characters of the stored cells of a row that made no lead."""

CUT_MARK = "…"


@dataclass(slots=True)
class Writes:
    """Leads to be stored together: the updates first, then the additions."""

    updated: dict[UUID, Lead] = field(default_factory=dict)
    created: list[Lead] = field(default_factory=list)


@dataclass(slots=True)
class ChunkResult:
    """The decisions about a chunk of rows.

    The `writes` are stored one after the other: a later one may use a phone or e-mail that an earlier one releases.
    `versions_before` are the versions that the leads of the `snapshots` had before this chunk.
    """

    writes: list[Writes]
    rejections: list[Rejection]
    snapshots: list[LeadSnapshot]
    versions_before: dict[UUID, int]
    counts: Counts


class Chunk:
    """Decides about rows in the order of the file, taking into account the changes by earlier rows."""

    def __init__(self, lead_import: LeadImport, matches: ContactMatches, ids: Ids, now: datetime) -> None:
        self._import = lead_import
        self._by_phone = matches.by_phone
        self._by_email = matches.by_email
        self._ids = ids
        self._now = now
        self._updates = lead_import.options.on_duplicate is OnDuplicate.UPDATE
        options = lead_import.options
        source = clean(options.default_source).lower() if options.default_source else DEFAULT_SOURCE
        self._texts: dict[str, str | None] = {field.name: None for field in TEXTS} | {SOURCE.name: source}
        self._released: set[str] = set()
        self._created_here: set[UUID] = set()
        self._snapshots: dict[UUID, LeadSnapshot] = {}
        self._writes = [Writes()]
        self._rejections: list[Rejection] = []
        self._created = self._updated = self._duplicate = self._rejected = 0

    def decide(self, rows: Sequence[Row]) -> ChunkResult:
        """Decide about all of these rows."""
        for record, draft in rows:
            if isinstance(draft, LeadDraft):
                self._decide_row(record, draft)
            else:
                self._reject(record, draft)
        snapshots = [
            replace(snapshot, version_after=self._current_version(snapshot.lead_id))
            for snapshot in self._snapshots.values()
        ]
        counts = Counts(self._created, self._updated, self._duplicate, self._rejected)
        versions = {snapshot.lead_id: snapshot.version_after for snapshot in self._snapshots.values()}
        return ChunkResult(self._writes, self._rejections, snapshots, versions, counts)

    def _decide_row(self, record: Record, draft: LeadDraft) -> None:
        phone_key = draft.phone.key if draft.phone else None
        by_phone = self._by_phone.get(phone_key) if phone_key else None
        by_email = self._by_email.get(draft.email) if draft.email else None
        if by_phone is not None and by_email is not None and by_phone.id != by_email.id:
            self._reject(record, (_ambiguous(),))
            return
        match = by_phone or by_email
        if match is None:
            self._create(record, draft)
        elif self._updates:
            self._update(match, draft)
        else:
            self._add_duplicate(record, match, by_phone is not None, by_email is not None)

    def _create(self, record: Record, draft: LeadDraft) -> None:
        if "name" not in draft.texts:
            self._reject(record, (missing_name_error(record.row),))
            return
        lead = Lead(
            id=self._ids.new(),
            details=LeadDetails.of(
                self._texts | draft.texts,
                phone=draft.phone,
                status=draft.status or LeadStatus.NEW,
                assigned_to=draft.assigned_to or self._import.options.default_assigned_to,
            ),
            created_at=self._now,
            updated_at=self._now,
            created_by=self._import.created_by,
            import_id=self._import.id,
            import_row=record.row,
        )
        self._flush_if_released(draft)
        self._writes[-1].created.append(lead)
        self._created_here.add(lead.id)
        self._index(lead)
        self._created += 1

    def _update(self, lead: Lead, draft: LeadDraft) -> None:
        self._updated += 1
        before = lead.details
        after = LeadDetails.of(
            before.texts | draft.texts,
            phone=draft.phone.with_extension_of(before.phone) if draft.phone else before.phone,
            status=draft.status or before.status,
            assigned_to=draft.assigned_to or before.assigned_to,
        )
        if after == before:
            return
        if (after.phone, after.email) != (before.phone, before.email):
            self._flush_if_released(draft)
            self._release(lead, after.phone, after.email)
        lead.revise(after, self._now)
        self._index(lead)
        if lead.id in self._created_here:
            return
        if lead.id not in self._writes[-1].updated:
            self._store_update(lead, own_fields(before))

    def _store_update(self, lead: Lead, before: dict[str, object]) -> None:
        if lead.id not in self._snapshots:
            self._snapshots[lead.id] = LeadSnapshot(
                import_id=self._import.id,
                lead_id=lead.id,
                before=before,
                made_by_import=lead.import_id == self._import.id,
                version_after=lead.version,
            )
        lead.mark_updated(self._now)
        self._writes[-1].updated[lead.id] = lead

    def _add_duplicate(self, record: Record, match: Lead, phone: bool, email: bool) -> None:
        same_file = match.import_id == self._import.id
        what = " and ".join(word for word, same in (("phone number", phone), ("e-mail address", email)) if same)
        whose = f"row {match.import_row}" if same_file else "a lead that is there already"
        problem = FieldError(
            field="phone" if phone else "email",
            code="duplicate_row" if same_file else "duplicate_lead",
            detail=f"It has the {what} of {whose}.",
        )
        cells, problems = _truncated(record, (problem,))
        self._rejections.append(
            Rejection(
                row=record.row,
                kind=RowKind.DUPLICATE,
                problems=problems,
                cells=cells,
                duplicate_of=None if same_file and self._import.options.dry_run else match.id,
                duplicate_row=match.import_row if same_file else None,
            )
        )
        self._duplicate += 1

    def _reject(self, record: Record, problems: tuple[FieldError, ...]) -> None:
        cells, problems = _truncated(record, problems)
        self._rejections.append(Rejection(row=record.row, kind=RowKind.REJECTED, problems=problems, cells=cells))
        self._rejected += 1

    def _index(self, lead: Lead) -> None:
        phone, email = lead.details.phone, lead.details.email
        if phone is not None:
            self._by_phone[phone.key] = lead
        if email is not None:
            self._by_email[email] = lead

    def _release(self, lead: Lead, phone: Phone | None, email: str | None) -> None:
        """Mark the phone and e-mail that the lead gives up as released."""
        if lead.phone is not None and lead.phone != phone:
            self._by_phone.pop(lead.phone.key, None)
            self._released.add(lead.phone.key)
        if lead.email is not None and lead.email != email:
            self._by_email.pop(lead.email, None)
            self._released.add(lead.email)

    def _flush_if_released(self, draft: LeadDraft) -> None:
        """Begin another batch of writes if this row uses what the current batch releases."""
        keys = {draft.phone.key if draft.phone else None, draft.email}
        if keys & self._released:
            # The decisions so far are stored as they are now, whatever later rows do to the same leads.
            current = self._writes[-1]
            current.updated = {lead_id: copy(lead) for lead_id, lead in current.updated.items()}
            current.created = [copy(lead) for lead in current.created]
            self._writes.append(Writes())
            self._released.clear()
            self._created_here.clear()

    def _current_version(self, lead_id: UUID) -> int:
        return next(writes.updated[lead_id].version for writes in reversed(self._writes) if lead_id in writes.updated)


def _ambiguous() -> FieldError:
    return FieldError(
        field="",
        code="ambiguous_duplicate",
        detail="Its phone number belongs to one lead and its e-mail address to another; correct one of them.",
    )


def _truncated(record: Record, problems: tuple[FieldError, ...]) -> tuple[tuple[str, ...], tuple[FieldError, ...]]:
    """Return a row's cells for storage, and its errors; the last error says so if cells were truncated.

    A page of rejections has hundreds of rows, and each may have a million characters.
    """
    max_length = MAX_STORED_LENGTH
    while sum(min(len(cell), max_length) for cell in record.cells) > MAX_STORED_LENGTH:
        max_length //= 2
    cells = tuple(cell if len(cell) <= max_length else cell[: max_length - 1] + CUT_MARK for cell in record.cells)
    if max_length == MAX_STORED_LENGTH:
        return cells, problems
    *others, last = problems
    detail = f"{last.detail} The longest cells are cut here and end with “{CUT_MARK}”; take them from your own file."
    return cells, (*others, replace(last, detail=detail))
