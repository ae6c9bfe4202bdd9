"""Add default bounds for texts, lists and integers to the OpenAPI document (OWASP API4:2023).

The bounds of one field are in its schema. These apply where a field has none.
"""

from collections.abc import Iterator
from typing import Any

from marshmallow.fields import Field

from entrypoints.http.framework.fields import MAX_VALUES, CommaSeparated
from unite_core.text import MAX_TEXT_LENGTH

MAX_LENGTHS = {
    "uuid": 36,
    "date": len("2026-01-31"),
    "date-time": len("2026-01-31T09:30:00.123456789+02:00"),
}
"""Characters of a text, by its format; a date-time may have nanoseconds."""

MAX_PARAMETER_LENGTH = 1000
"""Characters of a parameter with one value. No parameter needs as many."""

MAX_VALUE_LENGTH = 64
"""Characters of each value of a parameter with several values. `MAX_VALUES` of this length fit into a URL."""

MAX_INT32 = 2**31 - 1
"""The largest number of 32 bits."""

_REFERENCE = "#/components/"


def max_items(_: object, field: Field[Any], **__: Any) -> dict[str, Any]:
    """Return the maximum number of values of a parameter with several values, for a hook of apispec."""
    return {"maxItems": MAX_VALUES} if isinstance(field, CommaSeparated) else {}


def add_bounds(document: dict[str, Any]) -> None:
    """Give every integer its format, and every text of a request a maximum length; files are bounded in bytes."""
    for schema in _objects_in(document):
        if "integer" in _types_of(schema):
            schema.setdefault("format", "int32" if schema.get("maximum", MAX_INT32 + 1) <= MAX_INT32 else "int64")
    operations = [
        operation for item in document["paths"].values() for name, operation in item.items() if name != "parameters"
    ]
    bodies = [operation["requestBody"] for operation in operations if "requestBody" in operation]
    parameters = [part.get("parameters", []) for part in [*document["paths"].values(), *operations]]
    values = [each["items"] for each in _objects_in(parameters) if isinstance(each.get("items"), dict)]
    _bound_texts(values, MAX_VALUE_LENGTH, document["components"])
    _bound_texts(parameters, MAX_PARAMETER_LENGTH, document["components"])
    _bound_texts(bodies, MAX_TEXT_LENGTH, document["components"])


def _bound_texts(root: Any, max_length: int, components: dict[str, Any]) -> None:
    for schema in _objects_in(root, components):
        bounded = schema.keys() & {"enum", "const", "maxLength"} or schema.get("format") == "binary"
        if "string" in _types_of(schema) and not bounded:
            schema["maxLength"] = MAX_LENGTHS.get(schema.get("format", ""), max_length)


def _objects_in(root: Any, components: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """Yield every object in `root` and, with `components`, every referenced object; each once."""
    seen: set[int] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack += node
        elif isinstance(node, dict) and id(node) not in seen:
            seen.add(id(node))
            yield node
            stack += [inner for name, inner in node.items() if name not in ("example", "examples")]
            reference = node.get("$ref")
            if components is not None and isinstance(reference, str):
                kind, _, name = reference.removeprefix(_REFERENCE).partition("/")
                stack.append(components[kind][name])


def _types_of(schema: dict[str, Any]) -> set[str]:
    """Return the types of a schema; an empty set if the object is not a schema."""
    types = schema.get("type")
    if isinstance(types, str):
        return {types}
    return set(types) if isinstance(types, list) else set()
