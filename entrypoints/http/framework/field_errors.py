"""Field errors of a problem document, with limits on their number and size."""

from collections.abc import Iterator, Sequence
from typing import Any

from entrypoints.http.framework.fields import MAX_ERRORS, LocatedFieldError
from entrypoints.http.framework.json_responses import to_json
from unite_core.errors import FieldError

MAX_ERRORS_BYTES = 48 * 1024
"""In bytes of JSON, for all field errors of a document together."""

MAX_PLACE_LENGTH = 200
"""Characters of a pointer or a parameter name: both quote names from the request."""

MAX_DETAIL_LENGTH = 1000
"""Characters of a detail or a suggestion."""

_CUT = "…"


def shortened(text: str, max_length: int = MAX_DETAIL_LENGTH) -> str:
    """Return the text, cut off with an ellipsis if it is longer than `max_length` characters."""
    return text if len(text) <= max_length else text[: max_length - len(_CUT)] + _CUT


def pointer(problem: FieldError) -> str:
    """Return the place of a field error as a JSON Pointer (RFC 6901); an empty one means the whole document.

    A path from the core has dots between its parts (`options.on_duplicate`); a name from a request may contain dots
    itself.
    """
    path = problem.path if isinstance(problem, LocatedFieldError) else problem.field.split(".") if problem.field else ()
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def field_errors(problems: Sequence[FieldError], *, in_query: bool) -> list[dict[str, str]]:
    """Return the first field errors as entries of `errors`: at most 50, and at most 48 KiB of JSON.

    With `in_query` each entry names a parameter, otherwise a place in the body.
    """
    return list(_within_max_bytes(_entry(problem, in_query=in_query) for problem in problems[:MAX_ERRORS]))


def count_field_errors(problems: Sequence[FieldError]) -> int:
    """Return the number of field errors, including those that are only counted."""
    return sum(problem.count if isinstance(problem, LocatedFieldError) else 1 for problem in problems)


def _within_max_bytes(entries: Iterator[dict[str, str]]) -> Iterator[dict[str, str]]:
    free = MAX_ERRORS_BYTES
    for entry in entries:
        free -= len(to_json(entry)) + len(",")
        if free < 0:
            return
        yield entry


def _entry(problem: FieldError, *, in_query: bool) -> dict[str, str]:
    place = problem.field if in_query else pointer(problem)
    entry: dict[str, Any] = {
        "parameter" if in_query else "pointer": shortened(place, MAX_PLACE_LENGTH),
        "code": problem.code,
        "detail": shortened(problem.detail),
    }
    if problem.suggestion is not None:
        entry["suggestion"] = shortened(problem.suggestion)
    return entry
