"""A lead: somebody who might buy, and how to reach them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from unite_core.errors import Conflict, FieldError
from unite_core.leads.search import search_text
from unite_core.phone import Phone
from unite_core.text import text_error

MAX_NAME_LENGTH = 200
MAX_SOURCE_LENGTH = 64
DEFAULT_SOURCE = "api"


class LeadStatus(StrEnum):
    """How far a lead has come."""

    NEW = "new"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    CONVERTED = "converted"
    LOST = "lost"


@dataclass(slots=True, kw_only=True)
class Lead:
    """A lead has a name and at least one of phone and e-mail.

    `email` is lower case, `source` 1 to 64 characters in lower case. `status_chosen_at` is when somebody last changed
    the status by hand, None if nobody has. `import_id` and `import_row` say which row of which import made the lead,
    None if none did.
    """

    id: UUID
    name: str
    phone: Phone | None
    email: str | None
    status: LeadStatus
    source: str
    assigned_to: UUID | None
    created_at: datetime
    updated_at: datetime
    created_by: UUID | None = None
    import_id: UUID | None = None
    import_row: int | None = None
    deleted_at: datetime | None = None
    status_chosen_at: datetime | None = None
    version: int = 1

    @property
    def search_text(self) -> str:
        """The words under which the lead is found."""
        return search_text(self.name, self.phone.number if self.phone else None, self.email)

    def rename(self, name: str) -> None:
        """Be called something else."""
        self.name = name

    def reach_under(self, phone: Phone | None, email: str | None) -> None:
        """Be reached in another way; whoever calls this has asked `contact_error` first."""
        self.phone = phone
        self.email = email

    def move_to(self, status: LeadStatus) -> None:
        """Come to another status."""
        self.status = status

    def choose_status(self, status: LeadStatus, now: datetime) -> None:
        """Come to another status because somebody says so; what they chose before stays where it is the same."""
        if status is not self.status:
            self.status = status
            self.status_chosen_at = now

    def come_from(self, source: str) -> None:
        """Be put down to another source."""
        self.source = source

    def assign(self, user_id: UUID | None) -> None:
        """Be worked by that user, or by nobody."""
        self.assigned_to = user_id

    def hide(self, now: datetime) -> None:
        """Be deleted: out of every list, its phone and e-mail free for another lead, its history kept."""
        self.deleted_at = now

    def touched(self, now: datetime) -> None:
        """Count one change, made at `now`."""
        self.version += 1
        self.updated_at = now


def name_error(name: str) -> FieldError | None:
    """Why `name`, cleaned already, is no lead's name: it has 1 to 200 characters on one line."""
    if not name:
        return FieldError(field="name", code="required", detail="A lead needs a name.")
    return text_error("name", name, max_length=MAX_NAME_LENGTH)


def source_error(source: str) -> FieldError | None:
    """Why `source`, cleaned and lower-cased already, is no source: it has 1 to 64 characters on one line."""
    if not source:
        return FieldError(field="source", code="required", detail=f"A source has 1 to {MAX_SOURCE_LENGTH} characters.")
    return text_error("source", source, max_length=MAX_SOURCE_LENGTH)


def contact_error(phone: Phone | None, email: str | None) -> FieldError | None:
    """Why these two do not reach anybody: at least one of them must be there."""
    if phone is None and email is None:
        return FieldError(field="", code="contact_required", detail="A lead needs a phone number or an e-mail address.")
    return None


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
