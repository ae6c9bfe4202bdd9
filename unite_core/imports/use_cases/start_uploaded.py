"""How an import starts by itself, once storage tells that its file has come."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from uuid import UUID

from unite_core.errors import Conflict, NotFound
from unite_core.files import Files, upload_key
from unite_core.identity.model import Actor, Permission, User
from unite_core.imports.model import ImportStatus, LeadImport
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.imports.use_cases.start import StartImport, file_key
from unite_core.unit_of_work import UnitOfWorkFactory


class UploadOutcome(StrEnum):
    """What came of the notice that a file was uploaded."""

    STARTED = "started"
    """The import is on its way, or stands back for an earlier one of the same file."""

    KNOWN = "known"
    """It had been started before, has ended or was cancelled; nothing was done."""

    REFUSED = "refused"
    """Whoever announced it may not import any more; nothing was done."""

    GONE = "gone"
    """The file has been thrown away since, so that there is nothing to import."""

    UNKNOWN = "unknown"
    """A file lies there, and no import is known that it belongs to; perhaps one will be in a moment."""

    @property
    def settled(self) -> bool:
        """Whether the notice has served; of one that has not, a later attempt may make more."""
        return self is not UploadOutcome.UNKNOWN


_MEANWHILE = {"already_started": UploadOutcome.KNOWN, "not_uploaded": UploadOutcome.GONE}
"""What it means that an import that was still waiting for its file could not be started after all."""


@dataclass(frozen=True)
class StartUploadedImport:
    """Set the import going whose file has come to `key`, on behalf of whoever announced it.

    It does what `StartImport` does, with the role that the creator has by now: somebody who has left imports nothing.
    The same notice may come any number of times, and when the client has started the import already. What follows
    from it is put down to `correlation_id`.

    Raises `Unavailable` where files or database do not answer; the notice is worth another attempt then.
    """

    reads: UnitOfWorkFactory[ImportsUnitOfWork]
    files: Files
    start: StartImport

    def __call__(self, key: str, correlation_id: str | None = None) -> UploadOutcome:
        import_id = _import_id(key)
        if import_id is None:
            return UploadOutcome.UNKNOWN
        found = self._find(import_id)
        if found is None:
            # A file that comes with its request lies here too, until its import is made or it is thrown away.
            return UploadOutcome.GONE if self.files.size(key) is None else UploadOutcome.UNKNOWN
        known, creator = found
        if known.status is not ImportStatus.AWAITING_UPLOAD:
            return UploadOutcome.KNOWN
        actor = Actor(user_id=creator.id, role=creator.role, correlation_id=correlation_id)
        if not (creator.active and actor.may(Permission.IMPORT_LEADS)):
            return UploadOutcome.REFUSED
        try:
            self.start(actor, import_id)
        except Conflict as refused:
            outcome = _MEANWHILE.get(refused.code)
            if outcome is None:
                raise
            return outcome
        return UploadOutcome.STARTED

    def _find(self, import_id: UUID) -> tuple[LeadImport, User] | None:
        """The import and whoever announced it; None where there is no such import."""
        with self.reads() as work:
            try:
                known = work.imports.get(import_id)
            except NotFound:
                return None
            return known, work.users.get(known.created_by)


def _import_id(key: str) -> UUID | None:
    """The import whose file clients upload to the key; None where the key is not for files of imports."""
    try:
        import_id = UUID(PurePosixPath(key).stem)
    except ValueError:
        return None
    return import_id if key == upload_key(file_key(import_id)) else None
