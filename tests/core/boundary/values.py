"""Values that annotations accept, and values that they refuse, for every dataclass and use case of the library."""

import io
import pkgutil
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from importlib import import_module
from types import NoneType, UnionType
from typing import Annotated, Any, BinaryIO, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import unite_core
from unite_core import Ports
from unite_core.checks import Checked
from unite_core.testing.builders import a_lead, a_task, a_user, an_actor, an_entry, an_id
from unite_core.testing.in_memory import in_memory_ports
from unite_core.unset import Unset

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

BY_NAME: Mapping[str, Any] = {
    "phone": "+12125550123",
    "to": "+12125550123",
    "tz": "Europe/Berlin",
    "name": "grace",
    "metric": "conversions",
    "default_country": "US",
    "at_time": time(9),
}
"""Texts that only some fields accept."""


def core_modules() -> Iterator[str]:
    """Yield the name of every module of the core that has no tests."""
    for module in pkgutil.walk_packages(unite_core.__path__, "unite_core."):
        if not module.name.startswith("unite_core.testing"):
            yield module.name


def subclasses(base: type) -> list[type]:
    """Return all classes of the core that are derived from `base`."""
    for module in core_modules():
        import_module(module)
    found: dict[str, type] = {}
    left = [base]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if kind.__module__.startswith("unite_core.") and not kind.__module__.startswith("unite_core.testing"):
            # A dataclass with slots is made of another class of the same name.
            found[f"{kind.__module__}.{kind.__qualname__}"] = getattr(import_module(kind.__module__), kind.__name__)
    return [found[name] for name in sorted(found)]


def checked_dataclasses() -> list[type]:
    """Return all dataclasses that check their fields."""
    return [kind for kind in subclasses(Checked) if is_dataclass(kind)]


def hints_of(kind: Any) -> dict[str, Any]:
    """Return the annotations, with their marks."""
    return get_type_hints(kind, include_extras=True)


def _plain(hint: Any) -> Any:
    """Return the annotation without its marks."""
    return hint.__origin__ if get_origin(hint) is Annotated else hint


def alternatives(hint: Any) -> list[Any]:
    """Return the types of a union, or the one type."""
    hint = _plain(hint)
    if get_origin(hint) in (Union, UnionType):
        return [each for part in get_args(hint) for each in alternatives(part)]
    return [hint]


def valid(hint: Any, name: str) -> Any:
    """Return a value that the annotation accepts."""
    kind = next((each for each in alternatives(hint) if each not in (NoneType, Unset)), NoneType)
    origin: Any = get_origin(kind) or kind
    if origin is str and name in BY_NAME:
        return BY_NAME[name]
    if origin in _VALID:
        return _VALID[origin]()
    if issubclass(origin, Enum):
        return next(iter(origin))
    if issubclass(origin, Collection):
        return origin() if origin in (tuple, frozenset, list) else {} if issubclass(origin, Mapping) else ()
    return example(origin) if is_dataclass(origin) else getattr(in_memory_ports(), name)


def example(kind: Any, **changes: Any) -> Any:
    """Return an object of the dataclass, with the fields that have no default."""
    if kind.__name__ in _EXAMPLES:
        return _EXAMPLES[kind.__name__](**changes)
    hints = hints_of(kind)
    required = {
        each.name: valid(hints[each.name], each.name)
        for each in fields(kind)
        if each.default is MISSING and each.default_factory is MISSING
    }
    return kind(**{**required, **changes})


def refused(hint: Any) -> list[Any]:
    """Return values of many kinds that the annotation refuses."""
    kinds = alternatives(hint)
    origins = {get_origin(kind) or kind for kind in kinds}
    if origins & {Any, object} or any(isinstance(kind, TypeVar) for kind in kinds):
        return []
    bad: list[Any] = [] if origins & {get_origin(Callable[[], None])} else [object()]
    bad += [] if NoneType in origins else [None]
    bad += [] if str in origins else ["nonsense", "019559a8-0000-7000-8000-000000000000"]
    bad += [] if origins & {int, float} else [5]
    bad += [float("nan"), float("inf"), 0.5] if int in origins and float not in origins else []
    bad += [float("nan"), float("-inf")] if float in origins else []
    bad += [] if bool in origins else [True]
    bad += [datetime(2026, 3, 2, 9)] if datetime in origins else []  # noqa: DTZ001 - it is to be refused
    bad += [datetime(2026, 3, 2, 9, tzinfo=UTC)] if date in origins else []
    elements = [each for kind in kinds for each in get_args(kind) if each is not Ellipsis]
    if frozenset in origins:
        bad += [frozenset({wrong}) for wrong in _hashable(refused(elements[0])) if wrong is not None]
    if tuple in origins:
        bad += [(wrong,) for wrong in refused(elements[0])]
    return bad


def _hashable(values: list[Any]) -> Iterator[Any]:
    return (value for value in values if value.__hash__ is not None)


_VALID: Mapping[Any, Callable[[], Any]] = {
    str: lambda: "text",
    bytes: lambda: b"bytes",
    int: lambda: 1,
    float: lambda: 1.0,
    bool: lambda: False,
    UUID: an_id,
    datetime: lambda: NOON,
    date: NOON.date,
    time: lambda: time(9),
    timedelta: lambda: timedelta(minutes=1),
    dict: dict,
    object: object,
    get_origin(Callable[[], None]): lambda: lambda *_: None,
    NoneType: lambda: None,
    BinaryIO: lambda: io.BytesIO(b"Name,Phone\r\nGrace,+12125550123\r\n"),
}


def _entry(**changes: Any) -> Any:
    user = a_user()
    entry = an_entry(a_task(a_lead(), user))
    return type(entry)(**{**{each.name: getattr(entry, each.name) for each in fields(entry)}, **changes})


def _ports(**changes: Any) -> Ports:
    ports = in_memory_ports()
    return Ports(**{**{each.name: getattr(ports, each.name) for each in fields(ports)}, **changes})


_EXAMPLES: Mapping[str, Callable[..., Any]] = {
    "Ports": _ports,
    "Actor": lambda **changes: type(an_actor())(**{"user_id": an_id(), "role": an_actor().role, **changes}),
    "Lead": a_lead,
    "LedgerEntry": _entry,
}
