"""Use cases: announce an import and start it, or import a file that comes with the request."""

import hashlib
import json
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import BinaryIO, ClassVar
from uuid import UUID

from unite_core.checks import Input, UseCase
from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import Conflict, FieldError, Invalid, NotFound, TooLarge, Unavailable
from unite_core.files import Files, Upload, delete_quietly, move_upload, upload_key
from unite_core.identity.model import Actor, Permission
from unite_core.ids import Ids
from unite_core.imports.model import (
    CSV_TYPE,
    MAX_FILE_BYTES,
    SAME_FILE_WITHIN,
    UPLOAD_TTL,
    ImportOptions,
    ImportStatus,
    LeadImport,
    SameFile,
)
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.imports.use_cases.options import option_errors
from unite_core.imports.use_cases.quota import require_quota
from unite_core.jobs import Jobs
from unite_core.quotas import Quotas
from unite_core.text import clean, text_error
from unite_core.unit_of_work import UnitOfWorkFactory
from unite_core.versions import require_version

MAX_FILENAME_LENGTH = 255
BLOCK = 256 * 1024

IMPORTS = "imports"
"""The prefix of the keys of files whose import has not ended."""


@dataclass(frozen=True, kw_only=True)
class NewImport(Input):
    """A file that a client is about to upload; `size` is in bytes."""

    filename: str
    size: int
    options: ImportOptions = field(default_factory=ImportOptions)


@dataclass(frozen=True)
class ImportUpload:
    """The announced import, and how its file is sent to storage."""

    lead_import: LeadImport
    upload: Upload


@dataclass(frozen=True)
class CreateImport(UseCase):
    """Announce an import and get permission to upload its CSV file of leads. Admins and managers only.

    A file has at most 512 MiB; the permission is valid for an hour, for exactly this size. Once the file
    is uploaded, `StartImport` starts the import. The number of imports of one user that wait or run at the same time,
    and their total size, are limited.

    Raises `Forbidden`, `Invalid` and `Conflict` (`too_many_imports`, `too_many_import_bytes`).
    """

    permission: ClassVar[Permission] = Permission.IMPORT_LEADS
    work: UnitOfWorkFactory[ImportsUnitOfWork]
    files: Files
    clock: Clock
    ids: Ids
    quotas: Quotas = field(default_factory=Quotas)

    def __call__(self, actor: Actor, new: NewImport) -> ImportUpload:
        actor.must(self.permission)
        problems = [] if 1 <= new.size <= MAX_FILE_BYTES else [_size_problem()]
        return self.work.run(lambda work: self._announce(work, actor, new, problems))

    def _announce(
        self, work: ImportsUnitOfWork, actor: Actor, new: NewImport, problems: list[FieldError]
    ) -> ImportUpload:
        lead_import = _announced(work, self.clock, self.ids, actor, new, problems)
        require_quota(work, self.quotas, actor.user_id, new.size)
        work.imports.add(lead_import)
        upload = self.files.sign_upload(
            upload_key(lead_import.key), content_type=CSV_TYPE, size=new.size, ttl=UPLOAD_TTL
        )
        return ImportUpload(lead_import, upload)


@dataclass(frozen=True, kw_only=True)
class StoredFile(Input):
    """A file that was uploaded: its key, its number of bytes, and their SHA-256 in hexadecimal."""

    import_id: UUID
    key: str
    size: int
    sha256: str


