"""What answers about imports look like, for the documentation; `imports_answers` makes them."""

from typing import Any

from marshmallow import Schema, fields

from entrypoints.http.fields import Choice, Flag, Id, ObjectOf, Text, Timestamp, WholeNumber
from entrypoints.http.uploads import UploadSchema
from unite_core.imports.columns import FIELDS
from unite_core.imports.model import ImportStatus, OnDuplicate, RowKind

EXAMPLE_ID = "0190a6f0-5c1e-7b3a-9f24-6d2f8f0c1a77"
EXAMPLE_USER = "0190a6f0-1111-7b3a-9f24-6d2f8f0c1a77"
EXAMPLE_LEAD = "0190a6f0-2222-7b3a-9f24-6d2f8f0c1a77"
EXAMPLE_PATH = f"/v1/lead-imports/{EXAMPLE_ID}"


def _told(of: type[fields.Field[Any]], *arguments: Any, null: bool = False, **metadata: Any) -> Any:
    """A field that every answer has."""
    return of(*arguments, required=True, allow_none=null, metadata=metadata)


class ImportOptionsShape(Schema):
    """How the file is read."""

    on_duplicate = _told(Choice, OnDuplicate)
    default_country = _told(Text, null=True)
    default_source = _told(Text, null=True)
    default_assigned_to = _told(Id, null=True)
    columns = fields.Dict(
        keys=fields.String(),
        values=fields.String(allow_none=True),
        required=True,
        metadata={"description": "By header."},
    )
    dry_run = _told(Flag)


class ImportColumnShape(Schema):
    """A column of the file and the field that it is."""

    header = _told(Text, description="As the file has it.")
    field = _told(Text, null=True, enum=[*FIELDS, None])
    reason = _told(Text, null=True, description="Why the column is ignored.")


class ImportCountsShape(Schema):
    """What became of the rows so far; `rows` is always the sum of the others."""

    rows = _told(WholeNumber, minimum=0)
    created = _told(WholeNumber, minimum=0)
    updated = _told(WholeNumber, minimum=0)
    duplicate = _told(WholeNumber, minimum=0)
    rejected = _told(WholeNumber, minimum=0)


class ImportProgressShape(Schema):
    """How far it is."""

    bytes_done = _told(WholeNumber, minimum=0)
    bytes_total = _told(WholeNumber, minimum=0)
    percent = _told(fields.Float, minimum=0, maximum=100)
    rows_per_second = _told(fields.Float, null=True)
    eta_seconds = _told(fields.Float, null=True, description="How long it will take at the rate so far.")


class ImportFailureShape(Schema):
    """Why it failed."""

    code = _told(Text, description="Stable, such as `no_contact_column` or `binary_file`.")
    detail = _told(Text, description="What to do, in a sentence.")


class ImportUndoShape(Schema):
    """What became of its leads when it was undone."""

    removed = _told(WholeNumber, minimum=0)
    restored = _told(WholeNumber, minimum=0)
    kept = _told(WholeNumber, minimum=0, description="Leads that somebody has touched since.")
    finished_at = _told(Timestamp, null=True, description="null while the undoing goes on.")


class ImportShape(Schema):
    """An import of leads from a CSV file."""

    id = _told(Id)
    filename = _told(Text)
    size = _told(WholeNumber, description="Bytes.")
    status = _told(Choice, ImportStatus)
    options = fields.Nested(ImportOptionsShape, required=True)
    columns = fields.List(fields.Nested(ImportColumnShape), required=True)
    counts = fields.Nested(ImportCountsShape, required=True)
    progress = fields.Nested(ImportProgressShape, required=True)
    error_report_url = _told(Text, null=True, format="uri")
    created_by = _told(Id)
    created_at = _told(Timestamp)
    started_at = _told(Timestamp, null=True)
    finished_at = _told(Timestamp, null=True)
    failure = fields.Nested(ImportFailureShape, required=True, allow_none=True)
    undo = fields.Nested(ImportUndoShape, required=True, allow_none=True)
    version = _told(WholeNumber, minimum=1)


class AnnouncedImportShape(ImportShape):
    """An import whose file is still to come."""

    upload = ObjectOf(UploadSchema, required=True)
    expires_at = _told(Timestamp)


class ImportPageShape(Schema):
    """A page of imports, newest first."""

    items = fields.List(fields.Nested(ImportShape), required=True)
    next_cursor = _told(Text, null=True)


class RowProblemShape(Schema):
    """A rule that a row breaks."""

    field = _told(Text, null=True, description="null where the row as a whole is meant.")
    code = _told(Text)
    message = _told(Text)
    suggestion = _told(Text, null=True, description="What is probably right.")


class RepeatedLeadShape(Schema):
    """Whom a row repeats."""

    lead_id = _told(Id, null=True, description="null in a dry run, where the lead was not made.")
    row = _told(WholeNumber, null=True, description="The row of the same file that the lead comes from.")


class RejectionShape(RowProblemShape):
    """A row that made no lead: its first problem, all of its problems, and its cells."""

    row = _told(WholeNumber, minimum=1, description="As a spreadsheet numbers it.")
    kind = _told(Choice, RowKind)
    problems = fields.List(fields.Nested(RowProblemShape), required=True)
    values = fields.Dict(
        keys=fields.String(), values=fields.String(), required=True, metadata={"description": "The cells by header."}
    )
    duplicate_of = fields.Nested(RepeatedLeadShape, required=True, allow_none=True)


class RejectionPageShape(Schema):
    """A page of rows that made no lead, in the order of the file."""

    items = fields.List(fields.Nested(RejectionShape), required=True)
    next_cursor = _told(Text, null=True)


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
"""With the rest of each import left out."""
