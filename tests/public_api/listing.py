"""List the public names of the library, each with its signature, as lines of text."""

import dataclasses
import enum
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any, get_type_hints

from infra.release.stage import DISTRIBUTIONS, renamed_modules
from tests.public_api.signatures import ModuleNames

MODULES = {
    new: old
    for old, new in renamed_modules().items()
    if any(new in distribution.public for distribution in DISTRIBUTIONS.values())
}
"""Name of the module in the wheels -> its name in the checkout."""

_QUALIFIED = re.compile(r"\b(?:[a-z_]+[a-z0-9_]*\.)+(?=[A-Za-z_])")
_SENTINEL = re.compile(r"<[^<>]*>")


@cache
def public_names() -> list[str]:
    """Return a line for each public name and each public member of a class, sorted."""
    return sorted(
        line for name, module in MODULES.items() for line in _of_module(name, importlib.import_module(module))
    )


def _of_module(name: str, module: ModuleType) -> Iterator[str]:
    for each in module.__all__:
        value = getattr(module, each)
        yield f"{name}.{each}{_described(value)}"
        if inspect.isclass(value):
            yield from (f"{name}.{each}.{member}" for member in _members(value))


def _described(value: Any) -> str:
    if inspect.isclass(value):
        if issubclass(value, enum.Enum):
            return f": {', '.join(f'{member.name}={member.value!r}' for member in value)}"
        return _signature(value) if dataclasses.is_dataclass(value) else ""
    if inspect.isfunction(value):
        return _signature(value)
    return f" = {value!r}" if isinstance(value, str | int) else ""


def _members(cls: type) -> Iterator[str]:
    for name in sorted(vars(cls)):
        # The tests of a suite may become more; what an adapter gives them is public.
        if (name.startswith("_") and name != "__call__") or name.startswith("test_"):
            continue
        member = inspect.getattr_static(cls, name)
        if isinstance(member, classmethod | staticmethod):
            yield f"{name}{_signature(member.__func__)}"
        elif inspect.isfunction(member):
            yield f"{name}{_signature(member)}"
        elif isinstance(member, property):
            yield f"{name}: {_shown(_hints(member.fget).get('return'))}"


def _signature(called: Any) -> str:
    signature = inspect.signature(called)
    hints = _hints(called.__init__ if inspect.isclass(called) else called)
    parameters = [
        parameter.replace(annotation=_Text(_shown(hints[name])) if name in hints else parameter.empty)
        for name, parameter in signature.parameters.items()
    ]
    returned = _Text(_shown(hints["return"])) if "return" in hints and not inspect.isclass(called) else signature.empty
    text = str(signature.replace(parameters=parameters, return_annotation=returned))
    # The address of a default such as `<function C.<lambda> at 0x…>` is another one in each process.
    return _SENTINEL.sub("...", _SENTINEL.sub("...", text))


class _Text(str):
    """An annotation that is printed unchanged."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _hints(function: Any) -> dict[str, Any]:
    return get_type_hints(function, localns=ModuleNames(function))


def _shown(hint: Any) -> str:
    if hint is None or hint is type(None):
        return "None"
    if isinstance(hint, type) and hint.__module__ == "typing":  # such as BinaryIO, whose `repr` is that of a class
        return hint.__name__
    return _QUALIFIED.sub("", inspect.formatannotation(hint))
