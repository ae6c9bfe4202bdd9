"""Routes for images of leads: create, complete, list and delete."""

from typing import Any
from uuid import UUID

from flask import Response

from entrypoints.http.framework.conditional import etag, expected_version
from entrypoints.http.framework.context import actor, unite
from entrypoints.http.framework.idempotency import (
    AccessCheck,
    ResponseContent,
    ResponsePlan,
    check_readable,
    run_use_case,
)
from entrypoints.http.framework.json_responses import json_response
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from entrypoints.http.framework.paging import PageQuery, page_request, page_response
from entrypoints.http.leads.schemas import (
    IMAGE_EXAMPLE,
    IMAGE_UPLOAD_EXAMPLE,
    LINKED_IMAGE_EXAMPLE,
    ImagePageSchema,
    ImageSchema,
    ImageUploadSchema,
    NewImageSchema,
    image_json,
    image_upload_json,
    linked_image_json,
)
from unite_core.leads.model import LeadImage
from unite_core.leads.queries import ListImages
from unite_core.leads.use_cases import CompleteImage, CreateImage, DeleteImage, ImageUpload, NewImage

operations = OperationGroup("images", "Images of leads, uploaded straight to storage by signed links.")

_IMAGES = "/v1/leads/<uuid:lead_id>/images"


@operations.operation(
    "POST",
    _IMAGES,
    operation_id="add_image",
    use_case=CreateImage,
    body=NewImageSchema,
    body_example={"content_type": "image/png", "size": 48213, "filename": "portrait.png"},
    responses=[ResponseDoc(status=201, schema=ImageUploadSchema, example=IMAGE_UPLOAD_EXAMPLE, headers=("ETag",))],
    problems=["too_many_images", "too_many_announced_images"],
)
def create_image(lead_id: UUID, body: dict[str, Any]) -> Response:
    """Create an image upload."""
    new = NewImage(lead_id=lead_id, **body)
    return run_use_case(unite().leads.create_image, ResponsePlan(_announced, _readable_of(lead_id)), new)


@operations.operation(
    "POST",
    f"{_IMAGES}/<uuid:image_id>/complete",
    use_case=CompleteImage,
    responses=[ResponseDoc(status=200, schema=ImageSchema, example=IMAGE_EXAMPLE, headers=("ETag",))],
    problems=["not_uploaded", "wrong_size", "wrong_type", "unreadable_image", "too_many_pixels"],
    if_match=True,
)
def complete_image(lead_id: UUID, image_id: UUID) -> Response:
    """Complete an image upload."""
    answering = ResponsePlan(_completed, _readable_of(lead_id))
    return run_use_case(
        unite().leads.complete_image, answering, lead_id, image_id, _expected_version(lead_id, image_id)
    )


@operations.operation(
    "GET",
    _IMAGES,
    use_case=ListImages,
    query=PageQuery,
    responses=[
        ResponseDoc(
            status=200,
            schema=ImagePageSchema,
            example={"items": [LINKED_IMAGE_EXAMPLE], "next_cursor": None},
            headers=("Link",),
        )
    ],
)
def list_images(lead_id: UUID, query: dict[str, Any]) -> Response:
    """List a lead's images."""
    page = unite().leads.list_images(actor(), lead_id, page_request(query))
    return page_response(map(linked_image_json, page.items), page.next)


@operations.operation(
    "DELETE",
    f"{_IMAGES}/<uuid:image_id>",
    use_case=DeleteImage,
    responses=[ResponseDoc(status=204, description="The image and its file are deleted.")],
    if_match=True,
)
def delete_image(lead_id: UUID, image_id: UUID) -> Response:
    """Delete an image."""
    unite().leads.delete_image(actor(), lead_id, image_id, _expected_version(lead_id, image_id))
    return json_response(None, 204)


def _announced(upload: ImageUpload) -> ResponseContent:
    return ResponseContent(201, image_upload_json(upload), {"ETag": etag(upload.image.version)})


def _completed(image: LeadImage) -> ResponseContent:
    return ResponseContent(200, image_json(image), {"ETag": etag(image.version)})


def _readable_of(lead_id: UUID) -> AccessCheck:
    return check_readable(lambda caller, image_id: unite().leads.get_image(caller, lead_id, image_id))


def _expected_version(lead_id: UUID, image_id: UUID) -> int | None:
    return expected_version(lambda: unite().leads.get_image(actor(), lead_id, image_id).version)
