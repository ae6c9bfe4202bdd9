"""Undo of an import, a few hundred leads at a time."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from uuid import UUID

from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import NotFound, PreconditionFailed
from unite_core.ids import Ids
from unite_core.imports.events import LEADS_REMOVED, LEADS_RESTORED, import_undone, leads_of_import
from unite_core.imports.model import LeadImport, LeadSnapshot
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.leads.model import DuplicateLead, Lead
from unite_core.leads.serialization import details_of
from unite_core.unit_of_work import UnitOfWorkFactory

UNDO_STEP = 500
UNDO_BATCH_SIZE = 2000
"""Maximum number of leads that are restored together because they exchanged their phones and e-mails."""


@dataclass(frozen=True)
class UndoStep:
    """Undo the effects of an import on up to `limit` leads, in one transaction.

    It is tried again if somebody changes one of these leads meanwhile; raise `Unavailable` if that goes on.
    `on_finished` is called after the commit of the last step, which finds nothing left.
    """

    work: UnitOfWorkFactory[ImportsUnitOfWork]
    clock: Clock
    ids: Ids
    limit: int = UNDO_STEP

    def __call__(self, import_id: UUID, *, on_finished: Callable[[], None] = lambda: None) -> LeadImport:
        return retry_on_deadlock(
            lambda: self.work.run_step(lambda work: self._once(work, import_id, on_finished)),
            DuplicateLead,
            PreconditionFailed,
        )

    def _once(self, work: ImportsUnitOfWork, import_id: UUID, on_finished: Callable[[], None]) -> LeadImport:
        lead_import = work.imports.get(import_id)
        if lead_import.undoing:
            self._step(work, lead_import, on_finished)
            lead_import.mark_updated()
            work.imports.save(lead_import)
        return lead_import

    def _step(self, work: ImportsUnitOfWork, lead_import: LeadImport, on_finished: Callable[[], None]) -> None:
        # Created leads come first: one may have the phone that another lead is to get back.
        created = work.leads.untouched_of_import(lead_import.id, after_row=lead_import.undo_row, limit=self.limit)
        if created:
            removed = self._remove(work, lead_import, created)
            lead_import.record_undo_progress(removed=removed, restored=0, kept=0, row=created[-1].import_row or 0)
            return
        snapshots = work.rows.snapshots_of(lead_import.id, limit=self.limit)
        if not snapshots:
            now = self.clock.now()
            lead_import.finish_undo(now)
            work.record(import_undone(self.ids.new(), now, lead_import))
            work.after_commit(on_finished)
            return
        made = [snapshot for snapshot in snapshots if snapshot.made_by_import]
        removed = self._remove(work, lead_import, [*_unchanged_since_import(work, made).values()])
        changed = _with_blocking_leads(work, [snapshot for snapshot in snapshots if not snapshot.made_by_import])
        restored = self._restore(work, lead_import, changed)
        work.rows.delete_snapshots(lead_import.id, [snapshot.lead_id for snapshot in (*made, *changed)])
        lead_import.record_undo_progress(
            removed=removed, restored=restored, kept=len(changed) - restored, row=lead_import.undo_row
        )

    def _remove(self, work: ImportsUnitOfWork, lead_import: LeadImport, created: Sequence[Lead]) -> int:
        ids = [lead.id for lead in created]
        in_use = work.images.leads_with_images(ids) | work.tasks.leads_with_tasks(ids)
        removed = [lead for lead in created if lead.id not in in_use]
        for lead in removed:
            self._hide(work, lead)
        # From here on the leads are locked: a call to one that was planned meanwhile is visible by now, or refused.
        if work.tasks.leads_with_tasks([lead.id for lead in removed]):
            raise PreconditionFailed("Somebody planned a call to one of these leads meanwhile.")
        self._record(work, lead_import, LEADS_REMOVED, [lead.id for lead in removed])
        return len(removed)

    def _record(
        self, work: ImportsUnitOfWork, lead_import: LeadImport, event_type: str, lead_ids: Sequence[UUID]
    ) -> None:
        if lead_ids:
            work.record(leads_of_import(self.ids.new(), event_type, self.clock.now(), lead_import, lead_ids))

    def _hide(self, work: ImportsUnitOfWork, lead: Lead) -> None:
        now = self.clock.now()
        lead.delete(now)
        lead.mark_updated(now)
        work.leads.save(lead)

    def _restore(self, work: ImportsUnitOfWork, lead_import: LeadImport, snapshots: Sequence[LeadSnapshot]) -> int:
        current_and_former = {}
        leads = _unchanged_since_import(work, snapshots)
        for snapshot in snapshots:
            lead = leads.get(snapshot.lead_id)
            if lead is not None:
                former = copy(lead)
                former.restore(details_of(snapshot.before, former.details))
                current_and_former[lead.id] = (lead, former)
        holders = _holders(work, [former for _, former in current_and_former.values()])
        restorable = _restorable({lead_id: former for lead_id, (_, former) in current_and_former.items()}, holders)
        # Some leads have what others are to get back, perhaps in a circle: those are hidden first.
        needed = {
            key
            for lead_id in restorable
            for key in _keys(current_and_former[lead_id][1])
            if holders.get(key) != lead_id
        }
        for lead_id in restorable:
            lead, former = current_and_former[lead_id]
            if needed & _keys(lead):
                self._hide(work, lead)
                former.version = lead.version
        for lead_id in restorable:
            former = current_and_former[lead_id][1]
            former.mark_updated(self.clock.now())
            work.leads.save(former)
        self._record(work, lead_import, LEADS_RESTORED, restorable)
        return len(restorable)


def _unchanged_since_import(work: ImportsUnitOfWork, snapshots: Sequence[LeadSnapshot]) -> dict[UUID, Lead]:
    """Return the leads that nobody has changed since the import."""
    leads = {}
    for snapshot in snapshots:
        try:
            lead = work.leads.get(snapshot.lead_id)
        except NotFound:
            continue
        if lead.version == snapshot.version_after:
            leads[lead.id] = lead
    return leads


def _with_blocking_leads(work: ImportsUnitOfWork, snapshots: Sequence[LeadSnapshot]) -> list[LeadSnapshot]:
    """Return the snapshots, and those of leads that have what the first ones are to get back, and so on."""
    collected = {snapshot.lead_id: snapshot for snapshot in snapshots}
    latest = list(snapshots)
    while latest and len(collected) < UNDO_BATCH_SIZE:
        leads = _unchanged_since_import(work, latest)
        for snapshot in latest:
            if snapshot.lead_id in leads:
                lead = leads[snapshot.lead_id]
                lead.restore(details_of(snapshot.before, lead.details))
        blocking = set(_holders(work, [*leads.values()]).values()) - collected.keys()
        import_id = latest[0].import_id
        latest = [*work.rows.snapshots_of(import_id, limit=UNDO_BATCH_SIZE, lead_ids=blocking)]
        collected |= {snapshot.lead_id: snapshot for snapshot in latest}
    return [*collected.values()]


def _holders(work: ImportsUnitOfWork, leads: Sequence[Lead]) -> dict[str, UUID]:
    """Return which leads have the phones and e-mails of these leads at present."""
    phones = [lead.phone.key for lead in leads if lead.phone is not None]
    emails = [lead.email for lead in leads if lead.email is not None]
    matches = work.leads.matches(phones, emails)
    return {key: lead.id for key, lead in (*matches.by_phone.items(), *matches.by_email.items())}


def _restorable(formers: Mapping[UUID, Lead], holders: Mapping[str, UUID]) -> list[UUID]:
    """Return which leads can be restored together, because the phones and e-mails that they need are free then."""
    restorable = dict(formers)
    while True:
        # A key is not free if its holder is not restored, or had it before too.
        owners = {
            key: holder
            for key, holder in holders.items()
            if holder not in restorable or key in _keys(restorable[holder])
        }
        blocked = [
            lead_id
            for lead_id, former in restorable.items()
            if any(owners.get(key, lead_id) != lead_id for key in _keys(former))
        ]
        if not blocked:
            # Two leads may have had the same key, one after the other; one of them can have it again.
            blocked = [
                lead_id
                for lead_id, former in restorable.items()
                if any(owners.setdefault(key, lead_id) != lead_id for key in _keys(former))
            ][:1]
        if not blocked:
            return [*restorable]
        for lead_id in blocked:
            del restorable[lead_id]


def _keys(lead: Lead) -> set[str]:
    """Return what no other lead may have: the phone's key and the e-mail address."""
    keys = {lead.phone.key if lead.phone is not None else None, lead.email}
    return {key for key in keys if key is not None}
