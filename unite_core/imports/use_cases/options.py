"""Validation of import options."""

from collections import Counter

from unite_core.errors import FieldError
from unite_core.imports.model import ImportOptions
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.leads.details import SOURCE
from unite_core.leads.use_cases import assignee_error
from unite_core.phone import is_country
from unite_core.text import clean


def option_errors(work: ImportsUnitOfWork, options: ImportOptions) -> list[FieldError]:
    """Validate import options, as far as that is possible without the file; return the errors."""
    problems: list[FieldError] = []
    if options.default_country is not None and not is_country(options.default_country):
        problems.append(
            FieldError(
                field="options.default_country",
                code="unknown_country",
                detail="A country is two capital letters of ISO 3166-1, such as US or DE.",
            )
        )
    if options.default_source is not None:
        source = SOURCE.read(clean(options.default_source))
        if isinstance(source, FieldError):
            problems.append(FieldError(field="options.default_source", code=source.code, detail=source.detail))
    if options.default_assigned_to is not None:
        unknown = assignee_error(work, options.default_assigned_to, "options.default_assigned_to")
        if unknown is not None:
            problems.append(unknown)
    repeated = [field for field, times in Counter(options.columns.values()).items() if field is not None and times > 1]
    if repeated:
        problems.append(
            FieldError(
                field="options.columns",
                code="duplicate_mapping",
                detail=f"Two headers cannot both be the {' or the '.join(sorted(repeated))}; name each field once.",
            )
        )
    return problems
