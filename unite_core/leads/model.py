"""Leads and their images, and the error for duplicate leads."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from unite_core.checks import Checked
from unite_core.errors import Conflict
from unite_core.leads.details import LeadDetails, LeadStatus
from unite_core.leads.search import search_text
from unite_core.phone import Phone


@dataclass(slots=True, kw_only=True)
class Lead(Checked):
    """A lead: its details, and what Unite stores beside them.

    `status_chosen_at` is when a user last changed the status by hand, None if no user did. `import_id` and
    `import_row` are the import and the row that created the lead, None if no import did.
    """

    id: UUID
    details: LeadDetails
    created_at: datetime
    updated_at: datetime
    created_by: UUID | None = None
    import_id: UUID | None = None
    import_row: int | None = None
    deleted_at: datetime | None = None
    status_chosen_at: datetime | None = None
    version: int = 1

    @property
    def name(self) -> str:
        """The name of the lead."""
        return self.details.name

    @property
    def phone(self) -> Phone | None:
        """The number at which the lead is called."""
        return self.details.phone

    @property
    def email(self) -> str | None:
        """The e-mail address, in lower case."""
        return self.details.email

    @property
    def status(self) -> LeadStatus:
        """The status of the lead."""
        return self.details.status

    @property
    def source(self) -> str:
        """Where the lead came from, in lower case."""
        return self.details.source

    @property
    def assigned_to(self) -> UUID | None:
        """The user who works the lead."""
        return self.details.assigned_to

    @property
    def search_text(self) -> str:
        """The words by which searches find the lead."""
        phone = self.details.phone
        return search_text(self.details.search_texts, phone.number if phone else None)

    def revise(self, details: LeadDetails, now: datetime) -> None:
        """Replace the details by those that a user gave; a different status counts as chosen by that user."""
        if details.status is not self.details.status:
            self.status_chosen_at = now
        self.details = details

    def restore(self, details: LeadDetails) -> None:
        """Replace the details by earlier ones; `status_chosen_at` is unchanged."""
        self.details = details

    def move_to(self, status: LeadStatus) -> None:
        """Change the status because of the outcome of a call."""
        self.details = replace(self.details, status=status)

    def assign(self, user_id: UUID | None) -> None:
        """Assign the lead to that user; None unassigns it."""
        self.details = replace(self.details, assigned_to=user_id)

    def delete(self, now: datetime) -> None:
        """Delete the lead: no list has it, another lead may have its phone and e-mail, and its history remains."""
        self.deleted_at = now

    def mark_updated(self, now: datetime) -> None:
        """Count one change, made at `now`."""
        self.version += 1
        self.updated_at = now


@dataclass(frozen=True, slots=True)
class Duplicate(Checked):
    """The field (`phone` or `email`) whose value another lead has, and that lead's id if the caller may see it."""

    field: str
    id: UUID | None


class DuplicateLead(Conflict):
    """Another lead that is not deleted has this phone number or this e-mail address."""

    code = "duplicate_lead"

    def __init__(self, duplicates: tuple[Duplicate, ...]) -> None:
        fields = " and ".join(
            {"phone": "phone number", "email": "e-mail address"}[field]
            for field in sorted({found.field for found in duplicates}, reverse=True)
        )
        super().__init__(f"Another lead has this {fields} already; open that one, or correct this one.")
        self.duplicates = duplicates


IMAGE_TYPES = {
    "image/png": (b"\x89PNG\r\n\x1a\n", 0),
    "image/jpeg": (b"\xff\xd8\xff", 0),
    "image/webp": (b"WEBP", 8),
}
"""Content type -> signature of such a file, and its offset (RFC 2083 3.1, ITU-T T.81 B.1.1.3, RFC 9649 2)."""

IMAGE_EXTENSIONS = {"image/png": (".png",), "image/jpeg": (".jpg", ".jpeg"), "image/webp": (".webp",)}
"""Content type -> filename extensions."""

MAX_IMAGE_BYTES = 10 * 1024 * 1024
IMAGE_UPLOAD_TTL = timedelta(minutes=15)
IMAGE_LINK_TTL = timedelta(minutes=5)


class ImageStatus(StrEnum):
    """Whether the image's bytes have arrived and were checked."""

    AWAITING_UPLOAD = "awaiting_upload"
    READY = "ready"


@dataclass(slots=True, kw_only=True)
class LeadImage(Checked):
    """A picture of a lead. `key` is its key in `Files` after it was checked.

    `size` is in bytes: the announced size before the picture is ready, the stored size after that.
    """

    id: UUID
    lead_id: UUID
    content_type: str
    size: int
    filename: str | None
    key: str
    status: ImageStatus
    created_by: UUID
    created_at: datetime

    @property
    def version(self) -> int:
        """1 while the image awaits its upload, 2 when it is ready. It has no other changes."""
        return 1 if self.status is ImageStatus.AWAITING_UPLOAD else 2

    def receive(self, size: int) -> None:
        """Mark the image as ready: its bytes were checked, and `size` bytes were stored."""
        self.status = ImageStatus.READY
        self.size = size


def real_image_type(first_bytes: bytes) -> str | None:
    """Return the content type that a file's first bytes show; None if it is not an image that Unite accepts."""
    for content_type, (signature, offset) in IMAGE_TYPES.items():
        if first_bytes[offset : offset + len(signature)] == signature:
            if content_type == "image/webp" and first_bytes[:4] != b"RIFF":
                continue
            return content_type
    return None
