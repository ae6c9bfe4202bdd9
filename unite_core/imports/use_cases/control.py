"""Stopping an import, taking it back, and clearing away what was left behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from unite_core.clock import Clock
from unite_core.errors import NotFound
from unite_core.files import Files
from unite_core.identity.model import Actor, Permission
from unite_core.imports.model import ImportStatus, LeadImport, LeadSnapshot
from unite_core.imports.ports import ImportsWork
from unite_core.imports.snapshots import restore
from unite_core.jobs import Jobs
from unite_core.leads.model import Lead
from unite_core.unit_of_work import UNFINISHED, Work
from unite_core.versions import require_version

UNDO_AT_ONCE = timedelta(seconds=5)
"""How long a request waits for the undoing; what is left then goes on in a worker."""

UNDO_STEP = 500
ABANDONED_AFTER = timedelta(hours=24)


@dataclass(frozen=True)
class CancelImport:
    """Stop an import. Admins and managers only.

    One that waits is cancelled at once, one that runs before its next chunk. What it imported so far stays, and
    can be undone. Cancelling twice changes nothing. Where a version is expected, no other one
    is cancelled.

    Raises `Forbidden`, `NotFound`, `PreconditionFailed` and `Conflict` (`import_ended`).
    """

    work: Work[ImportsWork]
    clock: Clock

    def __call__(self, actor: Actor, import_id: UUID, expected_version: int | None = None) -> LeadImport:
        actor.must(Permission.IMPORT_LEADS)
        with self.work() as work:
            unwanted = work.imports.get(import_id)
            require_version(expected_version, unwanted.version)
            if unwanted.status is not ImportStatus.CANCELLED:
                unwanted.request_cancel(self.clock.now())
                unwanted.touched()
                work.imports.save(unwanted)
            work.commit(unwanted)
        return unwanted


@dataclass(frozen=True)
class UndoImport:
    """Take an import back. Admins and managers only.

    The leads that it created are removed and the ones that it updated are put back as they were: those alone
    that nobody has touched since. A lead whose former phone or e-mail belongs to another one by now is left
    alone. Undoing twice changes nothing. A large import goes on being undone after the answer: the
    undoing has no `finished_at` until then. Where a version is expected, no other one is undone.

    Raises `Forbidden`, `NotFound`, `PreconditionFailed` and `Conflict` (`import_not_ended`, `nothing_to_undo`).
    """

    work: Work[ImportsWork]
    jobs: Jobs
    clock: Clock

    def __call__(self, actor: Actor, import_id: UUID, expected_version: int | None = None) -> LeadImport:
        actor.must(Permission.IMPORT_LEADS)
        with self.work() as work:
            unwanted = work.imports.get(import_id)
            require_version(expected_version, unwanted.version)
            if unwanted.undone is None:
                unwanted.begin_undo()
                unwanted.touched()
                work.imports.save(unwanted)
            work.commit()
        until = self.clock.now() + UNDO_AT_ONCE
        step = UndoStep(self.work, self.clock)
        while unwanted.undoing and self.clock.now() < until:
            unwanted = step(import_id)
        with self.work() as work:
            if unwanted.undoing:
                work.after_commit(lambda: self.jobs.undo_import(import_id))
            work.commit(unwanted)
        return unwanted


@dataclass(frozen=True)
class ContinueUndo:
    """Go on with an undoing until it is done. Safe to run twice, and side by side."""

    work: Work[ImportsWork]
    clock: Clock

    def __call__(self, import_id: UUID) -> None:
        step = UndoStep(self.work, self.clock)
        while step(import_id).undoing:
            pass


@dataclass(frozen=True)
class UndoStep:
    """Take back the effects of an import on up to 500 leads, in one transaction."""

    work: Work[ImportsWork]
    clock: Clock

    def __call__(self, import_id: UUID) -> LeadImport:
        with self.work() as work:
            unwanted = work.imports.get(import_id)
            if unwanted.undoing:
                self._step(work, unwanted)
                unwanted.touched()
                work.imports.save(unwanted)
            work.commit(UNFINISHED)
        return unwanted

    def _step(self, work: ImportsWork, unwanted: LeadImport) -> None:
        # What was created goes first: it may hold the phone that a lead is to get back.
        created = work.leads.untouched_of_import(unwanted.id, after_row=unwanted.undo_row, limit=UNDO_STEP)
        if created:
            removed = self._remove(work, created)
            unwanted.undo_some(removed=removed, restored=0, kept=0, row=created[-1].import_row or 0)
            return
        snapshots = work.rows.remembered(unwanted.id, limit=UNDO_STEP)
        if not snapshots:
            unwanted.finish_undo(self.clock.now())
            return
        removed = restored = kept = 0
        with_images = work.images.leads_with_images([snapshot.lead_id for snapshot in snapshots])
        for snapshot in snapshots:
            lead = _as_left_by_import(work, snapshot)
            if lead is None or (snapshot.made_by_import and lead.id in with_images):
                kept += not snapshot.made_by_import
            elif snapshot.made_by_import:
                self._hide(work, lead)
                removed += 1
            elif self._put_back(work, lead, snapshot):
                restored += 1
            else:
                kept += 1
        work.rows.forget(unwanted.id, [snapshot.lead_id for snapshot in snapshots])
        unwanted.undo_some(removed=removed, restored=restored, kept=kept, row=unwanted.undo_row)

    def _remove(self, work: ImportsWork, created: Sequence[Lead]) -> int:
        with_images = work.images.leads_with_images([lead.id for lead in created])
        unwanted = [lead for lead in created if lead.id not in with_images]
        for lead in unwanted:
            self._hide(work, lead)
        return len(unwanted)

    def _hide(self, work: ImportsWork, lead: Lead) -> None:
        now = self.clock.now()
        lead.hide(now)
        lead.touched(now)
        work.leads.save(lead)

    def _put_back(self, work: ImportsWork, lead: Lead, snapshot: LeadSnapshot) -> bool:
        restore(lead, snapshot.before)
        matches = work.leads.matches([lead.phone.key] if lead.phone else [], [lead.email] if lead.email else [])
        if any(found.id != lead.id for found in (*matches.by_phone.values(), *matches.by_email.values())):
            return False
        lead.touched(self.clock.now())
        work.leads.save(lead)
        return True


def _as_left_by_import(work: ImportsWork, snapshot: LeadSnapshot) -> Lead | None:
    try:
        lead = work.leads.get(snapshot.lead_id)
    except NotFound:
        return None
    return lead if lead.version == snapshot.version_after else None


@dataclass(frozen=True)
class RemoveAbandonedImports:
    """Cancel imports whose file never came within a day. Returns how many there were; run by a schedule."""

    work: Work[ImportsWork]
    files: Files
    clock: Clock

    def __call__(self, *, limit: int = 500) -> int:
        now = self.clock.now()
        with self.work() as work:
            abandoned = work.imports.abandoned(before=now - ABANDONED_AFTER, limit=limit)
            for left in abandoned:
                left.cancel(now, None)
                left.touched()
                work.imports.save(left)
            work.commit(len(abandoned))
        for left in abandoned:
            self.files.delete(left.key)
        return len(abandoned)
