"""What becomes of a chunk of rows: decided in the order of the file, against the leads that are there."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from unite_core.errors import FieldError
from unite_core.ids import Ids
from unite_core.imports.model import (
    DEFAULT_SOURCE,
    Counts,
    LeadImport,
    LeadSnapshot,
    OnDuplicate,
    Rejection,
    RowKind,
)
from unite_core.imports.reading import Record
from unite_core.imports.rows import LeadDraft, missing_name_error
from unite_core.leads.model import Lead, LeadStatus
from unite_core.leads.plain import own_fields
from unite_core.leads.ports import ContactMatches
from unite_core.phone import Phone
from unite_core.text import clean

Row = tuple[Record, "LeadDraft | tuple[FieldError, ...]"]

MAX_STORED_LENGTH = 64 * 1024
"""Characters of a row that made no lead: what is kept of its cells, all together."""

CUT_MARK = "…"


@dataclass(slots=True)
class Writes:
    """Leads to be stored together: the updates first, then the additions."""

    updated: dict[UUID, Lead] = field(default_factory=dict)
    created: list[Lead] = field(default_factory=list)


@dataclass(slots=True)
class ChunkResult:
    """What a chunk comes to.

    The `writes` are stored one after the other: a later one may use a phone or e-mail that an earlier one frees.
    `versions_before` are the versions that the leads of the `snapshots` had before this chunk.
    """

    writes: list[Writes]
    rejections: list[Rejection]
    snapshots: list[LeadSnapshot]
    versions_before: dict[UUID, int]
    counts: Counts


class Chunk:
    """Decides row by row, remembering what the rows before have changed."""

    def __init__(self, of: LeadImport, matches: ContactMatches, ids: Ids, now: datetime) -> None:
        self._import = of
        self._by_phone = matches.by_phone
        self._by_email = matches.by_email
        self._ids = ids
        self._now = now
        self._updates = of.options.on_duplicate is OnDuplicate.UPDATE
        self._source = clean(of.options.default_source).lower() if of.options.default_source else DEFAULT_SOURCE
        self._freed: set[str] = set()
        self._created_here: set[UUID] = set()
        self._snapshots: dict[UUID, LeadSnapshot] = {}
        self._writes = [Writes()]
        self._rejections: list[Rejection] = []
        self._created = self._updated = self._duplicate = self._rejected = 0

    def decide(self, rows: Sequence[Row]) -> ChunkResult:
        """Decide about all of these rows."""
        for record, draft in rows:
            if isinstance(draft, LeadDraft):
                self._take(record, draft)
            else:
                self._reject(record, draft)
        snapshots = [
            replace(snapshot, version_after=self._current_version(snapshot.lead_id))
            for snapshot in self._snapshots.values()
        ]
        counts = Counts(self._created, self._updated, self._duplicate, self._rejected)
        versions = {snapshot.lead_id: snapshot.version_after for snapshot in self._snapshots.values()}
        return ChunkResult(self._writes, self._rejections, snapshots, versions, counts)

    def _take(self, record: Record, draft: LeadDraft) -> None:
        phone_key = draft.phone.key if draft.phone else None
        by_phone = self._by_phone.get(phone_key) if phone_key else None
        by_email = self._by_email.get(draft.email) if draft.email else None
        if by_phone is not None and by_email is not None and by_phone.id != by_email.id:
            self._reject(record, (_ambiguous(),))
            return
        known = by_phone or by_email
        if known is None:
            self._create(record, draft)
        elif self._updates:
            self._update(known, draft)
        else:
            self._repeat(record, known, by_phone is not None, by_email is not None)

    def _create(self, record: Record, draft: LeadDraft) -> None:
        if draft.name is None:
            self._reject(record, (missing_name_error(record.row),))
            return
        lead = Lead(
            id=self._ids.new(),
            name=draft.name,
            phone=draft.phone,
            email=draft.email,
            status=draft.status or LeadStatus.NEW,
            source=draft.source or self._source,
            assigned_to=draft.assigned_to or self._import.options.default_assigned_to,
            created_at=self._now,
            updated_at=self._now,
            created_by=self._import.created_by,
            import_id=self._import.id,
            import_row=record.row,
        )
        self._use_freed(draft)
        self._writes[-1].created.append(lead)
        self._created_here.add(lead.id)
        self._know(lead)
        self._created += 1

    def _update(self, lead: Lead, draft: LeadDraft) -> None:
        self._updated += 1
        before = own_fields(lead)
        phone, email = draft.phone or lead.phone, draft.email or lead.email
        after = {
            "name": draft.name or lead.name,
            "phone": phone.number if phone else None,
            "phone_extension": phone.extension if phone else None,
            "email": email,
            "status": (draft.status or lead.status).value,
            "source": draft.source or lead.source,
            "assigned_to": str(draft.assigned_to or lead.assigned_to or "") or None,
        }
        if after == before:
            return
        if (phone, email) != (lead.phone, lead.email):
            self._use_freed(draft)
            self._free(lead, phone, email)
        lead.rename(draft.name or lead.name)
        lead.reach_under(phone, email)
        lead.choose_status(draft.status or lead.status, self._now)
        lead.come_from(draft.source or lead.source)
        lead.assign(draft.assigned_to or lead.assigned_to)
        self._know(lead)
        if lead.id in self._created_here:
            return
        if lead.id not in self._writes[-1].updated:
            self._store_update(lead, before)

    def _store_update(self, lead: Lead, before: dict[str, object]) -> None:
        if lead.id not in self._snapshots:
            self._snapshots[lead.id] = LeadSnapshot(
                import_id=self._import.id,
                lead_id=lead.id,
                before=before,
                made_by_import=lead.import_id == self._import.id,
                version_after=lead.version,
            )
        lead.touched(self._now)
        self._writes[-1].updated[lead.id] = lead

    def _repeat(self, record: Record, known: Lead, phone: bool, email: bool) -> None:
        same_file = known.import_id == self._import.id
        what = " and ".join(word for word, same in (("phone number", phone), ("e-mail address", email)) if same)
        whose = f"row {known.import_row}" if same_file else "a lead that is there already"
        problem = FieldError(
            field="phone" if phone else "email",
            code="duplicate_row" if same_file else "duplicate_lead",
            detail=f"It has the {what} of {whose}.",
        )
        cells, problems = _kept(record, (problem,))
        self._rejections.append(
            Rejection(
                row=record.row,
                kind=RowKind.DUPLICATE,
                problems=problems,
                cells=cells,
                duplicate_of=None if same_file and self._import.options.dry_run else known.id,
                duplicate_row=known.import_row if same_file else None,
            )
        )
        self._duplicate += 1

    def _reject(self, record: Record, problems: tuple[FieldError, ...]) -> None:
        cells, problems = _kept(record, problems)
        self._rejections.append(Rejection(row=record.row, kind=RowKind.REJECTED, problems=problems, cells=cells))
        self._rejected += 1

    def _know(self, lead: Lead) -> None:
        if lead.phone is not None:
            self._by_phone[lead.phone.key] = lead
        if lead.email is not None:
            self._by_email[lead.email] = lead

    def _free(self, lead: Lead, phone: Phone | None, email: str | None) -> None:
        """Let go of what the lead does not keep."""
        if lead.phone is not None and lead.phone != phone:
            self._by_phone.pop(lead.phone.key, None)
            self._freed.add(lead.phone.key)
        if lead.email is not None and lead.email != email:
            self._by_email.pop(lead.email, None)
            self._freed.add(lead.email)

    def _use_freed(self, draft: LeadDraft) -> None:
        """Begin another batch of writes where this row takes what the batch so far has yet to free."""
        keys = {draft.phone.key if draft.phone else None, draft.email}
        if keys & self._freed:
            # What was decided so far is stored as it is now, whatever later rows do to the same leads.
            done = self._writes[-1]
            done.updated = {lead_id: copy(lead) for lead_id, lead in done.updated.items()}
            done.created = [copy(lead) for lead in done.created]
            self._writes.append(Writes())
            self._freed.clear()
            self._created_here.clear()

    def _current_version(self, lead_id: UUID) -> int:
        return next(writes.updated[lead_id].version for writes in reversed(self._writes) if lead_id in writes.updated)


def _ambiguous() -> FieldError:
    return FieldError(
        field="",
        code="ambiguous_duplicate",
        detail="Its phone number belongs to one lead and its e-mail address to another; correct one of them.",
    )


def _kept(record: Record, problems: tuple[FieldError, ...]) -> tuple[tuple[str, ...], tuple[FieldError, ...]]:
    """What is kept of a row's cells, and its problems, the last of which says so where cells were cut.

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
