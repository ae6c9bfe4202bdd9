"""The id that ties together everything that follows from one request, in whichever process it is done."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str | None] = ContextVar("correlation_id", default=None)


def correlation_id() -> str | None:
    """The id of the request that is being worked on here; None outside of one."""
    return _current.get()


def set_correlation_id(current: str | None) -> None:
    """Say which request is worked on from here on."""
    _current.set(current)


@contextmanager
def correlation_scope(current: str | None) -> Iterator[None]:
    """Say which request the block follows from."""
    token = _current.set(current)
    try:
        yield
    finally:
        _current.reset(token)


class CorrelationFilter(logging.Filter):
    """Puts the correlation id on every log record that has none of its own, as `correlation_id`."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "correlation_id", None) is None:
            record.correlation_id = correlation_id()
        return True
