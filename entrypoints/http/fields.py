"""What a body or a query is made of: fields that take exactly their own type, each complaint with a code.

The rules themselves (lengths, characters, what a phone number is) are the core's; a schema only shows them, as
`metadata={"maxLength": MAX_NAME_LENGTH}`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import islice
from typing import Any, cast
from uuid import UUID

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields
from marshmallow.exceptions import SCHEMA
from marshmallow.types import UnknownOption

from unite_core.errors import FieldError
from unite_core.text import MAX_TEXT_LENGTH, is_within_max_length

MAX_ERRORS = 50
"""How many field errors a problem document shows."""

MAX_VALUES = 200
"""How many values a parameter of the query takes that takes several."""


@dataclass(frozen=True, slots=True)
class FieldErrorMessage:
    """Why a value is refused: a stable code, and a sentence on what to do.

    `count` is the number of errors that it stands for. `member` is the member of the object that is meant where
    marshmallow's own place for it would be the object as a whole.
    """

    code: str
    detail: str
    count: int = 1
    member: str | None = None


_NULL_IN_REQUIRED: Any = FieldErrorMessage("null", "This is required, and may not be null.")


def _complaints(**own: FieldErrorMessage) -> Any:
    """A field's messages: its own, and those that every field has. Marshmallow hands them on as they are."""
    return {
        "required": FieldErrorMessage("required", "This is required."),
        "null": FieldErrorMessage("null", "This may be left out, and may not be null."),
        **own,
    }


class _Strict(Schema):
    """An object, and nothing in it that the schema does not name.

    Of names that it does not know it complains in the order of the input, and stores no more complaints than can be
    shown: reading an object of unknown names costs what reading its JSON costs.
    """

    class Meta:
        """No name is ignored."""

        unknown = RAISE

    def _deserialize(
        self, data: Any, *, error_store: Any, many: bool = False, unknown: UnknownOption = RAISE, **options: Any
    ) -> Any:
        refuse = unknown == RAISE and not many
        read = super()._deserialize(
            data, error_store=error_store, many=many, unknown=EXCLUDE if refuse else unknown, **options
        )
        if refuse and isinstance(data, Mapping):
            known = {field.data_key or name for name, field in self.load_fields.items()}
            strangers = [name for name in data if name not in known]
            complaint = cast("FieldErrorMessage", self.error_messages["unknown"])
            for name in strangers[:MAX_ERRORS]:
                member = name if name == SCHEMA else None
                error_store.store_error([replace(complaint, member=member)], name)
            if more := strangers[MAX_ERRORS:]:
                error_store.store_error([replace(complaint, count=len(more))], more[0])
        return read


class Body(_Strict):
    """The body of a request: an object, and nothing in it that the schema does not name."""

    error_messages: Any = _complaints(
        type=FieldErrorMessage("wrong_type", "A JSON object is expected here."),
        unknown=FieldErrorMessage("unknown_field", "There is no such field."),
    )

    def on_bind_field(self, _: str, field_obj: fields.Field[Any]) -> None:
        """Tell of null in a field that is required that it may not be left out either."""
        if field_obj.required:
            field_obj.error_messages["null"] = _NULL_IN_REQUIRED


class Query(_Strict):
    """The query of a request: no parameter that the schema does not name, and none twice."""

    error_messages: Any = _complaints(unknown=FieldErrorMessage("unknown_parameter", "There is no such parameter."))


class Text(fields.String):
    """A string, never a number that looks like one, of at most `MAX_TEXT_LENGTH` characters.

    That bound holds for every text before anything reads it; what a field takes is a rule of the core.
    """

    default_error_messages: Any = _complaints(
        invalid=FieldErrorMessage("wrong_type", "A string is expected here."),
        too_long=FieldErrorMessage("too_long", f"At most {MAX_TEXT_LENGTH} characters are read."),
    )

    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> Any:
        if isinstance(value, str) and not is_within_max_length(value):
            raise self.make_error("too_long")
        return super()._deserialize(value, *rest, **options)


class WholeNumber(fields.Integer):
    """A whole number from `minimum` to `maximum`; in a body a JSON number, in a query its digits."""

    default_error_messages: Any = _complaints(
        invalid=FieldErrorMessage("wrong_type", "A whole number is expected here.")
    )

    def __init__(self, *, minimum: int | None = None, maximum: int | None = None, **options: Any) -> None:
        self.minimum, self.maximum = minimum, maximum
        shown = {"minimum": minimum, "maximum": maximum}
        metadata = {name: value for name, value in shown.items() if value is not None} | options.pop("metadata", {})
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if isinstance(self.root, Query):
            number = int(value) if re.fullmatch("-?[0-9]{1,18}", value) else None
        else:
            # In JSON 5 and 5.0 are one number; true is none.
            whole = type(value) is int or (isinstance(value, float) and value.is_integer())
            number = int(value) if whole else None
        if number is None:
            raise self.make_error("invalid")
        if (self.minimum is not None and number < self.minimum) or (self.maximum is not None and number > self.maximum):
            complaint = FieldErrorMessage(
                "out_of_range", f"A whole number from {self.minimum} to {self.maximum} is expected here."
            )
            raise ValidationError([complaint])
        return number


class Flag(fields.Boolean):
    """true or false, and nothing that might mean one of them."""

    default_error_messages: Any = _complaints(
        invalid=FieldErrorMessage("wrong_type", "true or false is expected here.")
    )

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if isinstance(self.parent, Query):
            value = {"true": True, "false": False}.get(value)
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


