"""Keyset pages: a page starts after the last item of the one before, never at an offset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Position:
    """Where an item stands in a list that is sorted by `at` and, within one moment, by `id`."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """At most `limit` items (1 to 200) that stand after `after` in the list's own order."""

    limit: int = DEFAULT_LIMIT
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A stretch of a list. `next` is where the following page starts after; None on the last page."""

    items: Sequence[T]
    next: Position | None


def page_of(found: Sequence[T], limit: int, position: Callable[[T], Position]) -> Page[T]:
    """Cut a page out of up to `limit + 1` items: one more than asked for tells that there is a next page."""
    items = found[:limit]
    more = len(found) > limit
    return Page(items, position(items[-1]) if more else None)
