"""The current correlation id and user, in context variables and on log records."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str | None] = ContextVar("correlation_id", default=None)
_user_id: ContextVar[str | None] = ContextVar("user_id", default=None)


def correlation_id() -> str | None:
    """Return the correlation id of the current request or job, or None."""
    return _current.get()


def set_correlation_id(current: str | None) -> None:
    """Set the current correlation id."""
    _current.set(current)


def set_user_id(current: str | None) -> None:
    """Set the id of the user on whose behalf this process works now."""
    _user_id.set(current)


@contextmanager
def correlation_scope(current: str | None) -> Iterator[None]:
    """Set the correlation id for a block."""
    token = _current.set(current)
    try:
        yield
    finally:
        _current.reset(token)


class ContextFilter(logging.Filter):
    """A logging filter that sets `component`, `correlation_id` and `user_id` on every record that has none."""

    def __init__(self, component: str) -> None:
        super().__init__()
        self._component = component

    def filter(self, record: logging.LogRecord) -> bool:
        current = {"component": self._component, "correlation_id": _current.get(), "user_id": _user_id.get()}
        for name, value in current.items():
            if getattr(record, name, None) is None:
                setattr(record, name, value)
        return True
