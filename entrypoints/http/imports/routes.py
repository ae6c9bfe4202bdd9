"""Routes for lead imports: create, upload, start, list, cancel and undo."""

import hashlib
import logging
from typing import Any
from uuid import UUID

import orjson
from flask import Response, request

from entrypoints.http.framework.conditional import etag, expected_version, versioned_response
from entrypoints.http.framework.context import actor, http_config, unite
from entrypoints.http.framework.idempotency import ResponseContent, ResponsePlan, check_readable, run_use_case
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from entrypoints.http.framework.paging import page_request, page_response
from entrypoints.http.framework.problems import UnsupportedMediaType
from entrypoints.http.framework.upload_instructions import upload_json
from entrypoints.http.imports.form import FORM_TYPE, MAX_FORM_BYTES, ImportForm
from entrypoints.http.imports.import_json import import_json
from entrypoints.http.imports.request_schemas import ImportFormSchema, ImportQuery, NewImportSchema
from entrypoints.http.imports.response_schemas import (
    EXAMPLE_ANNOUNCED,
    EXAMPLE_CANCELLED,
    EXAMPLE_IMPORT,
    EXAMPLE_QUEUED,
    EXAMPLE_UNDONE,
    AnnouncedImportShape,
    ImportPageShape,
    ImportShape,
)
from unite_core.errors import NotFound, Unavailable
from unite_core.identity.model import Permission
from unite_core.imports import queries, use_cases
from unite_core.imports.model import LeadImport
from unite_core.imports.ports import ImportFilter
from unite_core.imports.use_cases import FileToImport, ImportUpload, NewImport, StoredFile

PATH = "/v1/lead-imports"

operations = OperationGroup("lead imports", "Imports of leads from CSV files.")

_log = logging.getLogger("unite.http")


@operations.operation(
    "POST",
    PATH,
    operation_id="announce_import",
    use_case=use_cases.CreateImport,
    body=NewImportSchema,
    body_example={"filename": "leads-march.csv", "size": 48213, "options": {"default_country": "US"}},
    responses=[
        ResponseDoc(status=201, schema=AnnouncedImportShape, example=EXAMPLE_ANNOUNCED, headers=("Location", "ETag")),
    ],
    permission=Permission.IMPORT_LEADS,
    problems=["not_found", "too_many_imports", "too_many_import_bytes"],
)
def create_import(body: dict[str, Any]) -> Response:
    """Create an import."""

    def announced(result: ImportUpload) -> ResponseContent:
        shown = {**_shown(result.lead_import), **upload_json(result.upload)}
        return ResponseContent(201, shown, _headers(result.lead_import, location=True))

    return run_use_case(
        unite().imports.announce, ResponsePlan(announced, check_readable(unite().imports.get)), NewImport(**body)
    )


@operations.operation(
    "POST",
    f"{PATH}/<uuid:import_id>/start",
    use_case=use_cases.StartImport,
    responses=[
        ResponseDoc(
            status=202,
            schema=ImportShape,
            example=EXAMPLE_QUEUED,
            headers=("Location", "ETag"),
            description="The import is queued; `Location` is its URL.",
        )
    ],
    permission=Permission.IMPORT_LEADS,
    problems=["not_uploaded", "already_started", "same_file"],
    if_match=True,
)
def start_import(import_id: UUID) -> Response:
    """Start an import."""
    answering = ResponsePlan(_accepted, check_readable(unite().imports.get))
    return run_use_case(unite().imports.start, answering, import_id, _expected_version(import_id))


@operations.operation(
    "POST",
    f"{PATH}/file",
    use_case=use_cases.ImportStoredFile,
    request_body={
        "required": True,
        "content": {
            FORM_TYPE: {"schema": ImportFormSchema, "encoding": {"options": {"contentType": "application/json"}}}
        },
    },
    responses=[
        ResponseDoc(
            status=202,
            schema=ImportShape,
            example=EXAMPLE_QUEUED,
            headers=("Location", "ETag"),
            description="The import is queued; `Location` is its URL.",
        )
    ],
    permission=Permission.IMPORT_LEADS,
    problems=[
        "not_found",
        "same_file",
        "too_many_imports",
        "too_many_import_bytes",
        "malformed_form",
        "invalid",
        "too_large",
        "unsupported_media_type",
    ],
    max_body=MAX_FORM_BYTES,
)
def import_file() -> Response:
    """Upload and import a file."""
    if request.mimetype != FORM_TYPE:
        raise UnsupportedMediaType(f"Send the file as {FORM_TYPE}.", accepted=(FORM_TYPE,))
    form = ImportForm(unite().imports.store_file, actor())
    try:
        file = form.read(request.stream, request.mimetype_params.get("boundary", ""))
        answering = ResponsePlan(_accepted, check_readable(unite().imports.get), fingerprint=_fingerprint(file))
        return run_use_case(unite().imports.import_stored_file, answering, file)
    finally:
        if form.stored is not None:
            _discard_unless_imported(form.stored)


