"""Functions that break an adapter in one way, and the list of the broken adapters of one port."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from unicodedata import combining, normalize
from uuid import UUID

from unite_core.paging import Page, PageRequest, Position

Method = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Port:
    """The adapters of one port: `suite` makes the test class of an adapter, `right` is the one that has to pass.

    `broken` is what each of the others does wrong.
    """

    name: str
    suite: Callable[[Any], type]
    right: Any
    broken: Mapping[str, Any]


def with_methods(base: type, **methods: Any) -> Any:
    """Return a subclass with these methods."""
    return type(f"Broken{base.__name__}", (base,), methods)


def doing_nothing(base: type, *names: str, result: Any = None) -> Any:
    """Return a subclass whose methods of these names do nothing but return `result`."""
    return with_methods(base, **dict.fromkeys(names, lambda *_, **__: result))


def returning(base: type, name: str, change: Callable[[Any], Any]) -> Any:
    """Return a subclass whose method returns `change(result)`."""
    original = getattr(base, name)
    return with_methods(base, **{name: lambda *given, **named: change(original(*given, **named))})


def storing(base: type, change: Callable[[Any], Any], *names: str) -> Any:
    """Return a subclass whose methods get `change(copy of their first argument)` instead of it."""

    def changed(original: Method) -> Method:
        return lambda self, first, *given, **named: original(self, change(deepcopy(first)), *given, **named)

    return with_methods(base, **{name: changed(getattr(base, name)) for name in names})


def keeping(base: type, field: str, *names: str) -> Any:
    """Return a subclass that stores None in place of a field."""
    return storing(base, lambda thing: with_value(thing, field, lambda _: None), *names)


def with_value(thing: Any, field: str, change: Callable[[Any], Any]) -> Any:
    """Return the thing with one field changed, in place, frozen or not."""
    object.__setattr__(thing, field, change(getattr(thing, field)))
    return thing


def without_microseconds(thing: Any) -> Any:
    """Return the thing with all of its moments cut to seconds, in place."""
    for field in fields(thing):
        if isinstance(getattr(thing, field.name), datetime):
            with_value(thing, field.name, lambda at: at.replace(microsecond=0))
    return thing


def cut(field: str, length: int) -> Callable[[Any], Any]:
    """Return a function that cuts a text of a thing, in place."""
    return lambda thing: with_value(thing, field, lambda text: text and text[:length])


def without_accents(text: str) -> str:
    """Return the text as a database compares it whose collation ignores accents."""
    return "".join(each for each in normalize("NFD", text) if not combining(each))


def in_the_basic_plane(text: str) -> str:
    """Return the text without the characters that MySQL's `utf8mb3` lacks."""
    return "".join(each for each in text if ord(each) < 0x10000)


def without_copies(name: str = "copied") -> Callable[[Method], Method]:
    """Return a decorator: inside the method nothing is copied, so that callers get what is stored."""

    def decorate(method: Method) -> Method:
        def run(*given: Any, **named: Any) -> Any:
            module = method.__globals__
            original, module[name] = module[name], lambda thing: thing
            try:
                return method(*given, **named)
            finally:
                module[name] = original

        return run

    return decorate


def raising(error: Exception) -> Any:
    """Raise the error, inside an expression."""
    raise error


def uncopied(base: type, *names: str) -> Any:
    """Return a subclass whose methods of these names neither copy what they get nor what they return."""
    return with_methods(base, **{name: without_copies()(getattr(base, name)) for name in names})


def pages_of(base: type) -> dict[str, Any]:
    """Return the adapters whose `page` is broken in the ways in which pages are."""
    page = base.page  # type: ignore[attr-defined]  # every adapter that is passed has it
    lowest, greatest = UUID(int=0), UUID(int=(1 << 128) - 1)
    first, last = (greatest, lowest) if "Tasks" not in base.__name__ else (lowest, greatest)

    def way(break_page: Callable[[Any, Any], Any]) -> Any:
        """Break the page, given a function that returns the right one, and the request."""
        return with_methods(
            base,
            page=lambda self, filters, request: break_page(lambda it: page(self, filters, it), request),
        )

    return {
        "items of the moment of the cursor are skipped": way(lambda page, it: page(_at(it, last))),
        "items of the moment of the cursor come again": way(lambda page, it: page(_at(it, first))),
        "an exactly full last page has a next one": way(lambda page, it: _with_next_if_full(page(it), it)),
        "no page has a next one": way(lambda page, it: replace(page(it), next=None)),
        "pages have one item more than asked for": way(lambda page, it: page(replace(it, limit=it.limit + 1))),
        "pages have one item less than asked for": way(lambda page, it: page(replace(it, limit=max(1, it.limit - 1)))),
        "every page is the first": way(lambda page, it: page(replace(it, after=None))),
        "pages are sorted the other way round": way(lambda page, it: _reversed(page(it))),
        "the cursor is cut to seconds": way(lambda page, it: page(_in_seconds(it))),
    }


def _at(request: PageRequest, item_id: UUID) -> PageRequest:
    """Return the request with a cursor of the same moment and this id."""
    return request if request.after is None else replace(request, after=replace(request.after, id=item_id))


def _in_seconds(request: PageRequest) -> PageRequest:
    return request if request.after is None else replace(request, after=without_microseconds(deepcopy(request.after)))


def _with_next_if_full(page: Page[Any], request: PageRequest) -> Page[Any]:
    full = len(page.items) == request.limit
    return replace(page, next=page.next or _somewhere(page.items[-1])) if full else page


def _reversed(page: Page[Any]) -> Page[Any]:
    return replace(page, items=[*page.items][::-1])


def _somewhere(item: Any) -> Position:
    """Return a position for an item; its moment is one of these."""
    names = ("created_at", "due_at", "at")
    return Position(next(getattr(item, name) for name in names if hasattr(item, name)), item.id)
