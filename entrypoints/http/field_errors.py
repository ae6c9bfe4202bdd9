"""The field errors of a problem document, bounded in number and in size, whatever the request was."""

from collections.abc import Iterator, Sequence
from typing import Any

from entrypoints.http.fields import MAX_ERRORS, LocatedFieldError
from entrypoints.http.rendering import to_json
from unite_core.errors import FieldError

MAX_ERRORS_BYTES = 48 * 1024
"""Of all field errors of a document together, as JSON."""

MAX_PLACE_LENGTH = 200
"""Characters of a pointer or of the name of a parameter: both quote names that the client made up."""

MAX_DETAIL_LENGTH = 1000
"""Characters of a detail or a suggestion."""

_CUT = "…"


def shortened(text: str, max_length: int = MAX_DETAIL_LENGTH) -> str:
    """The text, or its beginning with an ellipsis where it is longer than `max_length` characters."""
    return text if len(text) <= max_length else text[: max_length - len(_CUT)] + _CUT


def pointer(problem: FieldError) -> str:
    """Where a problem is, as a JSON Pointer (RFC 6901); an empty one is the whole document.

    A path of the core has dots between its parts (`options.on_duplicate`); a name that a client made up may have some
    of its own.
    """
    path = problem.path if isinstance(problem, LocatedFieldError) else problem.field.split(".") if problem.field else ()
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def field_errors(problems: Sequence[FieldError], *, in_query: bool) -> list[dict[str, str]]:
    """The first of the problems as entries of `errors`: at most 50, and at most 48 KiB of JSON.

    With `in_query` each names a parameter, else a place in the body.
    """
    return list(_that_fit(_entry(problem, in_query=in_query) for problem in problems[:MAX_ERRORS]))


def count_field_errors(problems: Sequence[FieldError]) -> int:
    """How many field errors there are, those included that no problem of their own stands for."""
    return sum(problem.count if isinstance(problem, LocatedFieldError) else 1 for problem in problems)


def _that_fit(entries: Iterator[dict[str, str]]) -> Iterator[dict[str, str]]:
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
