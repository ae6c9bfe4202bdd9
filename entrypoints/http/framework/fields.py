"""Strict marshmallow schemas and fields for bodies and queries, with an error code per rule.

The business rules (lengths, characters, phone numbers) are in the core; a schema only documents them, as
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
"""The number of field errors that a problem document shows."""

MAX_VALUES = 200
"""The number of values that a query parameter with several values accepts."""


@dataclass(frozen=True, slots=True)
class FieldErrorMessage:
    """The error message of a field: a stable code, and a sentence on what to do.

    `count` is the number of errors that it stands for. `member` names a member of an object where marshmallow would
    report the object as a whole.
    """

    code: str
    detail: str
    count: int = 1
    member: str | None = None


_NULL_IN_REQUIRED: Any = FieldErrorMessage("null", "This is required, and may not be null.")


def _complaints(**own: FieldErrorMessage) -> Any:
    """Return the messages of a field: its own, and those of every field. Marshmallow passes them on unchanged."""
    return {
        "required": FieldErrorMessage("required", "This is required."),
        "null": FieldErrorMessage("null", "This may be left out, and may not be null."),
        **own,
    }


class _Strict(Schema):
    """A schema that refuses unknown names.

    Unknown names are reported in the order of the input, and no more errors are stored than can be shown: an object
    full of unknown names costs no more than parsing its JSON.
    """

    class Meta:
        """The options of the schema."""

        unknown = RAISE

    def _deserialize(
        self, data: Any, *, error_store: Any, many: bool = False, unknown: UnknownOption = RAISE, **options: Any
    ) -> Any:
        refuse = unknown == RAISE and not many
        loaded = super()._deserialize(
            data, error_store=error_store, many=many, unknown=EXCLUDE if refuse else unknown, **options
        )
        if refuse and isinstance(data, Mapping):
            known = {field.data_key or name for name, field in self.load_fields.items()}
            unknown_names = [name for name in data if name not in known]
            complaint = cast("FieldErrorMessage", self.error_messages["unknown"])
            for name in unknown_names[:MAX_ERRORS]:
                member = name if name == SCHEMA else None
                error_store.store_error([replace(complaint, member=member)], name)
            if more := unknown_names[MAX_ERRORS:]:
                error_store.store_error([replace(complaint, count=len(more))], more[0])
        return loaded


class Body(_Strict):
    """The body of a request: an object without unknown names."""

    error_messages: Any = _complaints(
        type=FieldErrorMessage("wrong_type", "A JSON object is expected here."),
        unknown=FieldErrorMessage("unknown_field", "There is no such field."),
    )

    def on_bind_field(self, _: str, field_obj: fields.Field[Any]) -> None:
        """Set the message for null in a required field: it says that the field may not be left out either."""
        if field_obj.required:
            field_obj.error_messages["null"] = _NULL_IN_REQUIRED


class Query(_Strict):
    """The query of a request: no unknown parameter, and none twice."""

    error_messages: Any = _complaints(unknown=FieldErrorMessage("unknown_parameter", "There is no such parameter."))


class Text(fields.String):
    """A string of at most `MAX_TEXT_LENGTH` characters; numbers are refused.

    The limit is checked for every text before anything else; the limit of each field is a rule of the core.
    """

    default_error_messages: Any = _complaints(
        invalid=FieldErrorMessage("wrong_type", "A string is expected here."),
        too_long=FieldErrorMessage("too_long", f"At most {MAX_TEXT_LENGTH} characters are accepted."),
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
            # In JSON 5 and 5.0 are the same number; true is not a number.
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
    """A boolean: only true or false, no values that could mean one of them."""

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


# RFC 3339, 5.6; its letters may be in lower case.
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})",
    re.ASCII,
)


class Timestamp(fields.AwareDateTime):
    """A time in the format of RFC 3339; the offset is required, because without it the time is ambiguous."""

    default_error_messages: Any = _complaints(
        invalid=FieldErrorMessage(
            "invalid_moment", "A moment is written 2026-01-31T09:30:00Z, or with +02:00 (in a URL %2B02:00) for Z."
        )
    )

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise self.make_error("invalid")
        date, minute, second, fraction, offset = match.groups()
        # Python has no leap seconds: second 60 is read as 59 plus one second.
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
        # marshmallow would look up any value in the enumeration; only strings can be members.
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


# Possessive quantifiers: a long row that does not match fails at once, without backtracking.
_VALUE_OF_ROW = re.compile(r'\s*+(?:"((?:[^"]|"")*+)"\s*+|([^",]*+))(,|\Z)')


class CommaSeparated(fields.List[Any]):
    """Values in a query, separated by commas as in a row of CSV (RFC 4180, 2); `inner` reads each value.

    A value with a comma is written in double quotes, and each double quote in it is doubled.
    """

    default_error_messages: Any = _complaints(
        invalid=FieldErrorMessage("malformed_list", 'A value with a comma or a double quote is written "a, ""b""".'),
        too_many=FieldErrorMessage(
            "too_many_values", f"At most {MAX_VALUES} values are accepted; send several requests."
        ),
    )

    def _deserialize(self, value: Any, *rest: Any, **_: Any) -> list[Any]:
        # The error names the parameter and not the place in its list: there are no pointers into parameters.
        parts = list(islice(self._parts(value), MAX_VALUES + 1))
        if len(parts) > MAX_VALUES:
            raise self.make_error("too_many")
        return [self.inner.deserialize(part, *rest) for part in parts]

    def _parts(self, row: str) -> Iterator[str]:
        more, end = ",", 0
        while more:
            match = _VALUE_OF_ROW.match(row, end)
            if match is None:
                raise self.make_error("invalid")
            quoted, plain, more = match.groups()
            yield plain.strip() if quoted is None else quoted.replace('""', '"')
            end = match.end()


def field_errors_of(messages: Any) -> list[FieldError]:
    """Return marshmallow's errors as field errors of the core; the parts of a path are joined by dots."""
    return list(_flattened(messages, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedFieldError(FieldError):
    """A field error whose path is known part by part, because the names in a body may contain dots.

    `count` is the number of errors that it stands for.
    """

    path: tuple[str, ...]
    count: int = 1


def _flattened(messages: Any, path: tuple[str, ...]) -> list[FieldError]:
    if isinstance(messages, dict):
        problems: list[FieldError] = []
        for name, inner in messages.items():
            problems += _flattened(inner, path if name == SCHEMA else (*path, str(name)))
        return problems
    listed = messages if isinstance(messages, list) else [messages]
    return [_problem(path, each) for each in listed]


def _problem(path: tuple[str, ...], message: Any) -> FieldError:
    complaint = message if isinstance(message, FieldErrorMessage) else FieldErrorMessage("invalid", str(message))
    path = path if complaint.member is None else (*path, complaint.member)
    return LocatedFieldError(
        field=".".join(path), path=path, code=complaint.code, detail=complaint.detail, count=complaint.count
    )
