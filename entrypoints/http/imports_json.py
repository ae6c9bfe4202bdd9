"""Imports and rejected rows as the API shows them: values that `rendering.to_json` takes."""

from collections.abc import Iterable, Sequence
from typing import Any

from unite_core.errors import FieldError
from unite_core.imports.model import ImportOptions, LeadImport, Rejection, Undone, progress


def import_json(shown: LeadImport, public_url: str) -> dict[str, Any]:
    """One import; `public_url` is what links to the service start with, without a slash at the end."""
    done = progress(shown)
    failure = shown.failure
    return {
        "id": shown.id,
        "filename": shown.filename,
        "size": shown.size,
        "status": shown.status,
        "options": _options(shown.options),
        "columns": shown.columns,
        "counts": {
            "rows": shown.counts.rows,
            "created": shown.counts.created,
            "updated": shown.counts.updated,
            "duplicate": shown.counts.duplicate,
            "rejected": shown.counts.rejected,
        },
        "progress": {
            "bytes_done": done.bytes_done,
            "bytes_total": done.bytes_total,
            "percent": done.percent,
            "rows_per_second": done.rows_per_second,
            "eta_seconds": done.eta_seconds,
        },
        "error_report_url": f"{public_url}/v1/lead-imports/{shown.id}/error-report" if shown.report_key else None,
        "created_by": shown.created_by,
        "created_at": shown.created_at,
        "started_at": shown.started_at,
        "finished_at": shown.finished_at,
        "failure": {"code": failure.code, "detail": failure.detail} if failure else None,
        "undo": _undo(shown.undone) if shown.undone else None,
        "version": shown.version,
    }


def rejection_json(shown: Rejection, header: Sequence[str]) -> dict[str, Any]:
    """One row that made no lead; its first problem stands in the row itself too."""
    first = _problem(shown.problems[0])
    repeats = shown.duplicate_of is not None or shown.duplicate_row is not None
    return {
        "row": shown.row,
        "kind": shown.kind,
        **first,
        "problems": [_problem(problem) for problem in shown.problems],
        "values": _values(shown.cells, header),
        "duplicate_of": {
            "lead_id": shown.duplicate_of,
            "row": shown.duplicate_row,
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
    """The cells by their headers.

    A header that is empty or occurs again is told apart by the number of its column, counted from 1, and so
    are cells that stand beyond the header.
    """
    return {
        name: cells[index] if index < len(cells) else ""
        for index, name in enumerate(_names(header, max(len(cells), len(header))))
    }


def _names(header: Sequence[str], width: int) -> Iterable[str]:
    taken: set[str] = set()
    for index in range(width):
        name = header[index].strip() if index < len(header) else ""
        if not name:
            name = f"column {index + 1}"
        while name in taken:
            name = f"{name} (column {index + 1})"
        taken.add(name)
        yield name
