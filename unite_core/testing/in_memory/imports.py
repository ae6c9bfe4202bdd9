"""Repositories of imports, their rows and dry runs in memory."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from unite_core.errors import NotFound, PreconditionFailed
from unite_core.imports.model import ImportStatus, LeadImport, LeadSnapshot, Rejection, RowKind, SameFile
from unite_core.imports.ports import DryRunLeads, ImportFilter, ImportRows, Imports, OpenImports
from unite_core.leads.model import Lead
from unite_core.leads.ports import ContactMatches
from unite_core.paging import Page, PageRequest, Position
from unite_core.testing.in_memory.copies import copied
from unite_core.testing.in_memory.leads import InMemoryLeads
from unite_core.testing.in_memory.tables import Tables, newest_first
from unite_core.versions import require_version


class InMemoryImports(Imports):
    """Stores imports."""

    def __init__(self, tables: Tables) -> None:
        self._imports = tables.imports
        self._rows = (tables.snapshots, tables.rejections)

    def add(self, new: LeadImport) -> None:
        self._refuse_same_file(new)
        self._imports[new.id] = copied(new)

    def get(self, import_id: UUID) -> LeadImport:
        if import_id not in self._imports:
            raise NotFound("There is no such import.")
        return copied(self._imports[import_id])

    def save(self, changed: LeadImport) -> None:
        if changed.id not in self._imports:
            raise PreconditionFailed("There is no such import.")
        require_version(changed.version - 1, self._imports[changed.id].version)
        self._refuse_same_file(changed)
        self._imports[changed.id] = copied(changed)

    def page(self, filters: ImportFilter, request: PageRequest) -> Page[LeadImport]:
        matching = (it for it in self._imports.values() if not filters.statuses or it.status in filters.statuses)
        return newest_first(matching, request, lambda it: Position(it.created_at, it.id))

    def find_same_file(self, same_file_key: str) -> LeadImport | None:
        return copied(next((it for it in self._imports.values() if it.same_file_key == same_file_key), None))

    def count_open(self, user_id: UUID) -> OpenImports:
        sizes = [it.size for it in self._imports.values() if it.created_by == user_id and not it.status.ended]
        return OpenImports(len(sizes), sum(sizes))

    def unfinished(self, *, now: datetime, limit: int) -> Sequence[LeadImport]:
        due = [
            it
            for it in self._imports.values()
            if (it.status in (ImportStatus.QUEUED, ImportStatus.RUNNING) or it.undoing)
            and (it.held_until is None or it.held_until <= now)
        ]
        return copied(sorted(due, key=lambda it: (it.created_at, it.id))[:limit])

    def abandoned(self, *, before: datetime, limit: int) -> Sequence[LeadImport]:
        waiting = (it for it in self._imports.values() if it.status is ImportStatus.AWAITING_UPLOAD)
        return copied([it for it in waiting if it.created_at < before][:limit])

    def expired(self, *, before: datetime) -> UUID | None:
        for lead_import in sorted(self._imports.values(), key=lambda it: (it.created_at, it.id)):
            old = lead_import.finished_at is not None and lead_import.finished_at < before and not lead_import.undoing
            if old and (lead_import.report_key is not None or any(rows.get(lead_import.id) for rows in self._rows)):
                return lead_import.id
        return None

    def _refuse_same_file(self, changed: LeadImport) -> None:
        other = self.find_same_file(changed.same_file_key) if changed.same_file_key is not None else None
        if other is not None and other.id != changed.id:
            raise SameFile("Another import has the same file and options.")


class InMemoryImportRows(ImportRows):
    """Stores rejections and snapshots."""

    def __init__(self, tables: Tables) -> None:
        self._rejections = tables.rejections
        self._snapshots = tables.snapshots

    def reject(self, import_id: UUID, rejections: Sequence[Rejection]) -> None:
        stored = self._rejections.setdefault(import_id, {})
        for rejection in rejections:
            if rejection.row in stored:
                raise ValueError(f"Row {rejection.row} of {import_id} has a rejection already.")
            stored[rejection.row] = rejection

    def rejections(self, import_id: UUID, *, kind: RowKind | None, after_row: int, limit: int) -> Sequence[Rejection]:
        stored = sorted(self._rejections.get(import_id, {}).items())
        return [rejection for row, rejection in stored if row > after_row and kind in (None, rejection.kind)][:limit]

    def add_snapshots(self, snapshots: Sequence[LeadSnapshot]) -> None:
        for snapshot in snapshots:
            stored = self._snapshots.setdefault(snapshot.import_id, {})
            first = stored.get(snapshot.lead_id, copied(snapshot))
            stored[snapshot.lead_id] = replace(first, version_after=snapshot.version_after)

    def snapshots_of(
        self, import_id: UUID, *, limit: int, lead_ids: Collection[UUID] | None = None
    ) -> Sequence[LeadSnapshot]:
        stored = self._snapshots.get(import_id, {}).values()
        snapshots = [snapshot for snapshot in stored if lead_ids is None or snapshot.lead_id in lead_ids]
        return copied(sorted(snapshots, key=lambda snapshot: not snapshot.made_by_import)[:limit])

    def delete_snapshots(self, import_id: UUID, lead_ids: Collection[UUID]) -> None:
        for lead_id in lead_ids:
            self._snapshots.get(import_id, {}).pop(lead_id, None)

    def purge(self, import_id: UUID, *, limit: int) -> int:
        stored: tuple[dict[Any, Any], ...] = (self._snapshots.get(import_id, {}), self._rejections.get(import_id, {}))
        purged = [(rows, key) for rows in stored for key in rows][:limit]
        for rows, key in purged:
            del rows[key]
        return len(purged)


class InMemoryDryRunLeads(DryRunLeads):
    """Stores the leads as they would be after the rows that a dry run has processed so far."""

    def __init__(self, tables: Tables) -> None:
        self._rehearsed = tables.rehearsed
        self._leads = InMemoryLeads(tables, set())

    def put(self, import_id: UUID, leads: Sequence[Lead]) -> None:
        pretended = self._rehearsed.setdefault(import_id, {})
        for lead in leads:
            pretended[lead.id] = copied(lead)

    def matches(self, import_id: UUID, phone_keys: Collection[str], emails: Collection[str]) -> ContactMatches:
        pretended = self._rehearsed.get(import_id, {})
        real = self._leads.matches(phone_keys, emails)
        combined = ContactMatches(
            {key: lead for key, lead in real.by_phone.items() if lead.id not in pretended},
            {email: lead for email, lead in real.by_email.items() if lead.id not in pretended},
        )
        for lead in copied(list(pretended.values())):
            if lead.phone is not None and lead.phone.key in phone_keys:
                combined.by_phone[lead.phone.key] = lead
            if lead.email is not None and lead.email in emails:
                combined.by_email[lead.email] = lead
        return combined

    def clear(self, import_id: UUID) -> None:
        self._rehearsed.pop(import_id, None)
