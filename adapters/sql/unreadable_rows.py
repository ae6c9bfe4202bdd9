"""Reading of rows in spite of tampered values: an unreadable row does not prevent reading the others."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Column, Connection, LargeBinary, Select, cast
from sqlalchemy.engine import Row
from sqlalchemy.exc import DatabaseError

from unite_core.calls.ledger import Unreadable

T = TypeVar("T")

UNREADABLE_VALUE_ERRORS = (ValueError, TypeError, OverflowError, AttributeError, DatabaseError)
"""Errors for a value that the column cannot have. SQLite's driver raises `DatabaseError` for invalid text."""

_UUID_BYTES = 16


def read_one_by_one(
    connection: Connection, statement: Select[Any], identity: Column[UUID], read: Callable[[Row[Any]], T]
) -> list[T | Unreadable]:
    """Read the rows of the statement one by one; return `Unreadable` with its `identity` for a row that fails."""
    ids = connection.execute(statement.with_only_columns(cast(identity, LargeBinary))).scalars().all()
    results: list[T | Unreadable] = []
    for place, identifier in enumerate(ids):
        try:
            results.append(read(connection.execute(statement.limit(1).offset(place)).one()))
        except UNREADABLE_VALUE_ERRORS:
            results.append(Unreadable(to_id(identifier)))
    return results


def to_id(identifier: bytes) -> UUID | None:
    """Return the id in these bytes; None if they are not an id."""
    return UUID(bytes=identifier) if len(identifier) == _UUID_BYTES else None
