"""Copies of what is stored, which are much of the work of the in-memory adapters."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any, TypeVar
from uuid import UUID

T = TypeVar("T")

_IMMUTABLE = (str, bytes, int, float, Decimal, datetime, date, time, timedelta, UUID, Enum, NoneType)


def copied(thing: T) -> T:
    """Return a copy that shares nothing with the original that can be changed, like `copy.deepcopy`, but faster."""
    kind = type(thing)
    copy = _COPIES.get(kind)
    if copy is None:
        copy = _COPIES[kind] = _copy_of(kind)
    result: T = copy(thing)
    return result


def _copy_of(kind: type) -> Callable[[Any], Any]:
    """Return the function that copies the objects of a class."""
    if issubclass(kind, _IMMUTABLE):
        return _itself
    if is_dataclass(kind):
        return _copy_of_dataclass(kind)
    return deepcopy


def _copy_of_dataclass(kind: type) -> Callable[[Any], Any]:
    names = tuple(field.name for field in fields(kind))
    new = object.__new__
    write = object.__setattr__
    frozen = kind.__dataclass_params__.frozen  # type: ignore[attr-defined]  # every dataclass has it

    def copy(thing: Any) -> Any:
        values = [getattr(thing, name) for name in names]
        copies = [*map(copied, values)]
        if frozen and all(map(_is, values, copies)):
            return thing
        result: object = new(kind)
        for name, value in zip(names, copies, strict=True):
            write(result, name, value)
        return result

    return copy


def _itself(thing: Any) -> Any:
    return thing


def _is(one: object, other: object) -> bool:
    return one is other


def _tuple(things: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(map(copied, things))


def _list(things: list[Any]) -> list[Any]:
    return [*map(copied, things)]


def _dict(things: dict[Any, Any]) -> dict[Any, Any]:
    return {copied(key): copied(value) for key, value in things.items()}


_COPIES: dict[type, Callable[[Any], Any]] = {tuple: _tuple, list: _list, dict: _dict}
