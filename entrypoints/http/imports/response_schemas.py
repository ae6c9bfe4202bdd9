"""Schemas and examples of responses about imports, for the OpenAPI document."""

from typing import Any

from marshmallow import Schema, fields

from entrypoints.http.framework.fields import Choice, Flag, Id, ObjectOf, Text, Timestamp, WholeNumber
from entrypoints.http.framework.upload_instructions import UploadSchema
from unite_core.imports.csv.columns import FIELDS
from unite_core.imports.model import ImportStatus, OnDuplicate, RowKind

EXAMPLE_ID = "0190a6f0-5c1e-7b3a-9f24-6d2f8f0c1a77"
EXAMPLE_USER = "0190a6f0-1111-7b3a-9f24-6d2f8f0c1a77"
EXAMPLE_PATH = f"/v1/lead-imports/{EXAMPLE_ID}"


def _field(kind: type[fields.Field[Any]], *arguments: Any, null: bool = False, **metadata: Any) -> Any:
    """Return a field that every response has."""
    return kind(*arguments, required=True, allow_none=null, metadata=metadata)


class ImportOptionsShape(Schema):
    """The options of an import."""

    on_duplicate = _field(Choice, OnDuplicate)
    default_country = _field(Text, null=True)
    default_source = _field(Text, null=True)
    default_assigned_to = _field(Id, null=True)
    columns = fields.Dict(
        keys=fields.String(),
        values=fields.String(allow_none=True),
        required=True,
        metadata={"description": "Header to field."},
    )
    dry_run = _field(Flag)


class ImportColumnShape(Schema):
    """A column of the file and the field that it is mapped to."""

    header = _field(Text, description="The header in the file.")
    field = _field(Text, null=True, enum=[*FIELDS, None])
    reason = _field(Text, null=True, description="Why the column is ignored.")


class ImportCountsShape(Schema):
    """The number of rows by result so far; `rows` is always the sum of the others."""

    rows = _field(WholeNumber, minimum=0)
    created = _field(WholeNumber, minimum=0)
    updated = _field(WholeNumber, minimum=0)
    duplicate = _field(WholeNumber, minimum=0)
    rejected = _field(WholeNumber, minimum=0)


class ImportProgressShape(Schema):
    """The progress of an import."""

    bytes_done = _field(WholeNumber, minimum=0)
    bytes_total = _field(WholeNumber, minimum=0)
    percent = _field(fields.Float, minimum=0, maximum=100)
    rows_per_second = _field(fields.Float, null=True)
    eta_seconds = _field(fields.Float, null=True, description="The remaining time at the rate so far.")


class ImportFailureShape(Schema):
    """Why an import failed."""

    code = _field(Text, description="Stable, such as `no_contact_column` or `binary_file`.")
    detail = _field(Text, description="What to do, in a sentence.")


class ImportUndoShape(Schema):
    """The result of undoing an import."""

    removed = _field(WholeNumber, minimum=0)
    restored = _field(WholeNumber, minimum=0)
    kept = _field(WholeNumber, minimum=0, description="Leads that were changed after the import.")
    finished_at = _field(Timestamp, null=True, description="null while the undo is in progress.")


class ImportShape(Schema):
    """An import of leads from a CSV file."""

    id = _field(Id)
    filename = _field(Text)
    size = _field(WholeNumber, description="Bytes.")
    status = _field(Choice, ImportStatus)
    options = fields.Nested(ImportOptionsShape, required=True)
    columns = fields.List(fields.Nested(ImportColumnShape), required=True)
    counts = fields.Nested(ImportCountsShape, required=True)
    progress = fields.Nested(ImportProgressShape, required=True)
    error_report_url = _field(Text, null=True, format="uri")
    created_by = _field(Id)
    created_at = _field(Timestamp)
    started_at = _field(Timestamp, null=True)
    finished_at = _field(Timestamp, null=True)
    failure = fields.Nested(ImportFailureShape, required=True, allow_none=True)
    undo = fields.Nested(ImportUndoShape, required=True, allow_none=True)
    version = _field(WholeNumber, minimum=1)


class AnnouncedImportShape(ImportShape):
    """An import that waits for its file."""

    upload = ObjectOf(UploadSchema, required=True)
    expires_at = _field(Timestamp)


class ImportPageShape(Schema):
    """A page of imports, newest first."""

    items = fields.List(fields.Nested(ImportShape), required=True)
    next_cursor = _field(Text, null=True)


class RowProblemShape(Schema):
    """A rule that a row breaks."""

    field = _field(Text, null=True, description="null if the row as a whole breaks the rule.")
    code = _field(Text)
    message = _field(Text)
    suggestion = _field(Text, null=True, description="A value that was probably meant.")


