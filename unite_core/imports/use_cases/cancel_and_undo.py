"""Use cases: cancel an import, undo it, remove abandoned ones."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import ClassVar
from uuid import UUID

from unite_core.checks import BatchSize, UseCase
from unite_core.clock import Clock
from unite_core.errors import Conflict
from unite_core.files import Files, delete_quietly
from unite_core.identity.model import Actor, Permission
from unite_core.ids import Ids
from unite_core.imports.events import import_finished
from unite_core.imports.model import ImportStatus, LeadImport
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.imports.undo import UndoStep
from unite_core.jobs import Jobs
from unite_core.unit_of_work import UnitOfWorkFactory
from unite_core.versions import require_version

UNDO_TURN = timedelta(seconds=5)
"""How long a request waits for the undo; a worker does the rest."""

ABANDONED_AFTER = timedelta(hours=24)


@dataclass(frozen=True)
class CancelImport(UseCase):
    """Cancel an import. Admins and managers only.

    An import that waits is cancelled at once, one that runs before its next chunk. What it imported so far stays, and
    can be undone; its file is deleted. Cancelling twice changes nothing. If a version is expected, no other version
    is cancelled.

    Raises `Forbidden`, `NotFound`, `PreconditionFailed` and `Conflict` (`import_ended`).
    """

    permission: ClassVar[Permission] = Permission.IMPORT_LEADS
    work: UnitOfWorkFactory[ImportsUnitOfWork]
    files: Files
    clock: Clock
    ids: Ids

    def __call__(self, actor: Actor, import_id: UUID, expected_version: int | None = None) -> LeadImport:
        actor.must(self.permission)
        return self.work.run(lambda work: self._cancel(work, import_id, expected_version))

    def _cancel(self, work: ImportsUnitOfWork, import_id: UUID, expected_version: int | None) -> LeadImport:
        lead_import = work.imports.get(import_id)
        require_version(expected_version, lead_import.version)
        if lead_import.status is not ImportStatus.CANCELLED:
            now = self.clock.now()
            lead_import.request_cancel(now)
            if lead_import.status.ended:  # else its worker still reads the file, and deletes it
                work.record(import_finished(self.ids.new(), now, lead_import))
                work.after_commit(partial(delete_quietly, self.files, lead_import.key))
            lead_import.mark_updated()
            work.imports.save(lead_import)
        return lead_import


@dataclass(frozen=True)
class UndoImport(UseCase):
    """Undo an import. Admins and managers only.

    The leads that it created are removed and the ones that it updated are restored, but only those
    that nobody has changed since. A lead whose former phone or e-mail belongs to another one by now is left
    unchanged. Undoing twice changes nothing. The undo of a large import goes on after the response: it
    has no `finished_at` until it is done. If a version is expected, no other version is undone.

    Raises `Forbidden`, `NotFound`, `PreconditionFailed` and `Conflict` (`import_not_ended`, `nothing_to_undo`,
    `import_expired`).
    """

    permission: ClassVar[Permission] = Permission.IMPORT_LEADS
    work: UnitOfWorkFactory[ImportsUnitOfWork]
    jobs: Jobs
    clock: Clock
    ids: Ids
    retention: timedelta | None = None

    def __call__(self, actor: Actor, import_id: UUID, expected_version: int | None = None) -> LeadImport:
        actor.must(self.permission)
        lead_import = self.work.run_step(lambda work: self._begin(work, import_id, expected_version))
        until = self.clock.now() + UNDO_TURN
        step = UndoStep(self.work, self.clock, self.ids)
        while lead_import.undoing and self.clock.now() < until:
            lead_import = step(import_id)
        return self.work.run(lambda work: self._wake_worker(work, lead_import))

    def _begin(self, work: ImportsUnitOfWork, import_id: UUID, expected_version: int | None) -> LeadImport:
        lead_import = work.imports.get(import_id)
        require_version(expected_version, lead_import.version)
        if lead_import.undone is None:
            if lead_import.is_expired(self.clock.now(), self.retention):
                raise Conflict("The import ended too long ago to be undone.", code="import_expired")
            lead_import.begin_undo()
            lead_import.mark_updated()
            work.imports.save(lead_import)
        return lead_import

    def _wake_worker(self, work: ImportsUnitOfWork, lead_import: LeadImport) -> LeadImport:
        if lead_import.undoing:
            work.after_commit(lambda: self.jobs.undo_import(lead_import.id))
        return lead_import


@dataclass(frozen=True)
class ContinueUndo(UseCase):
    """Continue an undo until it is done, or the worker has to stop. Safe to run twice, and at the same time.

    `on_finished` is called if this call finishes the undo, and not if it was finished before or by another call.
    """

    work: UnitOfWorkFactory[ImportsUnitOfWork]
    clock: Clock
    ids: Ids

    def __call__(
        self,
        import_id: UUID,
        *,
        should_stop: Callable[[], bool] = lambda: False,
        on_finished: Callable[[], None] = lambda: None,
    ) -> None:
        step = UndoStep(self.work, self.clock, self.ids)
        while step(import_id, on_finished=on_finished).undoing and not should_stop():
            pass


@dataclass(frozen=True)
class RemoveAbandonedImports(UseCase):
    """Cancel imports whose file was not uploaded within a day. Returns how many were cancelled; run by a schedule."""

    work: UnitOfWorkFactory[ImportsUnitOfWork]
    files: Files
    clock: Clock
    ids: Ids

    def __call__(self, *, limit: BatchSize = 500) -> int:
        now = self.clock.now()
        with self.work() as work:
            abandoned = work.imports.abandoned(before=now - ABANDONED_AFTER, limit=limit)
            for lead_import in abandoned:
                lead_import.cancel(now, None)
                lead_import.mark_updated()
                work.record(import_finished(self.ids.new(), now, lead_import))
                work.imports.save(lead_import)
            work.commit()
        for lead_import in abandoned:
            delete_quietly(self.files, lead_import.key)
        return len(abandoned)
