"""Reading the body of a request: how large it may be, which types are taken, and what counts as JSON."""

import json
from typing import Any

import orjson
from flask import g, request

from entrypoints.http.problems import UnsupportedEncoding, UnsupportedMediaType
from entrypoints.http.rendering import JSON_TYPE
from unite_core.errors import Malformed, TooLarge

LARGEST_BODY = 1024 * 1024
"""In bytes, 1 MiB: the limit of an operation that declares none of its own (`max_body`)."""

DEEPEST_JSON = 20
METHODS_WITH_BODY = ("POST", "PUT", "PATCH")
MERGE_PATCH_TYPE = "application/merge-patch+json"


def refuse_encoding() -> None:
    """Raise `UnsupportedEncoding` where the body is compressed: it would be taken for something else, or stored so."""
    codings = {coding.strip().lower() for coding in request.headers.get("Content-Encoding", "").split(",")}
    if codings - {"", "identity"}:
        raise UnsupportedEncoding("Send the body as it is, without a Content-Encoding.")


def limit_body(max_body: int) -> None:
    """Set the limit in bytes for the body of the current request, before anything reads it."""
    g.max_body = max_body
    # The framework stops at the limit without an error where no length was declared: so that a body which goes on is
    # not taken for a whole one, one byte more may be read.
    request.max_content_length = max_body + 1


def max_body() -> int:
    """The limit in bytes for the body of the current request."""
    limit: int = g.get("max_body", LARGEST_BODY)
    return limit


def body_bytes() -> bytes:
    """The body of the request as it came; raises `TooLarge`, also where it comes in chunks without a length."""
    largest = max_body()
    if (request.content_length or 0) <= largest:
        body = request.get_data(cache=True, parse_form_data=False)
        if len(body) <= largest:
            return body
    raise TooLarge(too_large_detail(largest))


def too_large_detail(max_body: int) -> str:
    """What a problem document says of a body that is larger than `max_body` bytes."""
    return f"The body is larger than the {max_body:,} bytes that are taken here."


def read_json(accepted: tuple[str, ...] = (JSON_TYPE,)) -> Any:
    """The body of the request, which must be JSON of one of the `accepted` types.

    Raises `UnsupportedMediaType`, `TooLarge` and `Malformed` (`malformed_json`).
    """
    body = body_bytes()
    if request.mimetype not in accepted and (body or request.mimetype):
        raise UnsupportedMediaType(f"Send the body as {' or '.join(accepted)}.", accepted=accepted)
    if not body:
        raise _malformed("The body is empty; a JSON object is expected.")
    return parse_json(body)


def parse_json(text: bytes | str) -> Any:
    """What the JSON means, read strictly.

    Refused with `Malformed` (`malformed_json`): NaN and Infinity, lone surrogates, a name that is twice in one
    object (RFC 8259, 4, leaves open which one would count), and more than 20 levels.
    """
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _malformed(f"The body is not JSON: line {error.lineno}, column {error.colno}.") from None
    _refuse_depth(content)
    try:
        json.loads(text, object_pairs_hook=_refuse_repeated)
    except (ValueError, RecursionError):
        # What one parser takes and the other does not, such as a number of 5,000 digits.
        raise _malformed("The body is not JSON that can be read without doubt.") from None
    return content


def _refuse_depth(content: Any) -> None:
    level = [content]
    for _ in range(DEEPEST_JSON + 1):
        level = [item for item in level if isinstance(item, dict | list)]
        if not level:
            return
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    raise _malformed(f"The body is nested deeper than {DEEPEST_JSON} levels.")


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise _malformed("An object in the body has a name twice.")


def _malformed(detail: str) -> Malformed:
    return Malformed(detail, code="malformed_json")
