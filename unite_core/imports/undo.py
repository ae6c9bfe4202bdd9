"""Taking back what an import did, a few hundred leads at a time."""

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
from unite_core.leads.plain import restore
from unite_core.unit_of_work import UnitOfWorkFactory

UNDO_STEP = 500
UNDO_BATCH_SIZE = 2000
"""Leads that passed their phones and e-mails on to each other are put back together, up to this many."""


@dataclass(frozen=True)
class UndoStep:
    """Take back the effects of an import on up to `limit` leads, in one transaction.

    It is begun anew where somebody changes one of these leads meanwhile; raises `Unavailable` where that goes on.
    `on_finished` is called after the commit of the step that finds nothing left, which is the last one.
    """

    work: UnitOfWorkFactory[ImportsUnitOfWork]
    clock: Clock
    ids: Ids
    limit: int = UNDO_STEP

    def __call__(self, import_id: UUID, *, on_finished: Callable[[], None] = lambda: None) -> LeadImport:
        return retry_on_deadlock(lambda: self._once(import_id, on_finished), DuplicateLead, PreconditionFailed)

    def _once(self, import_id: UUID, on_finished: Callable[[], None]) -> LeadImport:
        with self.work() as work:
            unwanted = work.imports.get(import_id)
            if unwanted.undoing:
                self._step(work, unwanted, on_finished)
                unwanted.touched()
                work.imports.save(unwanted)
            work.commit()
        return unwanted

    def _step(self, work: ImportsUnitOfWork, unwanted: LeadImport, on_finished: Callable[[], None]) -> None:
        # What was created goes first: it may hold the phone that a lead is to get back.
        created = work.leads.untouched_of_import(unwanted.id, after_row=unwanted.undo_row, limit=self.limit)
        if created:
            removed = self._remove(work, unwanted, created)
            unwanted.record_undo_progress(removed=removed, restored=0, kept=0, row=created[-1].import_row or 0)
            return
        snapshots = work.rows.remembered(unwanted.id, limit=self.limit)
        if not snapshots:
            now = self.clock.now()
            unwanted.finish_undo(now)
            work.record(import_undone(self.ids.new(), now, unwanted))
            work.after_commit(on_finished)
            return
        made = [snapshot for snapshot in snapshots if snapshot.made_by_import]
        removed = self._remove(work, unwanted, [*_as_left_by_import(work, made).values()])
        changed = _with_those_in_the_way(work, [snapshot for snapshot in snapshots if not snapshot.made_by_import])
        restored = self._put_back(work, unwanted, changed)
        work.rows.forget(unwanted.id, [snapshot.lead_id for snapshot in (*made, *changed)])
        unwanted.record_undo_progress(
            removed=removed, restored=restored, kept=len(changed) - restored, row=unwanted.undo_row
        )

    def _remove(self, work: ImportsUnitOfWork, unwanted: LeadImport, created: Sequence[Lead]) -> int:
        ids = [lead.id for lead in created]
        in_use = work.images.leads_with_images(ids) | work.tasks.leads_with_tasks(ids)
        removed = [lead for lead in created if lead.id not in in_use]
        for lead in removed:
            self._hide(work, lead)
        # From here on the leads are held: whoever planned a call to one meanwhile has done so by now, or never will.
        if work.tasks.leads_with_tasks([lead.id for lead in removed]):
            raise PreconditionFailed("Somebody planned a call to one of these leads meanwhile.")
        self._tell(work, unwanted, LEADS_REMOVED, [lead.id for lead in removed])
        return len(removed)

    def _tell(self, work: ImportsUnitOfWork, unwanted: LeadImport, what: str, lead_ids: Sequence[UUID]) -> None:
        if lead_ids:
            work.record(leads_of_import(self.ids.new(), what, self.clock.now(), unwanted, lead_ids))

    def _hide(self, work: ImportsUnitOfWork, lead: Lead) -> None:
        now = self.clock.now()
        lead.hide(now)
        lead.touched(now)
        work.leads.save(lead)

    def _put_back(self, work: ImportsUnitOfWork, unwanted: LeadImport, snapshots: Sequence[LeadSnapshot]) -> int:
        now_and_then = {}
        leads = _as_left_by_import(work, snapshots)
        for snapshot in snapshots:
            lead = leads.get(snapshot.lead_id)
            if lead is not None:
                former = copy(lead)
                restore(former, snapshot.before)
                now_and_then[lead.id] = (lead, former)
        holders = _holders(work, [former for _, former in now_and_then.values()])
        possible = _possible({lead_id: former for lead_id, (_, former) in now_and_then.items()}, holders)
        # Some hold what others are to get back, perhaps in a circle: those step out of the way first.
        wanted = {key for lead_id in possible for key in _keys(now_and_then[lead_id][1]) if holders.get(key) != lead_id}
        for lead_id in possible:
            lead, former = now_and_then[lead_id]
            if wanted & _keys(lead):
                self._hide(work, lead)
                former.version = lead.version
        for lead_id in possible:
            former = now_and_then[lead_id][1]
            former.touched(self.clock.now())
            work.leads.save(former)
        self._tell(work, unwanted, LEADS_RESTORED, possible)
        return len(possible)


