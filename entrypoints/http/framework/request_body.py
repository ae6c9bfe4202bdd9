"""Read the body of the current Flask request: size limit, accepted media types, strict JSON."""

import json
import math
import re
from itertools import chain
from typing import Any

from flask import g, request

from entrypoints.http.framework.json_responses import JSON_TYPE
from entrypoints.http.framework.problems import UnsupportedEncoding, UnsupportedMediaType
from unite_core.errors import Malformed, TooLarge

MAX_BODY_BYTES = 1024 * 1024
"""In bytes, 1 MiB: the limit for an operation that does not declare its own (`max_body`)."""

MAX_JSON_DEPTH = 20
METHODS_WITH_BODY = ("POST", "PUT", "PATCH")
MERGE_PATCH_TYPE = "application/merge-patch+json"


def refuse_encoding() -> None:
    """Raise `UnsupportedEncoding` if the body is compressed: it would be misread, or stored in compressed form."""
    codings = {coding.strip().lower() for coding in request.headers.get("Content-Encoding", "").split(",")}
    if codings - {"", "identity"}:
        raise UnsupportedEncoding("Send the body as it is, without a Content-Encoding.")


def limit_body(max_body: int) -> None:
    """Set the limit in bytes for the body of the current request, before anything reads it."""
    g.max_body = max_body
    # If no length was declared, the framework stops reading at the limit without an error. Reading one byte more shows
    # whether the body goes on.
    request.max_content_length = max_body + 1


def max_body() -> int:
    """Return the limit in bytes for the body of the current request."""
    limit: int = g.get("max_body", MAX_BODY_BYTES)
    return limit


def body_bytes() -> bytes:
    """Return the body of the request as it was sent; raise `TooLarge`, also for chunks without a declared length."""
    max_bytes = max_body()
    if (request.content_length or 0) <= max_bytes:
        body = request.get_data(cache=True, parse_form_data=False)
        if len(body) <= max_bytes:
            return body
    raise TooLarge(too_large_detail(max_bytes))


def too_large_detail(max_body: int) -> str:
    """Return the detail of the problem document for a body of more than `max_body` bytes."""
    return f"The body is larger than the {max_body:,} bytes that are accepted here."


def read_json(accepted: tuple[str, ...] = (JSON_TYPE,)) -> Any:
    """Return the parsed body of the request, which must be JSON of one of the `accepted` types.

    Raises `UnsupportedMediaType`, `TooLarge` and `Malformed` (`malformed_json`).
    """
    body = body_bytes()
    if request.mimetype not in accepted and (body or request.mimetype):
        raise UnsupportedMediaType(f"Send the body as {' or '.join(accepted)}.", accepted=accepted)
    if not body:
        raise _malformed("The body is empty; a JSON object is expected.")
    return parse_json(body)


def parse_json(text: bytes | str) -> Any:
    """Parse JSON strictly.

    Raises `Malformed` (`malformed_json`) for everything but JSON in UTF-8 (RFC 8259). NaN and Infinity, numbers that
    neither float nor int of Python can hold, lone surrogates, a name that is twice in an object (RFC 8259, 4, does not
    say which one counts) and more than 20 levels are refused too.
    """
    try:
        decoded = text if isinstance(text, str) else text.decode()
        content = _DECODER.decode(decoded)
    except json.JSONDecodeError as error:
        raise _malformed(f"The body is not JSON: line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError:
        raise _malformed("The body is not UTF-8.") from None
    except ValueError:
        raise _malformed("A number in the body has too many digits.") from None
    _check_values(content)
    if _SURROGATE.search(decoded) is not None:
        _check_surrogates(content)
    return content


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_INFINITIES = (math.inf, -math.inf)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _malformed("An object in the body has a name twice.")
    return members


def _refuse_constant(name: str) -> None:
    raise _malformed(f"{name} is not JSON.")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)


def _check_values(content: Any) -> None:
    """Refuse values that are nested too deep, and numbers such as 1e999, which Python reads as infinite."""
    level = [content]
    for _ in range(MAX_JSON_DEPTH + 1):
        if any(infinite in level for infinite in _INFINITIES):
            raise _malformed("A number in the body is too large.")
        nested = [item for item in level if isinstance(item, dict | list)]
        if not nested:
            return
        level = list(chain.from_iterable(item.values() if type(item) is dict else item for item in nested))
    raise _too_deep()


def _check_surrogates(content: Any) -> None:
    """Refuse lone surrogates; the parser has joined the pairs to one character already."""
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _malformed("A string in the body has half of a surrogate pair.") from None


def _too_deep() -> Malformed:
    return _malformed(f"The body is nested deeper than {MAX_JSON_DEPTH} levels.")


def _malformed(detail: str) -> Malformed:
    return Malformed(detail, code="malformed_json")
