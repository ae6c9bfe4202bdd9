"""Use cases of lead images: announce, check, list and delete."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from threading import BoundedSemaphore
from typing import ClassVar
from uuid import UUID

from unite_core.checks import BatchSize, Input, UseCase
from unite_core.clock import Clock
from unite_core.errors import Conflict, FieldError, Invalid, NotFound, Unavailable
from unite_core.files import Files, Upload, delete_quietly, move_upload, upload_key
from unite_core.identity.model import Actor, Permission
from unite_core.ids import Ids
from unite_core.leads.events import image_added, image_deleted
from unite_core.leads.model import (
    IMAGE_TYPES,
    IMAGE_UPLOAD_TTL,
    MAX_IMAGE_BYTES,
    ImageStatus,
    Lead,
    LeadImage,
    real_image_type,
)
from unite_core.leads.pictures import InvalidPicture, clean_picture
from unite_core.leads.ports import LeadsUnitOfWork
from unite_core.leads.queries import visible_lead
from unite_core.quotas import Quotas
from unite_core.text import clean, text_error
from unite_core.unit_of_work import UnitOfWorkFactory
from unite_core.versions import require_version

MAX_FILENAME_LENGTH = 255
ABANDONED_AFTER = timedelta(hours=24)

MAX_PICTURES_IN_MEMORY = 4
"""The maximum number of pictures that a process checks at a time; each takes memory of up to three times its size."""

MAX_PICTURES_WAITING = 8
"""The maximum number of requests that wait for a slot; each check takes milliseconds of processor time."""

PICTURE_TIMEOUT = timedelta(seconds=1)
"""How long a request waits for a slot."""


@dataclass(frozen=True, kw_only=True)
class NewImage(Input):
    """A picture that a client is about to upload; `size` is in bytes."""

    lead_id: UUID
    content_type: str
    size: int
    filename: str | None = None


@dataclass(frozen=True)
class ImageUpload:
    """The announced image, and how the client sends its bytes to storage."""

    image: LeadImage
    upload: Upload


@dataclass(frozen=True)
class CreateImage(UseCase):
    """Get permission to upload a picture of a lead. Every user who may change the lead may add pictures.

    PNG, JPEG and WebP of at most 10 MiB are accepted; the permission is valid for 15 minutes, for exactly this type
    and size. The number of pictures of a lead is limited, and so is the number that a user has announced and not yet
    uploaded.

    Raises `NotFound`, `Invalid` and `Conflict` (`too_many_images`, `too_many_announced_images`).
    """

    permission: ClassVar[Permission | None] = None
    work: UnitOfWorkFactory[LeadsUnitOfWork]
    files: Files
    clock: Clock
    ids: Ids
    quotas: Quotas = field(default_factory=Quotas)

    def __call__(self, actor: Actor, new: NewImage) -> ImageUpload:
        filename = clean(new.filename) if new.filename is not None else None
        problems = _image_errors(new, filename)
        return self.work.run(lambda work: self._announce(work, actor, new, filename, problems))

    def _announce(
        self, work: LeadsUnitOfWork, actor: Actor, new: NewImage, filename: str | None, problems: list[FieldError]
    ) -> ImageUpload:
        lead = visible_lead(work, actor, new.lead_id)
        if problems:
            raise Invalid("The image breaks a rule.", problems=problems)
        self._require_room(work, actor, lead)
        image_id = self.ids.new()
        image = LeadImage(
            id=image_id,
            lead_id=lead.id,
            content_type=new.content_type,
            size=new.size,
            filename=filename,
            key=f"images/{lead.id}/{image_id}",
            status=ImageStatus.AWAITING_UPLOAD,
            created_by=actor.author,
            created_at=self.clock.now(),
        )
        work.images.add(image)
        upload = self.files.sign_upload(
            upload_key(image.key), content_type=image.content_type, size=image.size, ttl=IMAGE_UPLOAD_TTL
        )
        return ImageUpload(image, upload)

    def _require_room(self, work: LeadsUnitOfWork, actor: Actor, lead: Lead) -> None:
        # The lead is already locked, and the user is locked below: the counts cannot change until the image is added.
        if work.images.count_of_lead(lead.id) >= self.quotas.images_per_lead:
            raise Conflict(
                f"A lead has at most {self.quotas.images_per_lead} pictures, those that are announced among them; "
                "delete one first.",
                code="too_many_images",
            )
        work.users.lock(actor.author)
        if work.images.count_announced(actor.user_id) >= self.quotas.open_images:
            raise Conflict(
                f"You have announced {self.quotas.open_images} pictures that are not uploaded; upload and complete "
                "them, or delete them. Those that nobody uploads are gone after a day.",
                code="too_many_announced_images",
            )


class PictureSlots:
    """Slots that let `max_held` requests at a time hold a picture in memory, in each process.

    At most `max_waiting` others wait for up to `timeout`, so that pictures never take all threads for requests.
    """

    def __init__(
        self,
        max_held: int = MAX_PICTURES_IN_MEMORY,
        max_waiting: int = MAX_PICTURES_WAITING,
        timeout: timedelta = PICTURE_TIMEOUT,
    ) -> None:
        self._places = BoundedSemaphore(max_held + max_waiting)
        self._held = BoundedSemaphore(max_held)
        self._timeout = timeout.total_seconds()

    @contextmanager
    def acquire(self) -> Iterator[None]:
        """Hold a slot until the block ends; raise `Unavailable` if none becomes free in time."""
        if not self._places.acquire(blocking=False):
            raise _many_pictures()
        try:
            if not self._held.acquire(timeout=self._timeout):
                raise _many_pictures()
            try:
                yield
            finally:
                self._held.release()
        finally:
            self._places.release()


@dataclass(frozen=True)
class CompleteImage(UseCase):
    """Complete the upload of a picture: check its bytes and store the picture.

    The bytes must be uploaded, have the announced size, and be a whole, still picture of the announced type with at
    most 64 million pixels. Only the pixels, the colours and the orientation are stored and served; where, when and
    with what device the picture was taken is removed, and so are comments, previews, and all bytes after the end of
    the picture. After that, `size` is the number of stored bytes. If the bytes are invalid, they and the image are
    removed. Later uploads by the same link have no effect. Completing twice gives the same response. If a version is
    expected, only that version is completed.

    Raises `NotFound`, `PreconditionFailed`, `Conflict` (`not_uploaded`), `Invalid` (`wrong_size`, `wrong_type`,
    `unreadable_image`, `too_many_pixels`) and `Unavailable`.
    """

    permission: ClassVar[Permission | None] = None
    work: UnitOfWorkFactory[LeadsUnitOfWork]
    files: Files
    clock: Clock
    ids: Ids
    slots: PictureSlots = field(default_factory=PictureSlots)

    def __call__(self, actor: Actor, lead_id: UUID, image_id: UUID, expected_version: int | None = None) -> LeadImage:
        image = self._taken(actor, lead_id, image_id, expected_version)

        def complete(picture: bytes) -> LeadImage:
            return self.work.run(lambda work: self._complete(work, actor, image, expected_version, picture))

        if image.status is ImageStatus.READY:
            return complete(b"")
        with self.slots.acquire():
            picture = self._checked(image)
            if not isinstance(picture, FieldError):
                return complete(picture)
        if self.work.run_step(lambda work: self._remove(work, actor, image, expected_version)):
            raise Invalid(picture.detail, code=picture.code, problems=[picture])
        return complete(b"")

    def _taken(self, actor: Actor, lead_id: UUID, image_id: UUID, expected_version: int | None) -> LeadImage:
        """Return the image after moving its bytes, before any check, to a key that the upload link cannot write to."""
        # This unit changes no row, but it locks one: a concurrent request deletes the image either before the move, or
        # after it, and then it finds the bytes.
        with self.work() as work:
            image = _held(work, actor, lead_id, image_id, expected_version)
            if image.status is not ImageStatus.READY and not _take(self.files, image):
                raise Conflict("The image has not been uploaded yet; send its bytes first.", code="not_uploaded")
        return image

    def _complete(
        self, work: LeadsUnitOfWork, actor: Actor, image: LeadImage, expected_version: int | None, picture: bytes
    ) -> LeadImage:
        held = _held(work, actor, image.lead_id, image.id, expected_version)
        # The uploaded bytes stay until this unit is committed, so that a later attempt can start again. They are also
        # still there if an earlier attempt was stopped after its commit.
        work.after_commit(partial(_discard_upload, self.files, held))
        if held.status is not ImageStatus.READY:
            self._store(held, picture)
            work.images.save(held)
            work.record(image_added(self.ids.new(), self.clock.now(), actor, held))
        return held

    def _remove(self, work: LeadsUnitOfWork, actor: Actor, image: LeadImage, expected_version: int | None) -> bool:
        """Remove an image whose bytes are invalid; return False if another request has completed it in the meantime."""
        held = _held(work, actor, image.lead_id, image.id, expected_version)
        if held.status is ImageStatus.READY:
            return False
        work.images.remove(held.id)
        work.after_commit(partial(_discard, self.files, held))
        return True

    def _checked(self, image: LeadImage) -> bytes | FieldError:
        """Return the picture to store, or the field error if it is invalid."""
        try:
            with self.files.read(taken_key(image)) as stream:
                content = stream.read(MAX_IMAGE_BYTES + 1)
        except NotFound:
            return b""  # the same request came twice: the other has stored the picture, or somebody deleted it
        if len(content) != image.size:
            size = self.files.size(taken_key(image)) or 0
            return FieldError(
                field="size", code="wrong_size", detail=f"{size} bytes were uploaded, and {image.size} announced."
            )
        real = real_image_type(content[:16])
        if real != image.content_type:
            found = real or "no image of a type that is taken"
            return FieldError(
                field="content_type",
                code="wrong_type",
                detail=f"The uploaded bytes are {found}, and {image.content_type} was announced.",
            )
        try:
            return clean_picture(content, image.content_type)
        except InvalidPicture as refused:
            return FieldError(field="content_type", code=refused.code, detail=refused.detail)

    def _store(self, image: LeadImage, picture: bytes) -> None:
        if not picture:
            raise Conflict("The image has not been uploaded yet; send its bytes first.", code="not_uploaded")
        with self.files.write(image.key, content_type=image.content_type) as stream:
            stream.write(picture)
        image.receive(size=len(picture))


@dataclass(frozen=True)
class DeleteImage(UseCase):
    """Delete a picture of a lead and its bytes. Every user who may change the lead may delete its pictures.

    If a version is expected, only that version is deleted.

    Raises `NotFound` and `PreconditionFailed`.
    """

    work: UnitOfWorkFactory[LeadsUnitOfWork]
    files: Files
    clock: Clock
    ids: Ids

    def __call__(self, actor: Actor, lead_id: UUID, image_id: UUID, expected_version: int | None = None) -> None:
        with self.work() as work:
            image = _held(work, actor, lead_id, image_id, expected_version)
            work.images.remove(image.id)
            work.after_commit(partial(_discard, self.files, image))
            work.record(image_deleted(self.ids.new(), self.clock.now(), actor, image))
            work.commit()


@dataclass(frozen=True)
class RemoveAbandonedImages(UseCase):
    """Remove images whose bytes did not arrive within a day; return their number. Run by a schedule."""

    work: UnitOfWorkFactory[LeadsUnitOfWork]
    files: Files
    clock: Clock

    def __call__(self, *, limit: BatchSize = 500) -> int:
        with self.work() as work:
            abandoned = work.images.abandoned(before=self.clock.now() - ABANDONED_AFTER, limit=limit)
            for image in abandoned:
                work.images.remove(image.id)
                work.after_commit(partial(_discard, self.files, image))
            work.commit()
        return len(abandoned)


def _many_pictures() -> Unavailable:
    return Unavailable("Many pictures are being checked just now; try again in a moment.")


def taken_key(image: LeadImage) -> str:
    """Return the key of an uploaded picture until it is checked and stored; the upload link cannot write to it."""
    return f"{image.key}.uploaded"


def _take(files: Files, image: LeadImage) -> bool:
    """Move the uploaded bytes to `taken_key`; return False if nothing was uploaded."""
    if move_upload(files, taken_key(image), upload=upload_key(image.key)):
        return True
    # An earlier version of Unite moved uploads to the image's own key, and may have stopped before it checked them.
    try:
        files.move(image.key, taken_key(image))
    except NotFound:
        return False
    return True


def _discard(files: Files, image: LeadImage) -> None:
    _discard_upload(files, image)
    delete_quietly(files, image.key)


def _discard_upload(files: Files, image: LeadImage) -> None:
    """Delete the uploaded bytes; if the files are unavailable the bytes stay, and no link leads to them."""
    with suppress(Unavailable):
        files.delete(taken_key(image))


def _held(
    work: LeadsUnitOfWork, actor: Actor, lead_id: UUID, image_id: UUID, expected_version: int | None
) -> LeadImage:
    """Return the image of a lead that the actor may see; raise `PreconditionFailed` if another version is expected."""
    visible_lead(work, actor, lead_id)
    image = work.images.get(lead_id, image_id)
    require_version(expected_version, image.version)
    return image


def _image_errors(new: NewImage, filename: str | None) -> list[FieldError]:
    problems: list[FieldError] = []
    if new.content_type not in IMAGE_TYPES:
        problems.append(
            FieldError(
                field="content_type",
                code="unsupported_type",
                detail=f"Images are {', '.join(IMAGE_TYPES)}.",
            )
        )
    if not 1 <= new.size <= MAX_IMAGE_BYTES:
        problems.append(
            FieldError(field="size", code="wrong_size", detail=f"An image has 1 to {MAX_IMAGE_BYTES} bytes (10 MiB).")
        )
    if filename is not None:
        problem = text_error("filename", filename, max_length=MAX_FILENAME_LENGTH)
        if problem is not None:
            problems.append(problem)
    return problems
