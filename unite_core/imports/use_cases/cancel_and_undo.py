"""Stopping an import, taking it back, and clearing away what was left behind."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import ClassVar
from uuid import UUID

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
"""How long a request waits for the undoing; what is left then goes on in a worker."""

ABANDONED_AFTER = timedelta(hours=24)


@dataclass(frozen=True)
class CancelImport:
    """Stop an import. Admins and managers only.

    One that waits is cancelled at once, one that runs before its next chunk. What it imported so far stays, and
    can be undone; its file is deleted. Cancelling twice changes nothing. Where a version is expected, no other one
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
        unwanted = work.imports.get(import_id)
        require_version(expected_version, unwanted.version)
        if unwanted.status is not ImportStatus.CANCELLED:
            now = self.clock.now()
            unwanted.request_cancel(now)
            if unwanted.status.ended:  # else its worker still reads the file, and deletes it
                work.record(import_finished(self.ids.new(), now, unwanted))
                work.after_commit(partial(delete_quietly, self.files, unwanted.key))
            unwanted.touched()
            work.imports.save(unwanted)
        return unwanted


@dataclass(frozen=True)
class UndoImport:
    """Take an import back. Admins and managers only.

    The leads that it created are removed and the ones that it updated are put back as they were: those alone
    that nobody has touched since. A lead whose former phone or e-mail belongs to another one by now is left
    alone. Undoing twice changes nothing. A large import goes on being undone after the answer: the
    undoing has no `finished_at` until then. Where a version is expected, no other one is undone.

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
        with self.work() as work:
            unwanted = work.imports.get(import_id)
            require_version(expected_version, unwanted.version)
            if unwanted.undone is None:
                if unwanted.is_expired(self.clock.now(), self.retention):
                    raise Conflict("The import ended too long ago to be undone.", code="import_expired")
                unwanted.begin_undo()
                unwanted.touched()
                work.imports.save(unwanted)
            work.commit()
        until = self.clock.now() + UNDO_TURN
        step = UndoStep(self.work, self.clock, self.ids)
        while unwanted.undoing and self.clock.now() < until:
            unwanted = step(import_id)
        return self.work.run(lambda work: self._answer(work, unwanted))

    def _answer(self, work: ImportsUnitOfWork, unwanted: LeadImport) -> LeadImport:
        if unwanted.undoing:
            work.after_commit(lambda: self.jobs.undo_import(unwanted.id))
        return unwanted


@dataclass(frozen=True)
class ContinueUndo:
    """Go on with an undoing until it is done, or the worker has to stop. Safe to run twice, and side by side.

    `on_finished` is called where the undoing ends by this call, and not where it had ended before or ends by another.
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
class RemoveAbandonedImports:
    """Cancel imports whose file never came within a day. Returns how many there were; run by a schedule."""

    work: UnitOfWorkFactory[ImportsUnitOfWork]
    files: Files
    clock: Clock
    ids: Ids

    def __call__(self, *, limit: int = 500) -> int:
        now = self.clock.now()
        with self.work() as work:
            abandoned = work.imports.abandoned(before=now - ABANDONED_AFTER, limit=limit)
            for left in abandoned:
                left.cancel(now, None)
                left.touched()
                work.record(import_finished(self.ids.new(), now, left))
                work.imports.save(left)
            work.commit()
        for left in abandoned:
            delete_quietly(self.files, left.key)
        return len(abandoned)
