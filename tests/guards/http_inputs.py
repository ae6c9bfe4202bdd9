"""Introspection of all inputs of the HTTP API: fields, parameters, headers, parts of paths."""

import ast
import copy
import importlib
import re
from collections.abc import Iterator
from typing import Any

from flask import Flask
from marshmallow import Schema, fields

from entrypoints.http.framework.operation_docs import Operation
from entrypoints.http.framework.operations import operation_of
from tests.guards.patterns import sources

Path = tuple[str | int, ...]


def operations(app: Flask) -> list[Operation]:
    """Return all operations of the app, including pages."""
    with app.app_context():
        operations_of_app = [operation_of(endpoint) for endpoint in app.view_functions]
    return [operation for operation in operations_of_app if operation is not None]


def api_operations(app: Flask) -> list[Operation]:
    """Return all operations of the API."""
    return [operation for operation in operations(app) if not operation.cookie]


def page_operations(app: Flask) -> list[Operation]:
    """Return all pages of the dashboard, their forms and static files."""
    return [operation for operation in operations(app) if operation.cookie]


def field_paths(schema: Schema) -> Iterator[Path]:
    """Return a path for every field of a body, including nested ones.

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
    """Return a copy of the body with a value at the path, which is created if it is missing."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(first, int):
        return [with_value(None, rest, value)]
    changed = copy.deepcopy(body) if isinstance(body, dict) else {}
    changed[first] = with_value(changed.get(first), rest, value)
    return changed


def with_name(body: Any, path: Path, name: str) -> Any:
    """Return a copy of the body with an unknown name next to the last part of the path."""
    return with_value(body, (*path[:-1], name), "x")


def header_names() -> set[str]:
    """Return all headers that the sources read by a literal name; raise `AssertionError` for a computed one."""
    names: set[str] = set()
    for source in sources(("entrypoints",), containing=re.compile(r"request\.headers")):
        if not source.module.startswith("entrypoints.http."):
            continue
        for node in source.nodes:
            asked = _header_asked_for(node)
            if asked is None:
                continue
            known = vars(importlib.import_module(source.module))
            name = asked.value if isinstance(asked, ast.Constant) else known.get(ast.unparse(asked))
            assert isinstance(name, str), f"{source.module} reads a header whose name is only known at run time"
            names.add(name)
    return names


def _header_asked_for(node: ast.AST) -> ast.expr | None:
    """Return the argument of `request.headers.get(...)` or of `request.headers[...]`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "getlist"):
        return node.args[0] if ast.unparse(node.func.value) == "request.headers" else None
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "request.headers":
        return node.slice
    return None
