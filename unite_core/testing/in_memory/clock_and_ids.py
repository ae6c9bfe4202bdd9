"""A fixed clock and predictable ids for tests."""

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from unite_core.clock import Clock
from unite_core.ids import Ids

A_MONDAY_MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class FixedClock(Clock):
    """A clock that stands still until a test advances it."""

    def __init__(self, at: datetime = A_MONDAY_MORNING) -> None:
        if at.utcoffset() is None:
            raise ValueError("at: The time of a clock needs a time zone; this one is naive.")
        self._at = at

    def now(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> None:
        """Advance the clock."""
        self._at += by


class SequentialIds(Ids):
    """Predictable ids: each has the shape of a UUID version 7 (RFC 9562, 5.7), one millisecond after the last."""

    def __init__(self, first_millisecond: int = 1_772_442_000_000) -> None:
        self._milliseconds = count(first_millisecond)

    def new(self) -> UUID:
        return UUID(int=next(self._milliseconds) << 80 | 0x7 << 76 | 0b10 << 62)
