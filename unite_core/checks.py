"""Checks of what crosses the boundary of the library: types, time zones, declared rules; and secrets that stay hidden.

Python checks no types when it runs, so a caller could store a moment without a time zone, or ask for a page of -1
items. A dataclass that is `Checked` or an `Input` checks its fields when it is made, a `UseCase` its arguments when it
is called. What a field accepts is read from its annotation, once per class:

    limit: Annotated[int, between(1, 200)] = 50     # an int, and a rule: a function from name and value to an error
    password: SecretText                            # a str that no `repr` shows

A value of another type is a mistake in the caller's code: it raises `TypeError`. A value that breaks a rule raises
`Invalid` if it comes from a user (`Input`, `UseCase`), else `ValueError`. No message contains the value.
"""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from enum import Enum
from functools import cache, wraps
from operator import attrgetter
from types import NoneType
from typing import Annotated, Any, Final, TypeAlias, TypeVar, get_args, get_type_hints

from unite_core.errors import FieldError, Invalid
from unite_core.type_hints import acceptor, alternatives, marks_of, name_of
from unite_core.unset import Unset

Rule: TypeAlias = Callable[[str, Any], FieldError | None]
"""A rule of a field, in its annotation: it gets name and value, neither None nor UNSET, and returns what is wrong."""

C = TypeVar("C", bound=Callable[..., Any])