class RepeatedLeadShape(Schema):
    """The lead or the earlier row that a row repeats."""

    lead_id = _field(Id, null=True, description="null in a dry run that did not create the lead.")
    row = _field(WholeNumber, null=True, description="The row of the same file that the lead comes from.")


class RejectionShape(RowProblemShape):
    """A rejected row: its first error, all of its errors, and its cells."""

    row = _field(WholeNumber, minimum=1, description="The row number in a spreadsheet.")
    kind = _field(Choice, RowKind)
    problems = fields.List(fields.Nested(RowProblemShape), required=True)
    values = fields.Dict(
        keys=fields.String(), values=fields.String(), required=True, metadata={"description": "The cells by header."}
    )
    duplicate_of = fields.Nested(RepeatedLeadShape, required=True, allow_none=True)


class RejectionPageShape(Schema):
    """A page of rejected rows, in the order of the file."""

    items = fields.List(fields.Nested(RejectionShape), required=True)
    next_cursor = _field(Text, null=True)


EXAMPLE_IMPORT: dict[str, Any] = {
    "id": EXAMPLE_ID,
    "filename": "leads-march.csv",
    "size": 48213,
    "status": "completed",
    "options": {
        "on_duplicate": "skip",
        "default_country": "US",
        "default_source": None,
        "default_assigned_to": None,
        "columns": {},
        "dry_run": False,
    },
    "columns": [
        {"header": "Full Name", "field": "name", "reason": None},
        {"header": "Phone 1", "field": "phone", "reason": None},
        {"header": "Website", "field": None, "reason": "unknown header"},
    ],
    "counts": {"rows": 1000, "created": 835, "updated": 0, "duplicate": 0, "rejected": 165},
    "progress": {
        "bytes_done": 48213,
        "bytes_total": 48213,
        "percent": 100.0,
        "rows_per_second": 8123.4,
        "eta_seconds": 0.0,
    },
    "error_report_url": f"https://unite.example{EXAMPLE_PATH}/error-report",
    "created_by": EXAMPLE_USER,
    "created_at": "2026-03-02T09:00:00Z",
    "started_at": "2026-03-02T09:00:01Z",
    "finished_at": "2026-03-02T09:00:02Z",
    "failure": None,
    "undo": None,
    "version": 5,
}

EXAMPLE_QUEUED: dict[str, Any] = {
    **EXAMPLE_IMPORT,
    "status": "queued",
    "columns": [],
    "counts": dict.fromkeys(EXAMPLE_IMPORT["counts"], 0),
    "progress": {
        "bytes_done": 0,
        "bytes_total": 48213,
        "percent": 0.0,
        "rows_per_second": None,
        "eta_seconds": None,
    },
    "error_report_url": None,
    "started_at": None,
    "finished_at": None,
    "version": 2,
}

EXAMPLE_ANNOUNCED: dict[str, Any] = {
    **EXAMPLE_QUEUED,
    "status": "awaiting_upload",
    "version": 1,
    "upload": {
        "url": f"https://unite.example/files/imports/{EXAMPLE_ID}.csv?size=48213&signature=c2lnbmF0dXJl",
        "method": "PUT",
        "headers": {"Content-Type": "text/csv"},
        "fields": {},
    },
    "expires_at": "2026-03-02T10:00:00Z",
}

EXAMPLE_CANCELLED: dict[str, Any] = {
    **EXAMPLE_QUEUED,
    "status": "cancelled",
    "finished_at": "2026-03-02T09:00:02Z",
    "version": 3,
}

EXAMPLE_UNDONE: dict[str, Any] = {
    **EXAMPLE_IMPORT,
    "undo": {"removed": 830, "restored": 0, "kept": 5, "finished_at": "2026-03-02T09:05:00Z"},
    "version": 9,
}

EXAMPLE_REJECTION: dict[str, Any] = {
    "row": 17,
    "kind": "rejected",
    "field": "email",
    "code": "invalid_email",
    "message": "The domain of this e-mail address has no dot.",
    "suggestion": "ada@example.com",
    "problems": [
        {
            "field": "email",
            "code": "invalid_email",
            "message": "The domain of this e-mail address has no dot.",
            "suggestion": "ada@example.com",
        }
    ],
    "values": {"Full Name": "Ada Lovelace", "Phone 1": "", "Email": "ada@example,com"},
    "duplicate_of": None,
}

EXAMPLE_EVENTS = """retry: 2000

id: 4
event: progress
data: {"id":"0190a6f0-5c1e-7b3a-9f24-6d2f8f0c1a77","status":"running","version":4}

id: 5
event: progress
data: {"id":"0190a6f0-5c1e-7b3a-9f24-6d2f8f0c1a77","status":"completed","version":5}

id: 5-end
event: end
data: {"id":"0190a6f0-5c1e-7b3a-9f24-6d2f8f0c1a77","status":"completed","version":5}

"""
"""The other fields of each import are left out."""