def _as_left_by_import(work: ImportsUnitOfWork, snapshots: Sequence[LeadSnapshot]) -> dict[UUID, Lead]:
    """The leads that nobody has touched since."""
    found = {}
    for snapshot in snapshots:
        try:
            lead = work.leads.get(snapshot.lead_id)
        except NotFound:
            continue
        if lead.version == snapshot.version_after:
            found[lead.id] = lead
    return found


def _with_those_in_the_way(work: ImportsUnitOfWork, snapshots: Sequence[LeadSnapshot]) -> list[LeadSnapshot]:
    """The same snapshots, and those of the leads that hold what the first ones are to get back, and so on."""
    known = {snapshot.lead_id: snapshot for snapshot in snapshots}
    latest = list(snapshots)
    while latest and len(known) < UNDO_BATCH_SIZE:
        leads = _as_left_by_import(work, latest)
        for snapshot in latest:
            if snapshot.lead_id in leads:
                restore(leads[snapshot.lead_id], snapshot.before)
        in_the_way = set(_holders(work, [*leads.values()]).values()) - known.keys()
        import_id = latest[0].import_id
        latest = [*work.rows.remembered(import_id, limit=UNDO_BATCH_SIZE, lead_ids=in_the_way)]
        known |= {snapshot.lead_id: snapshot for snapshot in latest}
    return [*known.values()]


def _holders(work: ImportsUnitOfWork, leads: Sequence[Lead]) -> dict[str, UUID]:
    """Who has the phones and e-mails of these leads at present."""
    phones = [lead.phone.key for lead in leads if lead.phone is not None]
    emails = [lead.email for lead in leads if lead.email is not None]
    matches = work.leads.matches(phones, emails)
    return {key: lead.id for key, lead in (*matches.by_phone.items(), *matches.by_email.items())}


def _possible(formers: Mapping[UUID, Lead], holders: Mapping[str, UUID]) -> list[UUID]:
    """Which leads can be put back as they were together, because what each needs is free then."""
    possible = dict(formers)
    while True:
        # What is held by somebody who stays as they are, or who had it before too, is not free.
        owners = {
            key: holder for key, holder in holders.items() if holder not in possible or key in _keys(possible[holder])
        }
        blocked = [
            lead_id
            for lead_id, former in possible.items()
            if any(owners.get(key, lead_id) != lead_id for key in _keys(former))
        ]
        if not blocked:
            # Two may have had the same, one after the other; one of them can have it again.
            blocked = [
                lead_id
                for lead_id, former in possible.items()
                if any(owners.setdefault(key, lead_id) != lead_id for key in _keys(former))
            ][:1]
        if not blocked:
            return [*possible]
        for lead_id in blocked:
            del possible[lead_id]


def _keys(lead: Lead) -> set[str]:
    """What no other lead may have: the phone's key and the e-mail address."""
    keys = {lead.phone.key if lead.phone is not None else None, lead.email}
    return {key for key in keys if key is not None}
