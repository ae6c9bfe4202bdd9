"""Parse query strings strictly; the framework would replace unreadable characters instead of refusing them."""

import re
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

from flask import Request

from entrypoints.http.framework.problems import MalformedParameter
from unite_core.errors import FieldError

MAX_QUERY_BYTES = 16 * 1024
"""Twice the minimum of RFC 9110, 4.1; 200 ids with percent-encoded commas between them fit in."""

MAX_PARAMETERS = 100

# RFC 3986, 2.1.
_BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def query_arguments(request: Request) -> dict[str, str]:
    """Return the parameters of the query as names and values.

    Raises `MalformedParameter` if a parameter is repeated or is not percent-encoded UTF-8, and if the query has more
    than 16 KiB or more than 100 parameters.
    """
    check_size(request.query_string)
    unreadable = [_name_of(pair) for pair in request.query_string.split(b"&") if not _is_readable(pair)]
    if unreadable:
        raise query_error(
            [
                FieldError(field=name, code="malformed_encoding", detail="Write it as UTF-8, percent-encoded.")
                for name in unreadable
            ]
        )
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        raise query_error(
            [FieldError(field=name, code="repeated", detail="Give this parameter once.") for name in repeated]
        )
    return request.args.to_dict()


def check_size(query: bytes) -> None:
    """Raise `MalformedParameter` if the query is too long or has too many parameters."""
    if len(query) > MAX_QUERY_BYTES:
        first_too_long = query[:MAX_QUERY_BYTES].rpartition(b"&")[2]
        detail = f"The query may have at most {MAX_QUERY_BYTES:,} bytes."
        raise query_error([FieldError(field=_name_of(first_too_long), code="too_long", detail=detail)])
    if query.count(b"&") >= MAX_PARAMETERS:
        first_too_many = query.split(b"&", MAX_PARAMETERS + 1)[MAX_PARAMETERS]
        detail = f"The query may have at most {MAX_PARAMETERS} parameters."
        raise query_error([FieldError(field=_name_of(first_too_many), code="too_many_parameters", detail=detail)])


def query_error(problems: Sequence[FieldError]) -> MalformedParameter:
    """Return the error for a query with these field errors."""
    return MalformedParameter("A parameter of the query is unknown or malformed.", problems=problems)


def _is_readable(pair: bytes) -> bool:
    if _BROKEN_PERCENT.search(pair) is not None:
        return False
    try:
        unquote_to_bytes(pair).decode()
    except UnicodeDecodeError:
        return False
    return True


def _name_of(pair: bytes) -> str:
    """Return the name of a parameter, with replacement characters for bytes that are not UTF-8."""
    return unquote_to_bytes(pair.partition(b"=")[0]).decode(errors="replace")
