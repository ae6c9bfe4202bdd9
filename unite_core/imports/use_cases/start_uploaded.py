"""Use cases: start an import when the storage reports that its file was uploaded."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from uuid import UUID

from unite_core.checks import UseCase
from unite_core.errors import Conflict, NotFound
from unite_core.files import Files, upload_key
from unite_core.identity.model import Actor, Permission, User
from unite_core.imports.model import ImportStatus, LeadImport
from unite_core.imports.ports import ImportsUnitOfWork, UploadNotice, UploadNotices
from unite_core.imports.use_cases.start import StartImport, file_key
from unite_core.text import CorrelationId
from unite_core.unit_of_work import UnitOfWorkFactory


class UploadOutcome(StrEnum):
    """The result of a notice that a file was uploaded."""

    STARTED = "started"
    """The import was queued, or cancelled in favour of an earlier one of the same file."""

    KNOWN = "known"
    """The import had been started before, has ended or was cancelled; nothing was done."""

    REFUSED = "refused"
    """The user who announced it may not import any more; nothing was done."""

    GONE = "gone"
    """The file was deleted since, so that there is nothing to import."""

    UNKNOWN = "unknown"
    """There is a file, but no import is known to which it belongs; perhaps one will be known in a moment."""

    @property
    def settled(self) -> bool:
        """Whether the notice is done with; if it is not, a later attempt may succeed."""
        return self is not UploadOutcome.UNKNOWN


_OUTCOME_OF_ERROR = {"already_started": UploadOutcome.KNOWN, "not_uploaded": UploadOutcome.GONE}
"""The outcome for each error of an import that was waiting for its file but could not be started."""


@dataclass(frozen=True)
class StartUploadedImport(UseCase):
    """Start the import whose file was uploaded to `key`, on behalf of the user who announced it.

    It does what `StartImport` does, with the current role of the creator: a user who was deactivated imports nothing.
    The same notice may come any number of times, and after the client has started the import. What follows
    from it carries `correlation_id`.

    Raises `Unavailable` if files or database do not answer; then the notice should be tried again.
    """

    reads: UnitOfWorkFactory[ImportsUnitOfWork]
    files: Files
    start: StartImport

    def __call__(self, key: str, correlation_id: CorrelationId | None = None) -> UploadOutcome:
        import_id = _import_id(key)
        if import_id is None:
            return UploadOutcome.UNKNOWN
        import_and_creator = self._find(import_id)
        if import_and_creator is None:
            # A file that comes with its request is stored here too, until its import is made or it is deleted.
            return UploadOutcome.GONE if self.files.size(key) is None else UploadOutcome.UNKNOWN
        lead_import, creator = import_and_creator
        if lead_import.status is not ImportStatus.AWAITING_UPLOAD:
            return UploadOutcome.KNOWN
        actor = Actor(user_id=creator.id, role=creator.role, correlation_id=correlation_id)
        if not (creator.active and actor.may(Permission.IMPORT_LEADS)):
            return UploadOutcome.REFUSED
        try:
            self.start(actor, import_id)
        except Conflict as refused:
            outcome = _OUTCOME_OF_ERROR.get(refused.code)
            if outcome is None:
                raise
            return outcome
        return UploadOutcome.STARTED

    def _find(self, import_id: UUID) -> tuple[LeadImport, User] | None:
        """Return the import and the user who announced it; None if there is no such import."""
        with self.reads() as work:
            try:
                lead_import = work.imports.get(import_id)
            except NotFound:
                return None
            return lead_import, work.users.get(lead_import.created_by)


@dataclass(frozen=True)
class StartAnnouncedUploads(UseCase):
    """Start the import of each file that the storage announces, until it announces no more.

    Returns how many notices were dealt with. A notice of a file for which there is no import yet is received again.
    Raises `Unavailable`; the notice at hand is received again then, too.
    """

    notices: UploadNotices
    start_uploaded: StartUploadedImport

    def __call__(self, *, should_stop: Callable[[], bool] = lambda: False) -> int:
        settled = 0
        while not should_stop():
            notice = self.notices.receive()
            if notice is None:
                break
            settled += start_announced(notice, self.start_uploaded).settled
        return settled


def start_announced(
    notice: UploadNotice, start_uploaded: Callable[[str, CorrelationId | None], UploadOutcome]
) -> UploadOutcome:
    """Start the import that a notice is about, and delete the notice if that is settled."""
    with notice.held():
        outcome = start_uploaded(notice.key, notice.id)
    if outcome.settled:
        notice.done()
    return outcome


def _import_id(key: str) -> UUID | None:
    """Return the import whose file clients upload to the key; None if the key is not for files of imports."""
    try:
        import_id = UUID(PurePosixPath(key).stem)
    except ValueError:
        return None
    return import_id if key == upload_key(file_key(import_id)) else None
