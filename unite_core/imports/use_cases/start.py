"""How a file gets in: announced and uploaded to storage, or sent in one call."""

import hashlib
import json
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import BinaryIO, ClassVar
from uuid import UUID

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
"""What the keys begin with under which files are, as long as their import has not ended."""


@dataclass(frozen=True, kw_only=True)
class NewImport:
    """A file that a client is about to upload; `size` is in bytes."""

    filename: str
    size: int
    options: ImportOptions = field(default_factory=ImportOptions)


@dataclass(frozen=True)
class ImportUpload:
    """The import to come, and how its file is sent to storage."""

    lead_import: LeadImport
    upload: Upload


@dataclass(frozen=True)
class CreateImport:
    """Get permission to upload a CSV file of leads. Admins and managers only.

    A file has at most 512 MiB; the permission is good for an hour, for exactly this size. Once the file
    is there, `StartImport` sets it going. How many imports of one user may wait and run at the same time, and how many
    bytes they may have together, is limited.

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
        coming = _announced(work, self.clock, self.ids, actor, new, problems)
        require_quota(work, self.quotas, actor.user_id, new.size)
        work.imports.add(coming)
        upload = self.files.sign_upload(upload_key(coming.key), content_type=CSV_TYPE, size=new.size, ttl=UPLOAD_TTL)
        return ImportUpload(coming, upload)


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file that has arrived: where it is, how many bytes it has, and their SHA-256 in hexadecimal."""

    import_id: UUID
    key: str
    size: int
    sha256: str


@dataclass(frozen=True)
class StartImport:
    """Set an import going whose file was uploaded. Admins and managers only.

    Starting it again is harmless, and so is what is uploaded by the same link later: nobody reads it. Where the same
    user had the same bytes imported with the same options within 24 hours, that import is the answer, and this one is
    cancelled. Where a version is expected, no other one is started.

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
        taken = self._take(import_id, expected_version)
        return retry_on_deadlock(
            lambda: self.work.run(lambda work: self._start(work, actor, import_id, expected_version, taken)), SameFile
        )

    def _start(
        self,
        work: ImportsUnitOfWork,
        actor: Actor,
        import_id: UUID,
        expected_version: int | None,
        taken: StoredFile | None,
    ) -> LeadImport:
        started = work.imports.get(import_id)
        require_version(expected_version, started.version)
        if started.status is not ImportStatus.AWAITING_UPLOAD:
            if started.status is ImportStatus.CANCELLED:
                raise Conflict("This import was cancelled; announce another one.", code="already_started")
            return started
        if taken is None:
            raise _not_uploaded()
        key = same_file_key(started.created_by, taken.sha256, started.options)
        earlier = earlier_import(work, key, self.clock)
        if earlier is not None:
            started.cancel(self.clock.now(), None)
            work.after_commit(partial(delete_quietly, self.files, started.key))
        else:
            started.queue(taken.size, key, actor.correlation_id)
            work.after_commit(lambda: self.jobs.run_import(started.id))
        started.touched()
        work.imports.save(started)
        return earlier or started

    def _take(self, import_id: UUID, expected_version: int | None) -> StoredFile | None:
        """What was uploaded, out of the reach of its link; None where no import waits for it any more.

        Only then it is read: what the digest was made of is what will be imported.
        """
        # This unit changes no row, it holds one: whoever cancels the import meanwhile does so before the move, or
        # after it and finds the file.
        with self.work() as work:
            known = work.imports.get(import_id)
            require_version(expected_version, known.version)
            if known.status is not ImportStatus.AWAITING_UPLOAD:
                return None
            if not move_upload(self.files, known.key):
                raise _not_uploaded()
        try:
            return _stored_file(self.files, known)
        except NotFound:  # it was cancelled
            return None


@dataclass(frozen=True)
class StoreFile:
    """Take in a file that comes with the request, as a stream. Admins and managers only.

    It belongs to no import yet: `ImportStoredFile` creates one for it, `delete_quietly` deletes it. If the process dies
    before either, it is removed like an upload that nobody uses.

    A file is also read where the user may have no further import, because it may be the same file again: only its
    bytes show that, and `ImportStoredFile` refuses any other. The quota `excess_files_per_hour` limits such files;
    where it is reached, nothing is read.

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
        retry_on_deadlock(lambda: self._require_room(actor.user_id, import_id))
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
        """Throw a stored file away that no import was made of."""
        self.files.delete(stored.key)