@dataclass(frozen=True)
class StartImport(UseCase):
    """Start an import whose file was uploaded. Admins and managers only.

    Starting it again is harmless, and so is a later upload by the same link: it is not read. If the same
    user imported the same bytes with the same options within 24 hours, that import is returned, and this one is
    cancelled. If a version is expected, no other version is started.

    Raises `Forbidden`, `NotFound`, `PreconditionFailed` and `Conflict` (`not_uploaded`, `already_started` for one that
    was cancelled).
    """

    permission: ClassVar[Permission] = Permission.IMPORT_LEADS
    work: UnitOfWorkFactory[ImportsUnitOfWork]
    files: Files
    jobs: Jobs
    clock: Clock

    def __call__(self, actor: Actor, import_id: UUID, expected_version: int | None = None) -> LeadImport:
        actor.must(self.permission)
        stored = self._take_upload(import_id, expected_version)
        return retry_on_deadlock(
            lambda: self.work.run(lambda work: self._start(work, actor, import_id, expected_version, stored)), SameFile
        )

    def _start(
        self,
        work: ImportsUnitOfWork,
        actor: Actor,
        import_id: UUID,
        expected_version: int | None,
        stored: StoredFile | None,
    ) -> LeadImport:
        lead_import = work.imports.get(import_id)
        require_version(expected_version, lead_import.version)
        if lead_import.status is not ImportStatus.AWAITING_UPLOAD:
            if lead_import.status is ImportStatus.CANCELLED:
                raise Conflict("This import was cancelled; announce another one.", code="already_started")
            return lead_import
        if stored is None:
            raise _not_uploaded()
        key = same_file_key(lead_import.created_by, stored.sha256, lead_import.options)
        earlier = earlier_import(work, key, self.clock)
        if earlier is not None:
            lead_import.cancel(self.clock.now(), None)
            work.after_commit(partial(delete_quietly, self.files, lead_import.key))
        else:
            lead_import.queue(stored.size, key, actor.correlation_id)
            work.after_commit(lambda: self.jobs.run_import(lead_import.id))
        lead_import.mark_updated()
        work.imports.save(lead_import)
        return earlier or lead_import

    def _take_upload(self, import_id: UUID, expected_version: int | None) -> StoredFile | None:
        """Move the upload to where its link cannot overwrite it; return None if no import waits for it any more.

        It is read only after that: the bytes of the digest are the bytes that are imported.
        """
        # This unit changes no row, it locks one: another request can cancel the import only before the move, or
        # after it, and then it finds the file.
        with self.work() as work:
            lead_import = work.imports.get(import_id)
            require_version(expected_version, lead_import.version)
            if lead_import.status is not ImportStatus.AWAITING_UPLOAD:
                return None
            if not move_upload(self.files, lead_import.key):
                raise _not_uploaded()
        try:
            return _stored_file(self.files, lead_import)
        except NotFound:  # it was cancelled
            return None


@dataclass(frozen=True)
class StoreFile(UseCase):
    """Store a file that comes with the request, as a stream. Admins and managers only.

    It belongs to no import yet: `ImportStoredFile` makes one of it, `delete_quietly` deletes it. If neither happens,
    because the process dies, the file is deleted like any upload that is not used.

    A file is also read if the user may have no further import, because it may be the same file again: only its
    bytes show that, and `ImportStoredFile` refuses any other file. The quota `excess_files_per_hour` limits such files;
    if it is exhausted, nothing is read.

    Raises `Forbidden`, `Conflict` (`too_many_imports`, `too_many_import_bytes`), and `TooLarge` for more than 512 MiB.
    """

    work: UnitOfWorkFactory[ImportsUnitOfWork]
    reads: UnitOfWorkFactory[ImportsUnitOfWork]
    files: Files
    clock: Clock
    ids: Ids
    quotas: Quotas = field(default_factory=Quotas)

    def __call__(self, actor: Actor, stream: BinaryIO) -> StoredFile:
        actor.must(Permission.IMPORT_LEADS)
        import_id = self.ids.new()
        retry_on_deadlock(lambda: self._require_room(actor.author, import_id))
        key = upload_key(file_key(import_id))
        sha256 = hashlib.sha256()
        size = 0
        with self.files.write(key, content_type=CSV_TYPE) as target:
            while block := stream.read(BLOCK):
                size += len(block)
                if size > MAX_FILE_BYTES:
                    raise TooLarge(f"A file has at most {MAX_FILE_BYTES} bytes (512 MiB); split it.")
                sha256.update(block)
                target.write(block)
        return StoredFile(import_id=import_id, key=key, size=size, sha256=sha256.hexdigest())

    def _require_room(self, user_id: UUID, import_id: UUID) -> None:
        try:
            with self.reads() as reads:
                require_quota(reads, self.quotas, user_id, 1)
        except Conflict:
            limit = self.quotas.excess_files_per_hour
            with self.work() as work:
                if work.usage.take(f"excess files of {user_id}", import_id, limit=limit, now=self.clock.now()):
                    raise
                work.commit()

    def discard(self, stored: StoredFile) -> None:
        """Delete a stored file that no import was made of."""
        self.files.delete(stored.key)


@dataclass(frozen=True, kw_only=True)
class FileToImport(Input):
    """A stored file and the options to import it with."""

    stored: StoredFile
    filename: str
    options: ImportOptions = field(default_factory=ImportOptions)


