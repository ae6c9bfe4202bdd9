"""Schemas of leads and their pictures in requests and responses."""

from typing import Any, ClassVar

from entrypoints.http.framework.fields import (
    Body,
    Choice,
    CommaSeparated,
    Flag,
    Id,
    ListOf,
    ObjectOf,
    Text,
    Timestamp,
    WholeNumber,
)
from entrypoints.http.framework.paging import PageQuery
from entrypoints.http.framework.upload_instructions import UploadSchema, upload_json
from unite_core.calls.model import CallOutcome
from unite_core.email import MAX_EMAIL_LENGTH
from unite_core.leads.details import (
    DEFAULT_SOURCE,
    MAX_NAME_LENGTH,
    OPTIONAL_TEXTS,
    SOURCE,
    LeadStatus,
    TextField,
)
from unite_core.leads.model import IMAGE_TYPES, MAX_IMAGE_BYTES, ImageStatus, Lead, LeadImage
from unite_core.leads.queries import LinkedImage
from unite_core.leads.search import MAX_QUERY_LENGTH
from unite_core.leads.use_cases import ImageUpload
from unite_core.leads.use_cases.images import MAX_FILENAME_LENGTH
from unite_core.phone import MAX_EXTENSION_LENGTH, MAX_PHONE_INPUT_LENGTH, MAX_PHONE_LENGTH


def _shown(field: TextField) -> Text:
    return Text(required=True, allow_none=True, metadata=_described(field))


def _taken(field: TextField) -> Text:
    return Text(allow_none=True, metadata=_described(field))


def _described(field: TextField) -> dict[str, Any]:
    return {"maxLength": field.max_length, "description": field.description}


def _one_or_several(field: TextField) -> CommaSeparated:
    return CommaSeparated(
        Text(metadata={"maxLength": field.max_length}),
        metadata={
            "description": "One or several, separated by commas. One with a comma or a double quote in it stands in "
            'double quotes, as in CSV (RFC 4180): `"fair, Berlin",web`.'
            + (" The whole text is compared, without case." if field.cased else "")
        },
    )


_NAME = {"minLength": 1, "maxLength": MAX_NAME_LENGTH}
_EMAIL = {"format": "email", "maxLength": MAX_EMAIL_LENGTH}
_SOURCE = {"minLength": 1, **_described(SOURCE)}
_PHONE_IN = {"maxLength": MAX_PHONE_INPUT_LENGTH, "description": "In any common form, or null."}
_EXTENSION = {"maxLength": MAX_EXTENSION_LENGTH, "pattern": "^[0-9]+$"}

LEAD_EXAMPLE = {
    "id": "01990f3e-9b5c-7d2e-8f3a-1b2c3d4e5f60",
    "name": "Grace Hopper",
    "phone": "+12125550123",
    "phone_extension": None,
    "email": "grace@navy.example",
    "status": "new",
    "source": "referral",
    "assigned_to": "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f",
    "created_at": "2026-01-31T09:30:00.123456Z",
    "updated_at": "2026-01-31T09:30:00.123456Z",
    "version": 1,
    **{field.name: field.example for field in OPTIONAL_TEXTS},
}
NEW_LEAD_EXAMPLE = {"name": "Grace Hopper", "phone": "+1 (212) 555-0123", "email": "grace@navy.example"}
IMAGE_EXAMPLE = {
    "id": "01990f3e-ac6d-7e3f-9a4b-2c3d4e5f6071",
    "lead_id": LEAD_EXAMPLE["id"],
    "content_type": "image/png",
    "size": 48213,
    "filename": "portrait.png",
    "status": "ready",
    "created_at": "2026-01-31T09:30:00.123456Z",
    "version": 2,
}
LINKED_IMAGE_EXAMPLE = {
    **IMAGE_EXAMPLE,
    "download_url": "https://unite.example/files/images/portrait?expires=1769852100&signature=c2lnbmF0dXJl",
    "expires_at": "2026-01-31T09:35:00Z",
}
IMAGE_UPLOAD_EXAMPLE = {
    "id": IMAGE_EXAMPLE["id"],
    "upload": {
        "url": "https://unite.example/files/images/portrait?expires=1769852100&signature=c2lnbmF0dXJl",
        "method": "PUT",
        "headers": {"Content-Type": "image/png"},
        "fields": {},
    },
    "expires_at": "2026-01-31T09:45:00Z",
}


