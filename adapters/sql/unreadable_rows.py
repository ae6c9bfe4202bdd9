"""Reading rows in which somebody has put what is none of their values: the others are read as if nothing were wrong."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Column, Connection, LargeBinary, Select, cast
from sqlalchemy.engine import Row
from sqlalchemy.exc import DatabaseError

from unite_core.calls.ledger import Unreadable

T = TypeVar("T")

UNREADABLE_VALUE_ERRORS = (ValueError, TypeError, OverflowError, AttributeError, DatabaseError)
"""What is raised for a value that its column cannot have; the last by SQLite's driver, for text that is none."""

_LENGTH = 16


def read_one_by_one(
    connection: Connection, statement: Select[Any], identity: Column[UUID], read: Callable[[Row[Any]], T]
) -> list[T | Unreadable]:
    """What the statement finds, each row read by itself; `identity` tells those that cannot be read from each other."""
    ids = connection.execute(statement.with_only_columns(cast(identity, LargeBinary))).scalars().all()
    found: list[T | Unreadable] = []
    for place, identifier in enumerate(ids):
        try:
            found.append(read(connection.execute(statement.limit(1).offset(place)).one()))
        except UNREADABLE_VALUE_ERRORS:
            found.append(Unreadable(to_id(identifier)))
    return found


def to_id(identifier: bytes) -> UUID | None:
    """The id that these bytes are, None where they are none."""
    return UUID(bytes=identifier) if len(identifier) == _LENGTH else None
