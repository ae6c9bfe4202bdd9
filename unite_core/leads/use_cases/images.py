"""What can be done about the pictures of leads."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from uuid import UUID

from unite_core.clock import Clock
from unite_core.errors import Conflict, Invalid, Problem
from unite_core.files import Files, Upload, discard, take_upload, upload_key
from unite_core.identity.model import Actor
from unite_core.ids import Ids
from unite_core.leads.events import image_added, image_deleted
from unite_core.leads.model import (
    IMAGE_TYPES,
    IMAGE_UPLOAD_LIFETIME,
    LARGEST_IMAGE,
    ImageStatus,
    Lead,
    LeadImage,
    real_image_type,
)
from unite_core.leads.ports import LeadsWork
from unite_core.leads.queries import visible_lead
from unite_core.quotas import Quotas
from unite_core.text import clean, text_problem
from unite_core.unit_of_work import Work
from unite_core.versions import require_version

LONGEST_FILENAME = 255
ABANDONED_AFTER = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class NewImage:
    """A picture that a client is about to upload; `size` is in bytes."""

    lead_id: UUID
    content_type: str
    size: int
    filename: str | None = None


@dataclass(frozen=True)
class ImageUpload:
    """The image to come, and how its bytes are sent to storage."""

    image: LeadImage
    upload: Upload


@dataclass(frozen=True)
class AddImage:
    """Get permission to upload a picture of a lead. Whoever may change the lead may add pictures.

    PNG, JPEG and WebP, 10 MiB at the most; the permission is good for 15 minutes, for exactly this type and size. How
    many pictures a lead may have is limited, and how many a user may have announced that are not uploaded yet.

    Raises `NotFound`, `Invalid` and `Conflict` (`too_many_images`, `too_many_announced_images`).
    """

    work: Work[LeadsWork]
    files: Files
    clock: Clock
    ids: Ids
    quotas: Quotas = field(default_factory=Quotas)

    def __call__(self, actor: Actor, new: NewImage) -> ImageUpload:
        filename = clean(new.filename) if new.filename is not None else None
        problems = _image_problems(new, filename)
        with self.work() as work:
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
                created_by=actor.user_id,
                created_at=self.clock.now(),
            )
            work.images.add(image)
            upload = self.files.sign_upload(
                upload_key(image.key), content_type=image.content_type, size=image.size, lifetime=IMAGE_UPLOAD_LIFETIME
            )
            result = ImageUpload(image, upload)
            work.commit(result)
        return result

    def _require_room(self, work: LeadsWork, actor: Actor, lead: Lead) -> None:
        # The lead is held already, and the user from here on: what is counted stays so until the image is added.
        if work.images.count_of_lead(lead.id) >= self.quotas.images_per_lead:
            raise Conflict(
                f"A lead has at most {self.quotas.images_per_lead} pictures, those that are announced among them; "
                "delete one first.",
                code="too_many_images",
            )
        work.users.hold(actor.user_id)
        if work.images.count_announced(actor.user_id) >= self.quotas.open_images:
            raise Conflict(
                f"You have announced {self.quotas.open_images} pictures that are not uploaded; upload and complete "
                "them, or delete them. Those that nobody uploads are gone after a day.",
                code="too_many_announced_images",
            )


@dataclass(frozen=True)
class CompleteImage:
    """Say that a picture's bytes were uploaded, and have them checked.

    They must be there, be as many as announced, and begin as a file of the announced type does. Bytes that are
    something else are removed with the image. What is uploaded by the same link later changes nothing. Completing
    twice gives the same answer. Where a version is expected, no other one is completed.

    Raises `NotFound`, `PreconditionFailed`, `Conflict` (`not_uploaded`) and `Invalid` (`wrong_size`, `wrong_type`).
    """

    work: Work[LeadsWork]
    files: Files
    clock: Clock
    ids: Ids

    def __call__(self, actor: Actor, lead_id: UUID, image_id: UUID, expected_version: int | None = None) -> LeadImage:
        # The bytes leave the reach of the upload's link before anybody looks at them. This unit changes no row, it
        # holds one: whoever deletes the image meanwhile does so before the move, or after it and finds the bytes.
        with self.work() as work:
            image = _held(work, actor, lead_id, image_id, expected_version)
            if image.status is ImageStatus.READY:
                work.commit(image)
                return image
            if not take_upload(self.files, image.key):
                raise Conflict("The image has not been uploaded yet; send its bytes first.", code="not_uploaded")
        problem = self._problem(image)
        with self.work() as work:
            image = _held(work, actor, lead_id, image_id, expected_version)
            if problem is None:
                if image.status is not ImageStatus.READY:  # else the same request came twice, and the other was quicker
                    image.receive()
                    work.images.save(image)
                    work.record(image_added(self.ids.new(), self.clock.now(), actor, image))
                work.commit(image)
            else:
                work.images.remove(image.id)
                work.after_commit(partial(discard, self.files, image.key))
                work.commit()
        if problem is not None:
            raise Invalid(problem.detail, code=problem.code, problems=[problem])
        return image

    def _problem(self, image: LeadImage) -> Problem | None:
        size = self.files.size(image.key) or 0
        if size != image.size:
            return Problem(
                field="size", code="wrong_size", detail=f"{size} bytes were uploaded, and {image.size} announced."
            )
        with self.files.read(image.key) as stream:
            real = real_image_type(stream.read(16))
        if real != image.content_type:
            found = real or "no image of a type that is taken"
            return Problem(
                field="content_type",
                code="wrong_type",
                detail=f"The uploaded bytes are {found}, and {image.content_type} was announced.",
            )
        return None


@dataclass(frozen=True)
class DeleteImage:
    """Delete a picture of a lead, its bytes too. Whoever may change the lead may do so.

    Where a version is expected, no other one is deleted.

    Raises `NotFound` and `PreconditionFailed`.
    """

    work: Work[LeadsWork]
    files: Files
    clock: Clock
    ids: Ids

    def __call__(self, actor: Actor, lead_id: UUID, image_id: UUID, expected_version: int | None = None) -> None:
        with self.work() as work:
            image = _held(work, actor, lead_id, image_id, expected_version)
            work.images.remove(image.id)
            work.after_commit(partial(discard, self.files, image.key))
            work.record(image_deleted(self.ids.new(), self.clock.now(), actor, image))
            work.commit(None)


@dataclass(frozen=True)
class RemoveAbandonedImages:
    """Forget images whose bytes never came within a day. Returns how many there were; run by a schedule."""

    work: Work[LeadsWork]
    files: Files
    clock: Clock

    def __call__(self, *, limit: int = 500) -> int:
        with self.work() as work:
            abandoned = work.images.abandoned(before=self.clock.now() - ABANDONED_AFTER, limit=limit)
            for image in abandoned:
                work.images.remove(image.id)
                work.after_commit(partial(discard, self.files, image.key))
            work.commit(len(abandoned))
        return len(abandoned)


def _held(work: LeadsWork, actor: Actor, lead_id: UUID, image_id: UUID, expected_version: int | None) -> LeadImage:
    """The image of a lead that the actor may see, at the version that is expected, if one is."""
    visible_lead(work, actor, lead_id)
    image = work.images.get(lead_id, image_id)
    require_version(expected_version, image.version)
    return image


def _image_problems(new: NewImage, filename: str | None) -> list[Problem]:
    problems: list[Problem] = []
    if new.content_type not in IMAGE_TYPES:
        problems.append(
            Problem(
                field="content_type",
                code="unsupported_type",
                detail=f"Images are {', '.join(IMAGE_TYPES)}.",
            )
        )
    if not 1 <= new.size <= LARGEST_IMAGE:
        problems.append(
            Problem(field="size", code="wrong_size", detail=f"An image has 1 to {LARGEST_IMAGE} bytes (10 MiB).")
        )
    if filename is not None:
        problem = text_problem("filename", filename, longest=LONGEST_FILENAME)
        if problem is not None:
            problems.append(problem)
    return problems
