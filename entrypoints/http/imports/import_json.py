"""JSON of imports and rejected rows, as plain values for `json_responses.to_json`."""

from collections.abc import Iterable, Sequence
from typing import Any

from unite_core.errors import FieldError
from unite_core.imports.model import ImportOptions, LeadImport, Rejection, Undone, progress


def import_json(lead_import: LeadImport, public_url: str) -> dict[str, Any]:
    """Return the JSON of an import; `public_url` is the start of its links, without a slash at the end."""
    done = progress(lead_import)
    failure = lead_import.failure
    return {
        "id": lead_import.id,
        "filename": lead_import.filename,
        "size": lead_import.size,
        "status": lead_import.status,
        "options": _options(lead_import.options),
        "columns": lead_import.columns,
        "counts": {
            "rows": lead_import.counts.rows,
            "created": lead_import.counts.created,
            "updated": lead_import.counts.updated,
            "duplicate": lead_import.counts.duplicate,
            "rejected": lead_import.counts.rejected,
        },
        "progress": {
            "bytes_done": done.bytes_done,
            "bytes_total": done.bytes_total,
            "percent": done.percent,
            "rows_per_second": done.rows_per_second,
            "eta_seconds": done.eta_seconds,
        },
        "error_report_url": f"{public_url}/v1/lead-imports/{lead_import.id}/error-report"
        if lead_import.report_key
        else None,
        "created_by": lead_import.created_by,
        "created_at": lead_import.created_at,
        "started_at": lead_import.started_at,
        "finished_at": lead_import.finished_at,
        "failure": {"code": failure.code, "detail": failure.detail} if failure else None,
        "undo": _undo(lead_import.undone) if lead_import.undone else None,
        "version": lead_import.version,
    }


def rejection_json(rejection: Rejection, header: Sequence[str]) -> dict[str, Any]:
    """Return the JSON of a rejected row; the fields of its first error are also fields of the row itself."""
    first = _problem(rejection.problems[0])
    repeats = rejection.duplicate_of is not None or rejection.duplicate_row is not None
    return {
        "row": rejection.row,
        "kind": rejection.kind,
        **first,
        "problems": [_problem(problem) for problem in rejection.problems],
        "values": _values(rejection.cells, header),
        "duplicate_of": {
            "lead_id": rejection.duplicate_of,
            "row": rejection.duplicate_row,
        }
        if repeats
        else None,
    }


def _options(options: ImportOptions) -> dict[str, Any]:
    return {
        "on_duplicate": options.on_duplicate,
        "default_country": options.default_country,
        "default_source": options.default_source,
        "default_assigned_to": options.default_assigned_to,
        "columns": dict(options.columns),
        "dry_run": options.dry_run,
    }


def _undo(undone: Undone) -> dict[str, Any]:
    return {
        "removed": undone.removed,
        "restored": undone.restored,
        "kept": undone.kept,
        "finished_at": undone.finished_at,
    }


def _problem(problem: FieldError) -> dict[str, str | None]:
    return {
        "field": problem.field or None,
        "code": problem.code,
        "message": problem.detail,
        "suggestion": problem.suggestion,
    }


def _values(cells: Sequence[str], header: Sequence[str]) -> dict[str, str]:
    """Return the cells by their headers.

    Empty headers, repeated headers and cells beyond the header get the number of their column, counted from 1.
    """
    return {
        name: cells[index] if index < len(cells) else ""
        for index, name in enumerate(_names(header, max(len(cells), len(header))))
    }


def _names(header: Sequence[str], width: int) -> Iterable[str]:
    used: set[str] = set()
    for index in range(width):
        name = header[index].strip() if index < len(header) else ""
        if not name:
            name = f"column {index + 1}"
        while name in used:
            name = f"{name} (column {index + 1})"
        used.add(name)
        yield name
