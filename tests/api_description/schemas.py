"""Comparison of two JSON schemas: narrowed requests and widened answers."""

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]
Document = dict[str, Any]

_UPPER = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
_LOWER = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")
_WIDER_FORMATS = {("int32", "int64")}


@dataclass(frozen=True)
class Change:
    """A change that breaks a client, and where it is."""

    place: str
    what: str


@dataclass(frozen=True)
class _Parts:
    """A schema with resolved references: its types, and its alternatives except null."""

    types: frozenset[str]
    alternatives: tuple[Schema, ...]


class SchemaComparison:
    """Compares schemas of two OpenAPI documents. Each pair is compared only once."""

    def __init__(self, before: Document, after: Document) -> None:
        self._before = before
        self._after = after
        self._compared: set[tuple[int, int, bool]] = set()

    def request(self, old: Schema, new: Schema, place: str) -> Iterator[Change]:
        """Return what the new schema refuses although the old one accepted it."""
        yield from self._compare(old, new, place, request=True)

    def answer(self, old: Schema, new: Schema, place: str) -> Iterator[Change]:
        """Return what the new schema may answer although the old one did not, and what it no longer answers."""
        yield from self._compare(old, new, place, request=False)

    def _compare(self, old: Schema, new: Schema, place: str, *, request: bool) -> Iterator[Change]:
        before, after = _parts(self._before, old), _parts(self._after, new)
        yield from _types(before.types, after.types, place, request=request)
        narrow, wide = (before, after) if request else (after, before)
        if len(narrow.alternatives) > len(wide.alternatives):
            yield Change(place, "has other alternatives")
        for one, other in zip(before.alternatives, after.alternatives, strict=False):
            key = (id(one), id(other), request)
            if key not in self._compared:
                self._compared.add(key)
                yield from self._one(one, other, place, request=request)

    def _one(self, old: Schema, new: Schema, place: str, *, request: bool) -> Iterator[Change]:
        yield from _enumeration(old, new, place, request=request)
        yield from _format(old, new, place, request=request)
        if request:
            yield from _bounds(old, new, place)
        yield from self._properties(old, new, place, request=request)
        for name in ("items", "additionalProperties"):
            if isinstance(old.get(name), dict) and isinstance(new.get(name), dict):
                yield from self._compare(old[name], new[name], f"{place}, {name}", request=request)
        if request and new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            yield Change(place, "takes no other fields any more")

    def _properties(self, old: Schema, new: Schema, place: str, *, request: bool) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            if name not in after:
                yield Change(place, f"the field {name} was removed")
            else:
                yield from self._compare(schema, after[name], f"{place}, field {name}", request=request)
        required_before, required_now = set(old.get("required", [])), set(new.get("required", []))
        if request:
            for name in sorted(required_now - required_before):
                yield Change(place, f"the field {name} is required now")
        else:
            for name in sorted((required_before - required_now) & after.keys()):
                yield Change(place, f"the field {name} may be missing now")


def _parts(document: Document, schema: Schema) -> _Parts:
    while "$ref" in schema:
        kind, name = schema["$ref"].split("/")[-2:]
        schema = document["components"][kind][name]
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        parts = [_parts(document, each) for each in choices]
        types = frozenset[str]().union(*(each.types for each in parts))
        return _Parts(types, tuple(inner for each in parts for inner in each.alternatives))
    declared = schema.get("type", [])
    types = frozenset([declared] if isinstance(declared, str) else declared)
    return _Parts(types, () if types == {"null"} else (schema,))


def _types(old: frozenset[str], new: frozenset[str], place: str, *, request: bool) -> Iterator[Change]:
    """Return whether the types are compatible: no type means any type, and an integer is a number."""
    narrow, wide = (old, new) if request else (new, old)
    if not wide:
        return
    if not narrow:
        yield Change(place, "has a type now" if request else "may be of any type now")
    for kind in sorted(narrow - wide):
        if not (kind == "integer" and "number" in wide):
            yield Change(place, f"{kind} is not taken any more" if request else f"may be {kind} now")


def _enumeration(old: Schema, new: Schema, place: str, *, request: bool) -> Iterator[Change]:
    before, after = old.get("enum"), new.get("enum")
    if before is None:
        if after is not None and request:
            yield Change(place, "takes certain values only")
        return
    if after is None:
        if not request:
            yield Change(place, "may have any value now")
        return
    for value in before:
        if value not in after:
            yield Change(place, f"the value {value} was removed")


def _format(old: Schema, new: Schema, place: str, *, request: bool) -> Iterator[Change]:
    before, after = old.get("format"), new.get("format")
    narrow, wide = (before, after) if request else (after, before)
    if wide is not None and wide != narrow and (narrow, wide) not in _WIDER_FORMATS:
        yield Change(place, f"format {before or 'none'} became {after or 'none'}")
    if request and new.get("pattern") not in (None, old.get("pattern")):
        yield Change(place, "has another pattern")


def _bounds(old: Schema, new: Schema, place: str) -> Iterator[Change]:
    for names, tighter in ((_UPPER, operator.lt), (_LOWER, operator.gt)):
        for name in names:
            after = new.get(name)
            if after is not None and (name not in old or tighter(after, old[name])):
                yield Change(place, f"{name} {old.get(name, 'none')} became {after}")
