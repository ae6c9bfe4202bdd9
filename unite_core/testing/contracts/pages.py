"""Checks of the pages of a list, for every suite whose port has one."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from unite_core.paging import Page, PageRequest, Position

T = TypeVar("T")

_MICROSECOND = timedelta(microseconds=1)
_LOWEST, _GREATEST = UUID(int=0), UUID(int=(1 << 128) - 1)


def check_pages(
    page: Callable[[PageRequest], Page[T]],
    expected: Sequence[T],
    position: Callable[[T], Position],
    *,
    descending: bool = True,
) -> None:
    """Check that pages of every size have the expected items, and that they start after any position.

    `expected` is the whole list, sorted by `position`. It needs several items of the same moment.
    """
    assert len({position(item).at for item in expected}) < len(expected)
    for limit in range(1, len(expected) + 2):
        _check_walk(page, expected, position, limit)
    for after in _positions(expected, position):
        following = [item for item in expected if _is_after(position(item), after, descending=descending)]
        assert [*page(PageRequest(limit=len(expected), after=after)).items] == following


def _check_walk(
    page: Callable[[PageRequest], Page[T]], expected: Sequence[T], position: Callable[[T], Position], limit: int
) -> None:
    after: Position | None = None
    for start in range(0, len(expected), limit):
        items = [*expected[start : start + limit]]
        found = page(PageRequest(limit=limit, after=after))
        assert [*found.items] == items
        # The last page has no next one, even if it is full.
        after = position(items[-1]) if start + limit < len(expected) else None
        assert found.next == after


def _positions(items: Sequence[T], position: Callable[[T], Position]) -> list[Position]:
    """Return positions at, before, between and after the items, of which most are those of no item.

    A moment of items comes with every id, because there the id decides; any other moment with the two furthest ids.
    """
    moments = {position(item).at for item in items}
    ids = [position(item).id for item in items]
    at = [Position(moment, each) for moment in moments for each in (_LOWEST, *ids, _GREATEST)]
    near = {moment + step * _MICROSECOND for moment in moments for step in (-1, 1)} - moments
    return at + [Position(moment, each) for moment in near for each in (_LOWEST, _GREATEST)]


def _is_after(it: Position, after: Position, *, descending: bool) -> bool:
    ours, theirs = (it.at, it.id), (after.at, after.id)
    return ours < theirs if descending else ours > theirs