@operations.operation(
    "GET",
    PATH,
    use_case=queries.ListImports,
    query=ImportQuery,
    responses=[
        ResponseDoc(
            status=200,
            schema=ImportPageShape,
            example={"items": [EXAMPLE_IMPORT], "next_cursor": None},
            headers=("Link",),
        )
    ],
    permission=Permission.IMPORT_LEADS,
)
def list_imports(query: dict[str, Any]) -> Response:
    """List imports."""
    filters = ImportFilter(statuses=frozenset(query.get("status", ())))
    page = unite().imports.list(actor(), filters, page_request(query))
    return page_response([_shown(lead_import) for lead_import in page.items], page.next)


@operations.operation(
    "GET",
    f"{PATH}/<uuid:import_id>",
    use_case=queries.GetImport,
    responses=[ResponseDoc(status=200, schema=ImportShape, example=EXAMPLE_IMPORT, headers=("ETag",))],
    permission=Permission.IMPORT_LEADS,
    if_none_match=True,
)
def get_import(import_id: UUID) -> Response:
    """Get an import."""
    lead_import = unite().imports.get(actor(), import_id)
    return versioned_response(lead_import.version, lambda: _shown(lead_import))


@operations.operation(
    "POST",
    f"{PATH}/<uuid:import_id>/cancel",
    use_case=use_cases.CancelImport,
    responses=[ResponseDoc(status=200, schema=ImportShape, example=EXAMPLE_CANCELLED, headers=("ETag",))],
    permission=Permission.IMPORT_LEADS,
    problems=["import_ended"],
    if_match=True,
)
def cancel_import(import_id: UUID) -> Response:
    """Cancel an import."""
    answering = ResponsePlan(_cancelled, check_readable(unite().imports.get))
    return run_use_case(unite().imports.cancel, answering, import_id, _expected_version(import_id))


@operations.operation(
    "POST",
    f"{PATH}/<uuid:import_id>/undo",
    use_case=use_cases.UndoImport,
    responses=[
        ResponseDoc(
            status=200,
            schema=ImportShape,
            example=EXAMPLE_UNDONE,
            headers=("ETag",),
            description="The import is undone.",
        ),
        ResponseDoc(
            status=202,
            schema=ImportShape,
            example={**EXAMPLE_UNDONE, "undo": {"removed": 500, "restored": 0, "kept": 0, "finished_at": None}},
            headers=("ETag",),
            description="The undo is in progress.",
        ),
    ],
    permission=Permission.IMPORT_LEADS,
    problems=["import_not_ended", "nothing_to_undo", "import_expired"],
    if_match=True,
)
def undo_import(import_id: UUID) -> Response:
    """Undo an import."""
    answering = ResponsePlan(_undone, check_readable(unite().imports.get))
    return run_use_case(unite().imports.undo, answering, import_id, _expected_version(import_id))


def _cancelled(cancelled: LeadImport) -> ResponseContent:
    return ResponseContent(200, _shown(cancelled), _headers(cancelled))


def _undone(undone: LeadImport) -> ResponseContent:
    return ResponseContent(202 if undone.undoing else 200, _shown(undone), _headers(undone))


def _shown(lead_import: LeadImport) -> dict[str, Any]:
    return import_json(lead_import, http_config().public_url)


def _headers(lead_import: LeadImport, *, location: bool = False) -> dict[str, str]:
    location_header = {"Location": f"{PATH}/{lead_import.id}"} if location else {}
    return {"ETag": etag(lead_import.version), **location_header}


def _accepted(started: LeadImport) -> ResponseContent:
    return ResponseContent(202, _shown(started), _headers(started, location=True))


def _expected_version(import_id: UUID) -> int | None:
    return expected_version(lambda: unite().imports.get(actor(), import_id).version)


def _fingerprint(file: FileToImport) -> bytes:
    """Return the digest by which two uploads are the same request; their raw bodies differ in the form's boundary."""
    content = [file.stored.sha256, file.filename, file.options]
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()


def _discard_unless_imported(stored: StoredFile) -> None:
    """Discard the file if it has no import: the request failed, or its response was a replay."""
    try:
        unite().imports.get(actor(), stored.import_id)
    except NotFound:
        unite().imports.store_file.discard(stored)
    except Unavailable:
        # An unneeded file is better than an import without its file.
        _log.warning("a stored file may be left over", extra={"key": stored.key})
