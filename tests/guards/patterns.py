"""Search for all regular expressions in the sources, and for the methods called on them."""

import ast
import importlib
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.conftest import CHECKOUT

PACKAGES = ("unite_core", "adapters", "entrypoints")
METHODS = ("match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer")

USES_PATTERNS = re.compile(rf"\b(?:re|regex)\b|\w\.(?:{'|'.join(METHODS)})\b")
"""The text of a module that has a pattern, or calls a method of one."""


@dataclass(frozen=True)
class FoundPattern:
    """A pattern, its place in the source, and the methods that are called on it."""

    where: str
    pattern: re.Pattern[Any]
    methods: frozenset[str]


@dataclass(frozen=True)
class Source:
    """The name and the syntax tree of a module."""

    module: str
    tree: ast.Module

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the tree, which takes longer to walk than to read."""
        return list(ast.walk(self.tree))

    def call_names(self) -> tuple[set[str], dict[str, str]]:
        """Return the local names of the module `re` and of its functions."""
        modules: set[str] = set()
        functions: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                modules |= {alias.asname or alias.name for alias in node.names if alias.name in ("re", "regex")}
            elif isinstance(node, ast.ImportFrom) and node.module in ("re", "regex"):
                functions |= {alias.asname or alias.name: alias.name for alias in node.names}
        return modules, functions


def sources(
    packages: tuple[str, ...] = PACKAGES, root: Path = CHECKOUT, containing: re.Pattern[str] | None = None
) -> list[Source]:
    """Return all modules of the packages, including migrations and shipped test helpers.

    With `containing` only modules whose text matches it: to parse all of them takes seconds.
    """
    paths = [path for package in packages for path in sorted((root / package).rglob("*.py"))]
    texts = {path: path.read_text("utf-8") for path in paths}
    return [
        Source(_module(path.relative_to(root)), ast.parse(text))
        for path, text in texts.items()
        if containing is None or containing.search(text)
    ]


def parsed(module: str, text: str) -> Source:
    """Parse a piece of source as if it were in `module`."""
    return Source(module, ast.parse(textwrap.dedent(text)))


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def find_patterns(sources: list[Source]) -> tuple[list[FoundPattern], list[str]]:
    """Return the patterns, and the places of calls whose pattern is only known at run time."""
    usage = _methods_by_name(sources)
    patterns: list[FoundPattern] = []
    unknown: list[str] = []
    for source in sources:
        for method, call, target in _calls(source):
            where = f"{source.module}:{call.lineno}"
            value = _pattern_of(source, method, call)
            if value is None:
                unknown.append(f"{source.module}: {ast.unparse(call)}")
                continue
            methods = {method} if method != "compile" else usage.get(target or "", set()) or set(METHODS)
            patterns.append(FoundPattern(where, value, frozenset(methods)))
    return patterns, unknown


def _methods_by_name(sources: list[Source]) -> dict[str, set[str]]:
    """Return name of a constant -> the methods that any module calls on it or passes on."""
    usage: dict[str, set[str]] = {}
    for source in sources:
        for node in source.nodes:
            if isinstance(node, ast.Attribute) and node.attr in METHODS and isinstance(node.value, ast.Name):
                usage.setdefault(node.value.id, set()).add(node.attr)
        for alias, names in _aliases(source):
            for name in names:
                usage.setdefault(name, set()).update(usage.get(alias, ()))
    return usage


def _aliases(source: Source) -> Iterator[tuple[str, list[str]]]:
    """Return names that are one of two others: `forbidden = _STRICT if strict else _LOOSE`."""
    for node in source.nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp) and isinstance(node.targets[0], ast.Name):
            choices = (node.value.body, node.value.orelse)
            yield node.targets[0].id, [choice.id for choice in choices if isinstance(choice, ast.Name)]


def _calls(source: Source) -> Iterator[tuple[str, ast.Call, str | None]]:
    """Yield each call of a function of `re` with a pattern, and the name of its result."""
    modules, functions = source.call_names()
    if not modules and not functions:
        return
    assigned = {
        id(node.value): target.id
        for node in source.nodes
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in source.nodes:
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = None
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in modules:
            name = called.attr
        elif isinstance(called, ast.Name):
            name = functions.get(called.id)
        if name in (*METHODS, "compile"):
            yield name, node, assigned.get(id(node))


def _pattern_of(source: Source, method: str, call: ast.Call) -> re.Pattern[Any] | None:
    """Return the pattern of the call, with names resolved in the imported module; None if they are local."""
    flags = next((word.value for word in call.keywords if word.arg == "flags"), None)
    if flags is None and method == "compile" and len(call.args) > 1:
        flags = call.args[1]
    names = {**vars(importlib.import_module(source.module)), **_own_names(source)}
    try:
        pattern = _value(call.args[0], names)
        return re.compile(pattern, _value(flags, names) if flags else 0)
    except NameError:
        return None


def _own_names(source: Source) -> dict[str, Any]:
    """Return the local names of the module `re`, which are needed for flags."""
    modules, functions = source.call_names()
    return {**dict.fromkeys(modules, re), **{local: getattr(re, name) for local, name in functions.items()}}


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    return eval(compile(ast.Expression(node), "<pattern>", "eval"), dict(names))