@dataclass(frozen=True, kw_only=True)
class FileToImport:
    """A stored file and how it shall be read."""

    stored: StoredFile
    filename: str
    options: ImportOptions = field(default_factory=ImportOptions)


@dataclass(frozen=True)
class ImportStoredFile:
    """Have a stored file imported. Admins and managers only.

    Where the same user had the same bytes imported with the same options within 24 hours, that import is the
    answer, and the file is thrown away. How many imports of one user may wait and run at the same time, and how many
    bytes they may have together, is limited; a file that was imported already needs no room.

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
        with ExitStack() as if_not_made:
            return self.work.run(lambda work: self._make(work, actor, file, key, if_not_made))

    def _make(
        self, work: ImportsUnitOfWork, actor: Actor, file: FileToImport, key: str, if_not_made: ExitStack
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
        if_not_made.callback(self._discard_unless_made, new)
        self.files.move(stored.key, new.key)

        def made() -> None:
            if_not_made.pop_all()
            self.jobs.run_import(new.id)

        work.after_commit(made)
        return new

    def _discard_unless_made(self, new: LeadImport) -> None:
        # The answer to a commit may be all that was lost. Where nobody can say, the file stays: an import needs it.
        with suppress(Unavailable), self.work() as work:
            try:
                work.imports.get(new.id)
            except NotFound:
                delete_quietly(self.files, new.key)


def file_key(import_id: UUID) -> str:
    """Where the files hold what was uploaded for an import."""
    return f"{IMPORTS}/{import_id}.csv"


def same_file_key(user_id: UUID, sha256: str, options: ImportOptions) -> str:
    """What two uploads of the same bytes by the same user with the same options have in common."""
    told = json.dumps([str(user_id), sha256, asdict(options)], default=str, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def earlier_import(work: ImportsUnitOfWork, key: str, clock: Clock) -> LeadImport | None:
    """The import of the same file that stands in for a new one; one older than 24 hours gives up its key."""
    earlier = work.imports.find_same_file(key)
    if earlier is None or clock.now() - earlier.created_at < SAME_FILE_WITHIN:
        return earlier
    earlier.same_file_key = None
    earlier.touched()
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
    wrong_name = (
        text_error("filename", filename, max_length=MAX_FILENAME_LENGTH)
        if filename
        else FieldError(field="filename", code="required", detail="The file needs a name.")
    )
    found = [*problems, *([wrong_name] if wrong_name else []), *option_errors(work, new.options)]
    if found:
        raise Invalid("The import breaks a rule.", problems=found)
    import_id = stored.import_id if stored else ids.new()
    return LeadImport(
        id=import_id,
        filename=filename,
        size=new.size,
        status=ImportStatus.AWAITING_UPLOAD,
        options=new.options,
        key=file_key(import_id),
        created_by=actor.user_id,
        created_at=clock.now(),
    )


def _stored_file(files: Files, of: LeadImport) -> StoredFile:
    sha256 = hashlib.sha256()
    size = 0
    with files.read(of.key) as stream:
        while block := stream.read(BLOCK):
            size += len(block)
            sha256.update(block)
    return StoredFile(import_id=of.id, key=of.key, size=size, sha256=sha256.hexdigest())


def _not_uploaded() -> Conflict:
    return Conflict("The file has not been uploaded yet; send its bytes first.", code="not_uploaded")


def _size_problem() -> FieldError:
    return FieldError(field="size", code="wrong_size", detail=f"A file has 1 to {MAX_FILE_BYTES} bytes (512 MiB).")
