"""Load the public names of a package when they are first used (PEP 562)."""

import sys
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any

from unite_core.deprecation import DEPRECATIONS, warn


def lazy_names(
    package: str, names: Mapping[str, Collection[str]], *, deprecated: Mapping[str, tuple[str, str, str]] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package; `names` are its public names by the module that defines them.

    `deprecated` are former names, each with the module and the name of what it is now, and the text of the warning
    (`unite_core.deprecation`). Type checkers must not see that `__getattr__`: they would accept any name.
    """
    modules = {name: module for module, defined in names.items() for name in defined}
    former = deprecated or {}
    DEPRECATIONS.update(text for _, _, text in former.values())

    def load(name: str) -> Any:
        if name in former:
            module, current, text = former[name]
            warn(text, stacklevel=2)
            return getattr(import_module(module), current)
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(modules[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def public_names() -> list[str]:
        return [*sys.modules[package].__all__]

    return load, public_names