_UUID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Id(fields.UUID):
    """An id: a UUID in its hyphenated form (RFC 9562, 4)."""

    default_error_messages: Any = _complaints(
        invalid_uuid=FieldErrorMessage("invalid_id", "An id is 32 hexadecimal digits in five groups with hyphens.")
    )

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> UUID:
        if not isinstance(value, str) or _UUID.fullmatch(value) is None:
            raise self.make_error("invalid_uuid")
        return UUID(value)


# RFC 3339, 5.6, whose letters may be small.
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})",
    re.ASCII,
)


class Timestamp(fields.AwareDateTime):
    """A moment as RFC 3339 has it, with its offset: without one nobody knows which moment is meant."""

    default_error_messages: Any = _complaints(
        invalid=FieldErrorMessage(
            "invalid_moment", "A moment is written 2026-01-31T09:30:00Z, or with +02:00 (in a URL %2B02:00) for Z."
        )
    )

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise self.make_error("invalid")
        date, minute, second, fraction, offset = found.groups()
        # A leap second is the moment before the next second begins, as far as Python can tell.
        leap = second == "60"
        text = f"{date}T{minute}:{59 if leap else second}{(fraction or '.0')[:7].ljust(7, '0')}{offset.upper()}"
        try:
            return datetime.fromisoformat(text).astimezone(UTC) + timedelta(seconds=leap)
        except (ValueError, OverflowError):
            raise self.make_error("invalid") from None


class Choice(fields.Enum[Any]):
    """One of the values of an enumeration."""

    default_error_messages: Any = _complaints()

    def __init__(self, kind: type[Enum], **options: Any) -> None:
        unknown = FieldErrorMessage(
            "unknown_value", f"One of {', '.join(str(each.value) for each in kind)} is expected here."
        )
        metadata = {"type": "string", **options.pop("metadata", {})}
        super().__init__(kind, by_value=True, metadata=metadata, error_messages={"unknown": unknown}, **options)  # type: ignore[dict-item]  # messages may be of any type

    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> Any:
        # An enumeration of strings would take true for "true" nowhere, and would look a list up in vain.
        if not isinstance(value, str):
            raise self.make_error("unknown")
        return super()._deserialize(value, *rest, **options)


class ObjectOf(fields.Nested):
    """A JSON object of a schema of its own."""

    default_error_messages: Any = _complaints(type=FieldErrorMessage("wrong_type", "A JSON object is expected here."))


class TextMap(fields.Dict):
    """A JSON object whose values are strings."""

    default_error_messages: Any = _complaints(
        invalid=FieldErrorMessage("wrong_type", "A JSON object is expected here.")
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(keys=Text(), values=Text(), **options)


class ListOf(fields.List[Any]):
    """A JSON array of objects of one schema."""

    default_error_messages: Any = _complaints(invalid=FieldErrorMessage("wrong_type", "An array is expected here."))

    def __init__(self, schema: type[Schema], **options: Any) -> None:
        super().__init__(ObjectOf(schema), **options)


# Possessive: a long row that fits nowhere is left at once.
_VALUE_OF_ROW = re.compile(r'\s*+(?:"((?:[^"]|"")*+)"\s*+|([^",]*+))(,|\Z)')


class CommaSeparated(fields.List[Any]):
    """Values separated by commas, in a query, as in a row of CSV (RFC 4180, 2); each is read by `inner`.

    A value that has a comma in it stands in double quotes, and each double quote in it is doubled.
    """

    default_error_messages: Any = _complaints(
        invalid=FieldErrorMessage("malformed_list", 'A value with a comma or a double quote is written "a, ""b""".'),
        too_many=FieldErrorMessage("too_many_values", f"At most {MAX_VALUES} values are taken; ask several times."),
    )

    def _deserialize(self, value: Any, *rest: Any, **_: Any) -> list[Any]:
        # A complaint names the parameter rather than the place in its list: parameters have no pointers into them.
        parts = list(islice(self._parts(value), MAX_VALUES + 1))
        if len(parts) > MAX_VALUES:
            raise self.make_error("too_many")
        return [self.inner.deserialize(part, *rest) for part in parts]

    def _parts(self, row: str) -> Iterator[str]:
        more, end = ",", 0
        while more:
            found = _VALUE_OF_ROW.match(row, end)
            if found is None:
                raise self.make_error("invalid")
            quoted, plain, more = found.groups()
            yield plain.strip() if quoted is None else quoted.replace('""', '"')
            end = found.end()


def field_errors_of(messages: Any) -> list[FieldError]:
    """What marshmallow complains of, in the words of the core; a path into the body is joined by dots."""
    return list(_flattened(messages, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedFieldError(FieldError):
    """A problem whose path is known part by part: the names in a body may have dots in them.

    `count` is the number of errors that it stands for.
    """

    path: tuple[str, ...]
    count: int = 1


def _flattened(messages: Any, path: tuple[str, ...]) -> list[FieldError]:
    if isinstance(messages, dict):
        found: list[FieldError] = []
        for name, inner in messages.items():
            found += _flattened(inner, path if name == SCHEMA else (*path, str(name)))
        return found
    listed = messages if isinstance(messages, list) else [messages]
    return [_problem(path, each) for each in listed]


def _problem(path: tuple[str, ...], message: Any) -> FieldError:
    complaint = message if isinstance(message, FieldErrorMessage) else FieldErrorMessage("invalid", str(message))
    path = path if complaint.member is None else (*path, complaint.member)
    return LocatedFieldError(
        field=".".join(path), path=path, code=complaint.code, detail=complaint.detail, count=complaint.count
    )
