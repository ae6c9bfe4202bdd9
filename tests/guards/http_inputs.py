"""What the HTTP door reads of a request, found by introspection: fields, parameters, headers, parts of paths."""

import ast
import copy
import importlib
from collections.abc import Iterator
from typing import Any

from flask import Flask
from marshmallow import Schema, fields

from entrypoints.http.openapi import Operation
from entrypoints.http.operations import operation_of
from tests.guards.patterns import sources

Path = tuple[str | int, ...]


def operations(app: Flask) -> list[Operation]:
    """Every operation of the app, pages too."""
    with app.app_context():
        found = [operation_of(endpoint) for endpoint in app.view_functions]
    return [operation for operation in found if operation is not None]


def api_operations(app: Flask) -> list[Operation]:
    """Every operation of the API."""
    return [operation for operation in operations(app) if not operation.cookie]


def page_operations(app: Flask) -> list[Operation]:
    """Every page of the dashboard, every form of one, and their files."""
    return [operation for operation in operations(app) if operation.cookie]


def field_paths(schema: Schema) -> Iterator[Path]:
    """Where a body may hold a value: a path for every field, nested ones too.

    Any value may be replaced by a text, of whatever type its field is.
    """
    for name, field in schema.fields.items():
        key = field.data_key or name
        yield (key,)
        yield from ((key, *rest) for rest in _inner_paths(field))


def _inner_paths(field: fields.Field[Any]) -> Iterator[Path]:
    if isinstance(field, fields.Nested):
        yield from field_paths(field.schema)
    elif isinstance(field, fields.List):
        yield (0,)
        yield from ((0, *rest) for rest in _inner_paths(field.inner))
    elif isinstance(field, fields.Mapping):
        yield ("a key",)


def with_value(body: Any, path: Path, value: Any) -> Any:
    """A copy of the body with a value at the path, which is made where it is not there."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(first, int):
        return [with_value(None, rest, value)]
    changed = copy.deepcopy(body) if isinstance(body, dict) else {}
    changed[first] = with_value(changed.get(first), rest, value)
    return changed


def with_name(body: Any, path: Path, name: str) -> Any:
    """A copy of the body with a name that is made up, beside the last part of the path."""
    return with_value(body, (*path[:-1], name), "x")


def header_names() -> set[str]:
    """Every header that the sources of the door read by name; raises `AssertionError` for a name that is computed."""
    names: set[str] = set()
    for source in sources(("entrypoints",)):
        if not source.module.startswith("entrypoints.http."):
            continue
        for node in ast.walk(source.tree):
            asked = _header_asked_for(node)
            if asked is None:
                continue
            known = vars(importlib.import_module(source.module))
            name = asked.value if isinstance(asked, ast.Constant) else known.get(ast.unparse(asked))
            assert isinstance(name, str), f"{source.module} reads a header whose name is only known at run time"
            names.add(name)
    return names


def _header_asked_for(node: ast.AST) -> ast.expr | None:
    """The argument of `request.headers.get(...)`, or of `request.headers[...]`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "getlist"):
        return node.args[0] if ast.unparse(node.func.value) == "request.headers" else None
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "request.headers":
        return node.slice
    return None
