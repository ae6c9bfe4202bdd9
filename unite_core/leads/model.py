"""A lead: somebody who might buy, and how to reach them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from unite_core.errors import Conflict
from unite_core.leads.details import LeadDetails, LeadStatus
from unite_core.leads.search import search_text
from unite_core.phone import Phone


@dataclass(slots=True, kw_only=True)
class Lead:
    """A lead: its details, and what Unite stores beside them.

    `status_chosen_at` is when somebody last changed the status by hand, None if nobody has. `import_id` and
    `import_row` say which row of which import made the lead, None if none did.
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
        """What the lead is called."""
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
        """How far the lead has come."""
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
        """The words under which the lead is found."""
        phone = self.details.phone
        return search_text(self.details.search_texts, phone.number if phone else None)

    def revise(self, details: LeadDetails, now: datetime) -> None:
        """Take over what somebody says about the lead; a status that is another one is one that they chose."""
        if details.status is not self.details.status:
            self.status_chosen_at = now
        self.details = details

    def restore(self, details: LeadDetails) -> None:
        """Take over what was said about the lead before; when somebody last chose its status stays."""
        self.details = details

    def move_to(self, status: LeadStatus) -> None:
        """Change the status, because of what happened in a call."""
        self.details = replace(self.details, status=status)

    def assign(self, user_id: UUID | None) -> None:
        """Have that user work the lead, or nobody."""
        self.details = replace(self.details, assigned_to=user_id)

    def hide(self, now: datetime) -> None:
        """Be deleted: out of every list, its phone and e-mail free for another lead, its history kept."""
        self.deleted_at = now

    def touched(self, now: datetime) -> None:
        """Count one change, made at `now`."""
        self.version += 1
        self.updated_at = now


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The field (`phone` or `email`) that another lead has already, and that lead's id if the caller may see it."""

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
"""Content type -> bytes that such a file has, and at which offset (RFC 2083 3.1, ITU-T T.81 B.1.1.3, RFC 9649 2)."""

IMAGE_EXTENSIONS = {"image/png": (".png",), "image/jpeg": (".jpg", ".jpeg"), "image/webp": (".webp",)}
"""Content type -> what the names of such files end with."""

MAX_IMAGE_BYTES = 10 * 1024 * 1024
IMAGE_UPLOAD_TTL = timedelta(minutes=15)
IMAGE_LINK_TTL = timedelta(minutes=5)


class ImageStatus(StrEnum):
    """Whether the image's bytes have arrived and were checked."""

    AWAITING_UPLOAD = "awaiting_upload"
    READY = "ready"


@dataclass(slots=True, kw_only=True)
class LeadImage:
    """A picture of a lead. `key` is where the files hold it once it was checked.

    `size` is in bytes: as many as were announced, and those that were stored once it is there.
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
        """1 as announced, 2 when it is there: nothing else ever changes."""
        return 1 if self.status is ImageStatus.AWAITING_UPLOAD else 2

    def receive(self, size: int) -> None:
        """Be there, its bytes checked; `size` of them were stored."""
        self.status = ImageStatus.READY
        self.size = size


def real_image_type(first_bytes: bytes) -> str | None:
    """The content type that a file's first bytes tell; None if it is no image that Unite takes."""
    for content_type, (signature, offset) in IMAGE_TYPES.items():
        if first_bytes[offset : offset + len(signature)] == signature:
            if content_type == "image/webp" and first_bytes[:4] != b"RIFF":
                continue
            return content_type
    return None
