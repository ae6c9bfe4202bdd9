"""Validation of import options."""

from collections import Counter
from collections.abc import Iterator, Mapping

from unite_core.errors import FieldError
from unite_core.imports.csv.columns import FIELDS, IGNORE, MAX_COLUMNS, MAX_COMPARED_LENGTH
from unite_core.imports.model import ImportOptions
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.leads.details import SOURCE
from unite_core.leads.use_cases import assignee_error
from unite_core.phone import country_error
from unite_core.text import clean, text_error


def option_errors(work: ImportsUnitOfWork, options: ImportOptions) -> list[FieldError]:
    """Validate import options, as far as that is possible without the file; return the errors."""
    problems: list[FieldError] = []
    if options.default_country is not None:
        country = country_error("options.default_country", options.default_country)
        problems += [country] if country is not None else []
    if options.default_source is not None:
        source = SOURCE.read(clean(options.default_source))
        if isinstance(source, FieldError):
            problems.append(FieldError(field="options.default_source", code=source.code, detail=source.detail))
    if options.default_assigned_to is not None:
        unknown = assignee_error(work, options.default_assigned_to, "options.default_assigned_to")
        if unknown is not None:
            problems.append(unknown)
    return [*problems, *_column_errors(options.columns)]


def _column_errors(columns: Mapping[str, str | None]) -> Iterator[FieldError]:
    """Yield the errors of the columns: what is no header or no field, and fields that are named twice."""
    if len(columns) > MAX_COLUMNS:
        detail = f"At most {MAX_COLUMNS} columns can be named."
        yield FieldError(field="options.columns", code="too_many_columns", detail=detail)
        return
    for header, field in columns.items():
        problem = text_error("options.columns", header, max_length=MAX_COMPARED_LENGTH, paragraphs=True)
        if problem is not None:
            yield problem
        if field is not None and field not in (*FIELDS, IGNORE):
            detail = f"“{field[:60]}” is no field. A field is one of {', '.join(FIELDS)}, or {IGNORE}."
            yield FieldError(field="options.columns", code="unknown_field", detail=detail)
    named = Counter(field for field in columns.values() if field is not None and field != IGNORE)
    repeated = [field for field, times in named.items() if times > 1]
    if repeated:
        detail = f"Two headers cannot both be the {' or the '.join(sorted(repeated))}; name each field once."
        yield FieldError(field="options.columns", code="duplicate_mapping", detail=detail)