class Secret(str):
    """A secret text: an ordinary string that `repr` does not show, and so neither does the `repr` of what holds it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class _Mark(Enum):
    """A mark of a field in its annotation."""

    HIDDEN = "hidden"


HIDDEN: Final = _Mark.HIDDEN
"""In an annotation: the field holds a secret, or a collection of them."""

SecretText: TypeAlias = Annotated[str, HIDDEN]
"""The type of a field with a secret text."""


def between(minimum: Any, maximum: Any) -> Rule:
    """Return the rule that a number is from `minimum` to `maximum`, or that every number of a collection is."""

    def rule(name: str, value: Any) -> FieldError | None:
        numbers = value if isinstance(value, Collection) else (value,)
        if all(minimum <= number <= maximum for number in numbers):
            return None
        return FieldError(field=name, code="out_of_range", detail=f"It has to be from {minimum} to {maximum}.")

    return rule


def not_negative(name: str, value: Any) -> FieldError | None:
    """Require that a number or a duration is not negative."""
    if value >= type(value)():
        return None
    return FieldError(field=name, code="out_of_range", detail="It cannot be negative.")


def positive(name: str, value: Any) -> FieldError | None:
    """Require that a number or a duration is more than 0."""
    if value > type(value)():
        return None
    return FieldError(field=name, code="out_of_range", detail="It has to be more than 0.")


def one_of(allowed: Collection[str]) -> Rule:
    """Return the rule that a text is one of these."""

    def rule(name: str, value: Any) -> FieldError | None:
        if value in allowed:
            return None
        return FieldError(field=name, code="unknown_value", detail=f"It has to be one of {', '.join(allowed)}.")

    return rule


BatchSize: TypeAlias = Annotated[int, between(1, 5000)]
"""The number of things that are read or changed at once."""


class Checked:
    """The base of a dataclass that checks its fields when it is made; it raises `TypeError` and `ValueError`."""

    __slots__ = ()

    def __post_init__(self) -> None:
        """Check every field, and hide the secrets."""
        checked = _fields_of(type(self))  # type: ignore[arg-type]  # mypy takes the class for one of its objects
        values = checked.values_of(self)
        kinds = tuple(map(type, values))
        moments = checked.settled.get(kinds)
        # Imports make thousands of objects with values of the same types: then only the zones can be wrong.
        if moments is None or any(values[index].tzinfo is not UTC for index in moments):
            self._check(checked, values, kinds)

    def _check(self, checked: "_Fields", values: tuple[Any, ...], kinds: tuple[type, ...]) -> None:
        errors: list[FieldError] = []
        for place, value in zip(checked.places, values, strict=True):
            used = place.use(value, errors)
            if used is not value:
                object.__setattr__(self, place.name, used)
        errors += () if errors else self.broken_rules()
        if errors:
            raise self.refusal(errors)
        checked.settle(kinds)

    def broken_rules(self) -> Iterable[FieldError]:
        """Return the errors of fields that do not go together; asked for if each field is valid by itself."""
        return ()

    def refusal(self, errors: list[FieldError]) -> Exception:
        """Return the exception for fields that break rules."""
        return ValueError(f"{type(self).__name__}: " + " ".join(f"{error.field}: {error.detail}" for error in errors))


class Input(Checked):
    """The base of a dataclass with what a user entered; a broken rule raises `Invalid`.

    Its moments are in UTC, whatever zone they were given in.
    """

    __slots__ = ()

    def refusal(self, errors: list[FieldError]) -> Exception:
        """Return the exception for fields that break rules."""
        return Invalid(f"{type(self).__name__} breaks a rule.", problems=errors)


class UseCase:
    """The base of a use case: its `__call__` checks the arguments before it does anything."""

    def __init_subclass__(cls) -> None:
        """Let `__call__` check its arguments."""
        super().__init_subclass__()
        if "__call__" in cls.__dict__:
            type.__setattr__(cls, "__call__", _checking(cls.__name__, cls.__dict__["__call__"]))


def _checking(owner: str, call: C) -> C:
    """Return the method `__call__` with a check of its arguments."""

    @wraps(call)
    def checked(self: object, /, *arguments: Any, **named: Any) -> Any:
        places = _places_of_parameters(owner, call)
        errors: list[FieldError] = []
        used = [place.use(value, errors) for place, value in zip(places.values(), arguments, strict=False)]
        for name, value in named.items():
            if name in places:
                named[name] = places[name].use(value, errors)
        if errors:
            raise Invalid(f"{owner} cannot be done with that.", problems=errors)
        # Python itself complains of an argument that is missing, or one too many.
        return call(self, *used, *arguments[len(used) :], **named)

    return checked  # type: ignore[return-value]  # it takes and returns what `call` does


class _Place:
    """A field of a dataclass, or a parameter of a use case."""

    __slots__ = (
        "_accepts",
        "_expected",
        "_hidden",
        "_is_moment",
        "_is_simple",
        "_owner",
        "_rules",
        "_to_utc",
        "name",
    )

    def __init__(self, owner: str, name: str, hint: object, *, to_utc: bool) -> None:
        marks = marks_of(hint)
        kinds = alternatives(hint)
        self.name = name
        self._owner = owner
        self._expected = " or ".join(map(name_of, kinds))
        self._accepts = acceptor(hint)
        self._is_moment = datetime in kinds
        self._to_utc = to_utc
        self._hidden = HIDDEN in marks
        self._rules: tuple[Rule, ...] = tuple(mark for mark in marks if mark is not HIDDEN)
        looks_inside = self._is_moment or float in kinds or any(get_args(kind) for kind in kinds)
        self._is_simple = not (self._rules or self._hidden or looks_inside)

    def use(self, value: Any, errors: list[FieldError]) -> Any:
        """Return the value to use; append the error of a broken rule, raise `TypeError` for another type."""
        if not self._accepts(value):
            raise TypeError(f"{self._owner}: {self.name} has to be {self._expected}, not {type(value).__name__}.")
        if self._is_simple or value is None or isinstance(value, Unset):
            return value
        if self._is_moment and isinstance(value, datetime):
            value = self._moment(value, errors)
        broken = (rule(self.name, value) for rule in self._rules)
        errors += [error for error in broken if error is not None]
        return _hidden(value) if self._hidden else value

    def is_settled_by(self, kind: type) -> bool:
        """Return whether every value of this very type is valid, because one is; a moment also needs a time zone."""
        if kind in (NoneType, Unset):
            return True
        if kind is datetime:
            return self._is_moment and not self._rules
        return self._is_simple or (self._hidden and not self._rules and kind is Secret)

    def _moment(self, value: datetime, errors: list[FieldError]) -> datetime:
        """Return the moment; append an error if it does not say its offset from UTC, or is beyond all dates there."""
        try:
            in_utc = None if value.utcoffset() is None else value.astimezone(UTC)
        except OverflowError:
            in_utc = None
        if in_utc is None:
            detail = "A moment is between the years 1 and 9999, and has a time zone; this one is naive."
            errors.append(FieldError(field=self.name, code="invalid_moment", detail=detail))
            return value
        return in_utc if self._to_utc else value


class _Fields:
    """The fields of a dataclass.

    `settled` has the types of the values of valid objects, in order, and with them the numbers of the fields that hold
    moments: other objects with values of these types are valid too, if their moments have a time zone.
    """

    def __init__(self, owner: Any) -> None:
        hints = get_type_hints(owner, include_extras=True)
        names = [each.name for each in fields(owner)]
        to_utc = issubclass(owner, Input)
        self.places = [_Place(owner.__name__, name, hints[name], to_utc=to_utc) for name in names]
        self.settled: dict[tuple[type, ...], tuple[int, ...]] = {}
        self._get: Callable[[object], Any] = attrgetter(*names)
        self._has_own_rules = owner.broken_rules is not Checked.broken_rules

    def values_of(self, held: object) -> tuple[Any, ...]:
        """Return the values of the fields."""
        values = self._get(held)
        return values if len(self.places) > 1 else (values,)

    def settle(self, kinds: tuple[type, ...]) -> None:
        """Note that these types are valid, unless more than types and zones decide about that."""
        pairs = [*zip(self.places, kinds, strict=True)]
        if not self._has_own_rules and all(place.is_settled_by(kind) for place, kind in pairs):
            self.settled[kinds] = tuple(index for index, kind in enumerate(kinds) if kind is datetime)


@cache
def _fields_of(owner: Any) -> _Fields:
    return _Fields(owner)


@cache
def _places_of_parameters(owner: str, call: Callable[..., Any]) -> Mapping[str, _Place]:
    hints = get_type_hints(call, include_extras=True)
    _, *parameters = inspect.signature(call).parameters.values()
    names = [each.name for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    return {name: _Place(owner, name, hints[name], to_utc=True) for name in names}


def _hidden(value: Any) -> Any:
    """Return the same value, with all texts in it hidden."""
    if isinstance(value, str):
        return value if type(value) is Secret else Secret(value)
    if isinstance(value, Mapping):
        return {key: _hidden(each) for key, each in value.items()}
    return tuple(map(_hidden, value))
