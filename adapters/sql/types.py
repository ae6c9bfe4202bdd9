"""Column types for ids, moments, JSON and exact text, the same on all databases."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BINARY, BigInteger, DateTime, LargeBinary, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Return the exact number of microseconds from 1970 to an aware moment."""
    return (moment - EPOCH) // MICROSECOND


def moment(value: datetime | None, dialect: Dialect) -> int | datetime | None:
    """Return an aware moment in the form of the driver."""
    return Moment().process_bind_param(value, dialect)


def read_moment(text: str) -> datetime:
    """Parse a moment that a database wrote as text: microseconds since 1970 on SQLite, date and time elsewhere."""
    return EPOCH + timedelta(microseconds=int(text)) if text.isdecimal() else datetime.fromisoformat(f"{text}+00:00")


class Identifier(TypeDecorator[UUID]):
    """A UUID as 16 bytes, which sort like the UUID."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = BINARY(16)
    cache_ok: bool | None = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(LargeBinary(16) if dialect.name == "sqlite" else BINARY(16))

    def process_bind_param(self, value: UUID | None, _dialect: Dialect) -> bytes | None:
        return None if value is None else value.bytes

    def process_result_value(self, value: bytes | None, _dialect: Dialect) -> UUID | None:
        return None if value is None else UUID(bytes=value)


class Moment(TypeDecorator[datetime]):
    """An aware moment in UTC, to the microsecond.

    SQLite has no such type. There it is the microseconds since 1970: 8 bytes in each index instead of 26.
    """

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = DateTime
    cache_ok: bool | None = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else mysql.DATETIME(fsp=6))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | datetime | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return microseconds(value)
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return EPOCH + timedelta(microseconds=value)
        moment: datetime = value.replace(tzinfo=UTC)
        return moment


class ExactJson(TypeDecorator[Any]):
    """Plain values as JSON text that keeps the order of names, which a database's own type for JSON does not.

    The text is ASCII, so that lone surrogates are preserved too.
    """

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = Text
    cache_ok: bool | None = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else mysql.MEDIUMTEXT())

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str:
        return exact_json(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def exact_json(value: Any) -> str:
    """Return the text that `ExactJson` stores."""
    return json.dumps(value, separators=(",", ":"))


def exact_text(max_length: int) -> String:
    """Return a type for text of at most `max_length` characters, compared by code points on all databases."""
    exact = mysql.VARCHAR(max_length, charset="utf8mb4", collation="utf8mb4_bin")
    return String(max_length).with_variant(exact, "mysql", "mariadb")


def blob() -> LargeBinary:
    """Return a type for up to 16 MiB of bytes."""
    return LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")
