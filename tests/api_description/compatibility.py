"""Detection of breaking changes between two OpenAPI documents.

Clients may go on sending what they send, and reading what they read. A request may not be narrowed: no field,
parameter, type or value is removed, none becomes required, no bound gets tighter. An answer may not be widened: no
field is removed, becomes optional or gets another type. New operations, optional fields and parameters, new fields of
answers and new values of their enumerations break nothing: clients have to expect them.
"""

import re
from collections.abc import Iterator
from typing import Any

from tests.api_description.schemas import Change, SchemaComparison

Document = dict[str, Any]


def breaking_changes(before: Document, after: Document) -> list[str]:
    """Return a sentence for each breaking change, with its place."""
    changes = list(dict.fromkeys(f"{change.place}: {change.what}" for change in _Comparison(before, after).changes()))
    return sorted(changes)


class _Comparison:
    def __init__(self, before: Document, after: Document) -> None:
        self._before = before
        self._after = after
        self._schemas = SchemaComparison(before, after)

    def changes(self) -> Iterator[Change]:
        now = _operations(self._after)
        paths_now = {path for path, _ in now}
        for (path, method), old in _operations(self._before).items():
            place = f"{method.upper()} {path}"
            if (path, method) in now:
                yield from self._operation(old, now[path, method], place)
            else:
                yield Change(place, "the operation was removed" if path in paths_now else "the path was removed")

    def _operation(self, old: Document, new: Document, place: str) -> Iterator[Change]:
        if old["operationId"] != new["operationId"]:
            yield Change(place, f"operationId {old['operationId']} became {new['operationId']}")
        if self._is_public(self._before, old) and not self._is_public(self._after, new):
            yield Change(place, "an access token is required now")
        yield from self._parameters(old, new, place)
        yield from self._body(old, new, place)
        yield from self._responses(old["responses"], new["responses"], place)

    @staticmethod
    def _is_public(document: Document, operation: Document) -> bool:
        return bool(operation.get("security", document.get("security", [])) == [])

    def _parameters(self, old: Document, new: Document, place: str) -> Iterator[Change]:
        before = _parameters(self._before, old)
        after = _parameters(self._after, new)
        for key, parameter in before.items():
            where = f"{place}, parameter {parameter['name']}"
            if key not in after:
                yield Change(where, "was removed")
                continue
            now = after[key]
            if now.get("required") and not parameter.get("required"):
                yield Change(where, "is required now")
            if any(parameter.get(name) != now.get(name) for name in ("style", "explode")):
                yield Change(where, "is written in another way")
            yield from self._schemas.request(parameter["schema"], now["schema"], where)
        for key in after.keys() - before.keys():
            if after[key].get("required"):
                yield Change(f"{place}, parameter {after[key]['name']}", "is new and required")

    def _body(self, old: Document, new: Document, place: str) -> Iterator[Change]:
        before, after = old.get("requestBody", {}), new.get("requestBody", {})
        if after.get("required") and not before.get("required"):
            yield Change(place, "a body is required now")
        for kind, content in before.get("content", {}).items():
            where = f"{place}, body {kind}"
            if kind not in after.get("content", {}):
                yield Change(where, "is not taken any more")
            else:
                yield from self._schemas.request(content["schema"], after["content"][kind]["schema"], where)

    def _responses(self, old: Document, new: Document, place: str) -> Iterator[Change]:
        for status, response in old.items():
            where = f"{place}, answer {status}"
            if status not in new:
                if int(status) < 400:
                    yield Change(where, "was removed")
                continue
            missing = response.get("headers", {}).keys() - new[status].get("headers", {}).keys()
            for name in sorted(missing):
                yield Change(where, f"the header {name} was removed")
            for kind, content in response.get("content", {}).items():
                after = new[status].get("content", {}).get(kind)
                if after is None:
                    yield Change(where, f"{kind} was removed")
                else:
                    yield from self._schemas.answer(content["schema"], after["schema"], f"{where} {kind}")


def _operations(document: Document) -> dict[tuple[str, str], Document]:
    """Return all operations by path (without parameter names) and method."""
    return {
        (re.sub(r"\{\w+\}", "{}", path), method): {
            **operation,
            "parameters": [*item.get("parameters", []), *operation.get("parameters", [])],
            "path": path,
        }
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def _parameters(document: Document, operation: Document) -> dict[tuple[str, str], Document]:
    """Return the parameters by place and name; path parameters by their order, because their names are not sent."""
    names = re.findall(r"\{(\w+)\}", operation["path"])
    results = {}
    for each in operation["parameters"]:
        parameter = document["components"]["parameters"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        name = parameter["name"]
        results[parameter["in"], str(names.index(name)) if parameter["in"] == "path" else name] = parameter
    return results
