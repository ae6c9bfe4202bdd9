"""Which classes public signatures name, and which of them have no public name."""

import builtins
import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any, get_args, get_origin, get_type_hints

PACKAGES = ("unite_core", "adapters")


def public_objects(modules: Iterable[str]) -> dict[str, Any]:
    """Return what these modules export, by module and name."""
    return {
        f"{module}.{name}": getattr(import_module(module), name)
        for module in modules
        for name in import_module(module).__all__
    }


def named_classes(exported: Iterable[Any]) -> set[type]:
    """Return the classes of ours in the signatures of these things, and of the public methods of the classes."""
    return {
        kind
        for thing in exported
        if callable(thing) and _is_ours(getattr(thing, "__module__", ""))
        for kind in _named_by(thing)
    }


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in PACKAGES


def _classes_in(hint: Any) -> Iterator[type]:
    """Yield the classes of ours that an annotation names."""
    for each in get_args(hint):
        for inner in each if isinstance(each, list) else [each]:
            yield from _classes_in(inner)
    kind = get_origin(hint) or hint
    if isinstance(kind, type) and _is_ours(kind.__module__):
        yield kind


def _named_by(thing: Any) -> Iterator[type]:
    members = vars(thing).items() if isinstance(thing, type) else ()
    methods = [member for name, member in members if not name.startswith("_") or name in ("__call__", "__init__")]
    for each in (thing, *methods):
        function = getattr(each, "fget", None) or getattr(each, "__func__", each)
        if callable(function):
            for hint in get_type_hints(function, localns=ModuleNames(function)).values():
                yield from _classes_in(hint)


class ModuleNames(dict[str, Any]):
    """The names of the module of a function; one that only type checkers import is `Any`."""

    def __init__(self, function: Any) -> None:
        super().__init__(getattr(inspect.unwrap(function), "__globals__", {}))

    def __missing__(self, name: str) -> Any:
        return getattr(builtins, name, Any)