class LeadSchema(Body):
    """A lead."""

    id = Id(required=True)
    name = Text(required=True, metadata=_NAME)
    phone = Text(required=True, allow_none=True, metadata={"maxLength": MAX_PHONE_LENGTH, "description": "E.164"})
    phone_extension = Text(required=True, allow_none=True, metadata=_EXTENSION)
    email = Text(required=True, allow_none=True, metadata=_EMAIL)
    status = Choice(LeadStatus, required=True)
    source = Text(required=True, metadata=_SOURCE)
    assigned_to = Id(required=True, allow_none=True, metadata={"description": "The user who works the lead."})
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)
    version = WholeNumber(required=True, minimum=1)

    class Meta:
        """Append the other texts."""

        include: ClassVar[dict[str, Text]] = {field.name: _shown(field) for field in OPTIONAL_TEXTS}


def lead_json(lead: Lead) -> dict[str, Any]:
    """Return the JSON of a lead for `LeadSchema`."""
    phone = lead.phone
    return {
        "id": lead.id,
        "name": lead.name,
        "phone": phone.number if phone else None,
        "phone_extension": phone.extension if phone else None,
        "email": lead.email,
        "status": lead.status,
        "source": lead.source,
        "assigned_to": lead.assigned_to,
        "created_at": lead.created_at,
        "updated_at": lead.updated_at,
        "version": lead.version,
        **{field.name: field.value(lead.details) for field in OPTIONAL_TEXTS},
    }


class LeadPageSchema(Body):
    """A page of leads."""

    items = ListOf(LeadSchema, required=True)
    next_cursor = Text(required=True, allow_none=True)


class NewLeadSchema(Body):
    """A new lead, with at least one of phone and email."""

    name = Text(required=True, metadata=_NAME)
    phone = Text(allow_none=True, metadata=_PHONE_IN)
    phone_extension = Text(allow_none=True, metadata=_EXTENSION)
    email = Text(allow_none=True, metadata=_EMAIL)
    status = Choice(LeadStatus, metadata={"default": LeadStatus.NEW.value})
    source = Text(metadata={**_SOURCE, "default": DEFAULT_SOURCE})
    assigned_to = Id(allow_none=True)

    class Meta:
        """Append the other texts, which are optional."""

        include: ClassVar[dict[str, Text]] = {field.name: _taken(field) for field in OPTIONAL_TEXTS}


class LeadPatchSchema(Body):
    """The changes to a lead (JSON merge patch, RFC 7396); null empties a field."""

    name = Text(metadata=_NAME)
    phone = Text(allow_none=True, metadata=_PHONE_IN)
    phone_extension = Text(allow_none=True, metadata=_EXTENSION)
    email = Text(allow_none=True, metadata=_EMAIL)
    status = Choice(LeadStatus)
    source = Text(metadata=_SOURCE)
    assigned_to = Id(allow_none=True)

    class Meta:
        """Append the other texts, which are optional."""

        include: ClassVar[dict[str, Text]] = {field.name: _taken(field) for field in OPTIONAL_TEXTS}


*_FIRST, _LAST = ("name", "phone", "e-mail", *(field.name for field in OPTIONAL_TEXTS if field.searched))
_SEARCHED = f"{', '.join(_FIRST)} or {_LAST}"

NOBODY = "none"


MAX_CALLED_WITHIN_SECONDS = 400 * 24 * 60 * 60


