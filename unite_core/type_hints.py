"""Types in annotations: which values they accept, and which marks they have (`Annotated`)."""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from math import isfinite
from types import NoneType, UnionType
from typing import Annotated, Any, BinaryIO, Union, get_args, get_origin


def _plain(hint: Any) -> Any:
    """Return the type without its marks."""
    return hint.__origin__ if get_origin(hint) is Annotated else hint


def alternatives(hint: Any) -> tuple[Any, ...]:
    """Return the types of a union, or the one type."""
    plain = _plain(hint)
    if get_origin(plain) in (Union, UnionType):
        return tuple(kind for each in get_args(plain) for kind in alternatives(each))
    return (plain,)


def marks_of(hint: Any) -> tuple[Any, ...]:
    """Return all marks in an annotation."""
    own = getattr(hint, "__metadata__", ())
    if get_origin(_plain(hint)) is Callable:
        return own
    return (*own, *(mark for each in get_args(_plain(hint)) for mark in marks_of(each)))


def name_of(kind: Any) -> str:
    """Return the name of a type for an error message."""
    return "None" if kind is NoneType else getattr(get_origin(kind) or kind, "__name__", str(kind))


def acceptor(hint: Any) -> Callable[[Any], bool]:
    """Return the function that says whether a value is of the type."""
    kinds = alternatives(hint)
    if len(kinds) > 1:
        accepts = [acceptor(kind) for kind in kinds]
        return lambda value: any(each(value) for each in accepts)
    (kind,) = kinds
    origin = get_origin(kind) or kind
    if origin in _SPECIAL:
        return _SPECIAL[origin]
    if not isinstance(origin, type) or origin in (object, Any):
        return lambda _: True
    return _acceptor_of_class(origin, [acceptor(each) for each in get_args(kind) if each is not Ellipsis])


def _acceptor_of_class(origin: Any, arguments: list[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    if getattr(origin, "_is_protocol", False):
        return lambda value: all(hasattr(value, name) for name in origin.__abstractmethods__)
    if issubclass(origin, Mapping):
        key, element = arguments
        return lambda value: isinstance(value, origin) and all(key(k) and element(v) for k, v in value.items())
    if issubclass(origin, Collection) and arguments:
        return lambda value: (
            isinstance(value, origin)
            and not isinstance(value, str | bytes)
            and all(any(accepts(each) for accepts in arguments) for each in value)
        )
    return lambda value: isinstance(value, origin)


_SPECIAL: Mapping[Any, Callable[[Any], bool]] = {
    Callable: callable,
    BinaryIO: lambda value: hasattr(value, "read"),
    bool: lambda value: isinstance(value, bool),
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    float: lambda value: isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value),
    date: lambda value: isinstance(value, date) and not isinstance(value, datetime),
}
"""The types for which `isinstance` would accept too much, or nothing."""