@dataclass(frozen=True)
class ImportStoredFile(UseCase):
    """Import a stored file. Admins and managers only.

    If the same user imported the same bytes with the same options within 24 hours, that import is returned,
    and the file is deleted. The number of imports of one user that wait or run at the same time, and their total size,
    are limited; a file that was imported already does not count.

    Raises `Forbidden`, `Invalid` and `Conflict` (`too_many_imports`, `too_many_import_bytes`).
    """

    permission: ClassVar[Permission] = Permission.IMPORT_LEADS
    work: UnitOfWorkFactory[ImportsUnitOfWork]
    files: Files
    jobs: Jobs
    clock: Clock
    ids: Ids
    quotas: Quotas = field(default_factory=Quotas)

    def __call__(self, actor: Actor, file: FileToImport) -> LeadImport:
        actor.must(self.permission)
        key = same_file_key(actor.user_id, file.stored.sha256, file.options)
        return retry_on_deadlock(lambda: self._import(actor, file, key), SameFile)

    def _import(self, actor: Actor, file: FileToImport, key: str) -> LeadImport:
        with ExitStack() as on_failure:
            return self.work.run(lambda work: self._create(work, actor, file, key, on_failure))

    def _create(
        self, work: ImportsUnitOfWork, actor: Actor, file: FileToImport, key: str, on_failure: ExitStack
    ) -> LeadImport:
        stored = file.stored
        announced = NewImport(filename=file.filename, size=stored.size, options=file.options)
        new = _announced(work, self.clock, self.ids, actor, announced, [], stored)
        earlier = earlier_import(work, key, self.clock)
        if earlier is not None:
            work.after_commit(lambda: delete_quietly(self.files, stored.key))
            return earlier
        require_quota(work, self.quotas, actor.user_id, stored.size)
        new.queue(stored.size, key, actor.correlation_id)
        work.imports.add(new)
        # An import without a file would fail; a file without an import is deleted again.
        on_failure.callback(self._discard_unless_created, new)
        self.files.move(stored.key, new.key)

        def created() -> None:
            on_failure.pop_all()
            self.jobs.run_import(new.id)

        work.after_commit(created)
        return new

    def _discard_unless_created(self, new: LeadImport) -> None:
        # Perhaps only the response to the commit was lost. If that cannot be checked, the file stays for the import.
        with suppress(Unavailable), self.work() as work:
            try:
                work.imports.get(new.id)
            except NotFound:
                delete_quietly(self.files, new.key)


def file_key(import_id: UUID) -> str:
    """Return the key of the uploaded file of an import in file storage."""
    return f"{IMPORTS}/{import_id}.csv"


def same_file_key(user_id: UUID, sha256: str, options: ImportOptions) -> str:
    """Return a digest that uploads of the same bytes by the same user with the same options share."""
    identity = json.dumps([str(user_id), sha256, asdict(options)], default=str, sort_keys=True)
    return hashlib.sha256(identity.encode()).hexdigest()


def earlier_import(work: ImportsUnitOfWork, key: str, clock: Clock) -> LeadImport | None:
    """Return the import of the same file that replaces a new one; one older than 24 hours loses its key."""
    earlier = work.imports.find_same_file(key)
    if earlier is None or clock.now() - earlier.created_at < SAME_FILE_WITHIN:
        return earlier
    earlier.same_file_key = None
    earlier.mark_updated()
    work.imports.save(earlier)
    return None


def _announced(
    work: ImportsUnitOfWork,
    clock: Clock,
    ids: Ids,
    actor: Actor,
    new: NewImport,
    problems: list[FieldError],
    stored: StoredFile | None = None,
) -> LeadImport:
    filename = clean(new.filename)
    filename_error = (
        text_error("filename", filename, max_length=MAX_FILENAME_LENGTH)
        if filename
        else FieldError(field="filename", code="required", detail="The file needs a name.")
    )
    errors = [*problems, *([filename_error] if filename_error else []), *option_errors(work, new.options)]
    if errors:
        raise Invalid("The import breaks a rule.", problems=errors)
    import_id = stored.import_id if stored else ids.new()
    return LeadImport(
        id=import_id,
        filename=filename,
        size=new.size,
        status=ImportStatus.AWAITING_UPLOAD,
        options=new.options,
        key=file_key(import_id),
        created_by=actor.author,
        created_at=clock.now(),
    )


def _stored_file(files: Files, lead_import: LeadImport) -> StoredFile:
    sha256 = hashlib.sha256()
    size = 0
    with files.read(lead_import.key) as stream:
        while block := stream.read(BLOCK):
            size += len(block)
            sha256.update(block)
    return StoredFile(import_id=lead_import.id, key=lead_import.key, size=size, sha256=sha256.hexdigest())


def _not_uploaded() -> Conflict:
    return Conflict("The file has not been uploaded yet; send its bytes first.", code="not_uploaded")


def _size_problem() -> FieldError:
    return FieldError(field="size", code="wrong_size", detail=f"A file has 1 to {MAX_FILE_BYTES} bytes (512 MiB).")
