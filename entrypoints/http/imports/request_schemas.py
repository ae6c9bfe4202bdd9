"""Schemas of request bodies, forms and queries about imports."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load

from entrypoints.http.framework.fields import (
    Body,
    Choice,
    CommaSeparated,
    FieldErrorMessage,
    Flag,
    Id,
    ObjectOf,
    Text,
    WholeNumber,
    field_errors_of,
)
from entrypoints.http.framework.paging import PageQuery
from entrypoints.http.framework.request_body import parse_json
from unite_core.errors import FieldError, Invalid, Malformed
from unite_core.imports.csv.columns import FIELDS, IGNORE, MAX_COLUMNS, MAX_COMPARED_LENGTH
from unite_core.imports.model import DEFAULT_SOURCE, MAX_FILE_BYTES, ImportOptions, ImportStatus, OnDuplicate, RowKind
from unite_core.imports.use_cases.start import MAX_FILENAME_LENGTH
from unite_core.leads.details import MAX_SOURCE_LENGTH
from unite_core.text import text_error

_EXAMPLE_USER = "0190a6f0-1111-7b3a-9f24-6d2f8f0c1a77"

_NO_COLUMNS = {
    "invalid": FieldErrorMessage("wrong_type", "A JSON object is expected here."),
    "null": FieldErrorMessage("null", "This may be left out, and may not be null."),
}


class Columns(fields.Dict):
    """Headers of the file, each with the field of its column, or null for a column to ignore."""

    default_error_messages: Any = _NO_COLUMNS

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> dict[str, str | None]:  # noqa: ARG002 - marshmallow passes them
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        if len(value) > MAX_COLUMNS:
            raise ValidationError(
                [FieldErrorMessage("too_many_columns", f"At most {MAX_COLUMNS} columns can be named.")]
            )
        complaints = [found for pair in value.items() if (found := self._complaint(*pair)) is not None]
        if complaints:
            raise ValidationError(complaints)
        return value

    def _complaint(self, header: str, field: Any) -> FieldErrorMessage | None:
        if field is not None and not isinstance(field, str):
            return FieldErrorMessage("wrong_type", f"“{header[:60]}” is to be a field's name or null.")
        if field is not None and field not in (*FIELDS, IGNORE):
            return FieldErrorMessage(
                "unknown_field",
                f"“{field[:60]}” is no field. A field is one of {', '.join(FIELDS)}, or {IGNORE}.",
            )
        problem = text_error("", header, max_length=MAX_COMPARED_LENGTH, paragraphs=True)
        return FieldErrorMessage(problem.code, problem.detail) if problem else None


class ImportOptionsSchema(Body):
    """The options of an import, all optional."""

    on_duplicate = Choice(
        OnDuplicate,
        load_default=OnDuplicate.SKIP,
        metadata={
            "description": "What becomes of a row that repeats a lead: it is left out (skip), or its filled cells "
            "overwrite the lead's (update).",
            "default": OnDuplicate.SKIP.value,
            "example": "skip",
        },
    )
    default_country = Text(
        allow_none=True,
        load_default=None,
        metadata={
            "description": "Where phone numbers without a country code are, as two letters of ISO 3166-1; else the "
            "installation's own default holds.",
            "minLength": 2,
            "maxLength": 2,
            "example": "US",
        },
    )
    default_source = Text(
        allow_none=True,
        load_default=None,
        metadata={
            "description": f"The source of leads whose row names none; else it is `{DEFAULT_SOURCE}`.",
            "maxLength": MAX_SOURCE_LENGTH,
            "example": "trade fair",
        },
    )
    default_assigned_to = Id(
        allow_none=True,
        load_default=None,
        metadata={"description": "The user who gets the leads whose row names nobody.", "example": _EXAMPLE_USER},
    )
    columns = Columns(
        keys=fields.String(),
        values=fields.String(allow_none=True, metadata={"enum": [*FIELDS, IGNORE, None]}),
        load_default=dict,
        metadata={
            "description": "Which column is which field, by header, where Unite is not to find out by itself; null "
            "leaves a column out.",
            "example": {"Mobile (private)": "phone", "Internal notes": None},
        },
    )
    dry_run = Flag(
        load_default=False,
        metadata={"description": "Whether to find out what would happen, and change nothing.", "default": False},
    )

    @post_load
    def _options(self, loaded: Mapping[str, Any], **_: Any) -> ImportOptions:
        country = loaded["default_country"]
        if country is not None and country.isascii():
            country = country.strip().upper()
        return ImportOptions(**{**loaded, "default_country": country})


class NewImportSchema(Body):
    """A file to be uploaded."""

    filename = Text(
        required=True, metadata={"minLength": 1, "maxLength": MAX_FILENAME_LENGTH, "example": "leads-march.csv"}
    )
    size = WholeNumber(
        required=True,
        metadata={
            "description": "How many bytes the file has.",
            "minimum": 1,
            "maximum": MAX_FILE_BYTES,
            "example": 48213,
        },
    )
    options = ObjectOf(ImportOptionsSchema, load_default=ImportOptions)


class ImportFormSchema(Body):
    """A file and its options as a form, with the parts in any order."""

    file = fields.Raw(
        required=True,
        metadata={
            "type": "string",
            "format": "binary",
            "contentMediaType": "text/csv",
            "description": f"The CSV file with its filename; {MAX_FILE_BYTES} bytes (512 MiB) at the most.",
        },
    )
    options = fields.Nested(ImportOptionsSchema, metadata={"description": "As JSON."})


class ImportQuery(PageQuery):
    """The filters of a list of imports."""

    status = CommaSeparated(
        Choice(ImportStatus),
        metadata={"description": "Only imports in one of these states, separated by commas."},
    )


class RejectionQuery(PageQuery):
    """The filters of a list of rejected rows."""

    kind = Choice(
        RowKind,
        metadata={
            "description": "Only rows that break a rule (rejected), or only those that repeat a lead (duplicate)."
        },
    )


def options_from(text: bytes) -> ImportOptions:
    """Return the options from a form part with JSON in UTF-8; raise `Invalid` with its fields under `options`."""
    try:
        content = parse_json(text)
    except Malformed as malformed:
        problem = FieldError(field="options", code="malformed_json", detail=malformed.detail)
        raise Invalid("The options are not JSON.", problems=[problem]) from None
    try:
        options: ImportOptions = ImportOptionsSchema().load(content)
    except ValidationError as error:
        raise Invalid("The options break a rule.", problems=field_errors_of({"options": error.messages})) from None
    return options
