"""The current correlation id, in a context variable and on log records."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str | None] = ContextVar("correlation_id", default=None)


def correlation_id() -> str | None:
    """Return the correlation id of the current request or job, or None."""
    return _current.get()


def set_correlation_id(current: str | None) -> None:
    """Set the current correlation id."""
    _current.set(current)


@contextmanager
def correlation_scope(current: str | None) -> Iterator[None]:
    """Set the correlation id for a block."""
    token = _current.set(current)
    try:
        yield
    finally:
        _current.reset(token)


class CorrelationFilter(logging.Filter):
    """A logging filter that sets `correlation_id` on every record that has none."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "correlation_id", None) is None:
            record.correlation_id = correlation_id()
        return True
