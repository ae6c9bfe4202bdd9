"""Keyset pagination: a page starts after the last item of the previous one, never at an offset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from unite_core.checks import Input, between

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Position(Input):
    """The position of an item in a list that is sorted by `at`, then by `id`."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest(Input):
    """A request for at most `limit` items (1 to 200) after the position `after` in the list's own order."""

    limit: Annotated[int, between(1, MAX_LIMIT)] = DEFAULT_LIMIT
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. `next` is the position after which the following page starts; None on the last page."""

    items: Sequence[T]
    next: Position | None


def page_of(rows: Sequence[T], limit: int, position: Callable[[T], Position]) -> Page[T]:
    """Make a page of up to `limit + 1` rows: one row more than `limit` says that there is a next page."""
    items = rows[:limit]
    more = len(rows) > limit
    return Page(items, position(items[-1]) if more else None)
