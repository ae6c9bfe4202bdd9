"""Declare an environment variable once: its name, its meaning, its field of marshmallow and its default."""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast

from marshmallow import ValidationError, fields
from marshmallow.validate import Range, Regexp

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """One environment variable.

    `field` parses and validates the text of the variable; its error messages say what would be right and never quote
    the text. `value` is the value without the variable, and `default` describes it in the documentation. The value of a
    `secret` is left out of the `repr` of the settings.
    """

    name: str
    meaning: str
    field: fields.Field[Any]
    value: T
    default: str
    secret: bool = False

    def __str__(self) -> str:
        return self.name


def setting(name: str, meaning: str, field: fields.Field[T], *, value: T, default: str | None = None) -> Setting[T]:
    """Declare a variable with a default value; `default` describes the value if it does not describe itself."""
    return Setting(name=name, meaning=meaning, field=field, value=value, default=default or str(value))


def optional(
    name: str, meaning: str, field: fields.Field[T], *, default: str, secret: bool = False
) -> Setting[T | None]:
    """Declare a variable whose value is None if it is not set; `default` describes what happens then."""
    return Setting(name=name, meaning=meaning, field=field, value=None, default=default, secret=secret)


def read_from(source: Setting[T]) -> T:
    """Return a field of a dataclass whose value is that of a setting, and whose default is the setting's."""
    return dataclasses.field(default=source.value, repr=not source.secret, metadata={"setting": source})


class Parsed(fields.Field[T]):
    """A field whose value is the result of a function that raises `ValueError` with what would be right."""

    def __init__(self, parse: Callable[[str], T]) -> None:
        super().__init__()
        self._parse = parse

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> T:  # noqa: ARG002 - marshmallow's own signature
        try:
            return self._parse(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


def text() -> fields.Field[str]:
    """Return a field of any text."""
    return fields.String()


def pattern(regex: str, error: str) -> fields.Field[str]:
    """Return a field of a text that matches the regular expression as a whole."""
    return fields.String(validate=Regexp(rf"(?:{regex})\Z", error=error))


def one_of(choices: type[E]) -> fields.Field[E]:
    """Return a field of one of the values of an enumeration."""
    return fields.Enum(choices, by_value=True, error_messages={"unknown": "is none of {choices}"})


def whole_number(minimum: int, maximum: int) -> fields.Field[int]:
    """Return a field of a whole number from `minimum` to `maximum`."""
    return _integer(minimum, maximum, lambda number: number)


def duration(minimum: int, maximum: int, unit: timedelta) -> fields.Field[timedelta]:
    """Return a field of a whole number of units of time."""
    return _integer(minimum, maximum, lambda number: number * unit)


def retention(max_days: int) -> fields.Field[timedelta | None]:
    """Return a field of a whole number of days, in which 0 means for ever, which is None."""
    return _integer(0, max_days, lambda number: timedelta(days=number) or None)


def _integer(minimum: int, maximum: int, convert: Callable[[int], T]) -> fields.Field[T]:
    error = f"is not a whole number from {minimum} to {maximum}"

    def only_digits(value: str) -> str:
        # `int` takes spaces, signs, underscores and the digits of other scripts too.
        if not re.fullmatch("[0-9]{1,9}", value):
            raise ValidationError(error)
        return value

    field = fields.Integer(
        pre_load=only_digits,
        validate=Range(minimum, maximum, error=error),
        post_load=convert,
    )
    # The type of the value is what `convert` returns, which the type of the library does not know.
    return cast("fields.Field[T]", field)