class Assignee(Text):
    """A user's id, or `none` for nobody."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return None if value == NOBODY else Id().deserialize(value)


class LeadQuery(PageQuery):
    """The filters of a list of leads, which are combined."""

    status = CommaSeparated(Choice(LeadStatus), metadata={"description": "One or several, separated by commas."})
    source = _one_or_several(SOURCE)
    assigned_to = CommaSeparated(
        Assignee(),
        metadata={"description": "Ids of users, separated by commas; `none` finds the unassigned."},
    )
    q = Text(
        metadata={
            "maxLength": MAX_QUERY_LENGTH,
            "description": f"Words that {_SEARCHED} have words beginning with; empty is no condition.",
        }
    )
    created_from = Timestamp(metadata={"description": "From this moment on; RFC 3339 with its offset."})
    created_to = Timestamp(metadata={"description": "Before this moment."})
    called = Flag(
        metadata={
            "description": "Whether at least one call was made to the lead. Here and below, the last entry about a "
            "call counts, and for agents only their own calls do."
        }
    )
    call_result = CommaSeparated(
        Choice(CallOutcome),
        metadata={"description": "Outcomes, separated by commas: the lead had a call with one of them."},
    )
    called_within = WholeNumber(
        minimum=0,
        maximum=MAX_CALLED_WITHIN_SECONDS,
        metadata={"description": "Seconds: the first call was at most so long after the lead was created."},
    )

    class Meta:
        """Append the other texts that lists can be filtered by."""

        include: ClassVar[dict[str, CommaSeparated]] = {
            field.name: _one_or_several(field) for field in OPTIONAL_TEXTS if field.filtered
        }


class NewImageSchema(Body):
    """A new image, to be uploaded; `size` is in bytes."""

    content_type = Text(required=True, metadata={"enum": list(IMAGE_TYPES)})
    size = WholeNumber(required=True, metadata={"minimum": 1, "maximum": MAX_IMAGE_BYTES})
    filename = Text(allow_none=True, metadata={"maxLength": MAX_FILENAME_LENGTH})


class ImageUploadSchema(Body):
    """A new image, and how to upload it."""

    id = Id(required=True)
    upload = ObjectOf(UploadSchema, required=True)
    expires_at = Timestamp(required=True)


class ImageSchema(Body):
    """A picture of a lead; `download_url` is present in lists, and valid until `expires_at`.

    `size` is in bytes: as many as were announced, and as many as are stored once the picture is ready.
    """

    id = Id(required=True)
    lead_id = Id(required=True)
    content_type = Text(required=True, metadata={"enum": list(IMAGE_TYPES)})
    size = WholeNumber(required=True, minimum=1)
    filename = Text(required=True, allow_none=True)
    status = Choice(ImageStatus, required=True)
    created_at = Timestamp(required=True)
    version = WholeNumber(required=True, minimum=1)
    download_url = Text()
    expires_at = Timestamp()


class ImagePageSchema(Body):
    """A page of pictures."""

    items = ListOf(ImageSchema, required=True)
    next_cursor = Text(required=True, allow_none=True)


def image_json(image: LeadImage) -> dict[str, Any]:
    """Return the JSON of a picture for `ImageSchema`, without a link."""
    return {
        "id": image.id,
        "lead_id": image.lead_id,
        "content_type": image.content_type,
        "size": image.size,
        "filename": image.filename,
        "status": image.status,
        "created_at": image.created_at,
        "version": image.version,
    }


def linked_image_json(linked: LinkedImage) -> dict[str, Any]:
    """Return the JSON of a picture for `ImageSchema`, with its link."""
    return {
        **image_json(linked.image),
        "download_url": linked.download.url,
        "expires_at": linked.download.expires_at,
    }


def image_upload_json(coming: ImageUpload) -> dict[str, Any]:
    """Return the JSON of an expected picture for `ImageUploadSchema`."""
    return {"id": coming.image.id, **upload_json(coming.upload)}
