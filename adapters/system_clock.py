"""The system clock."""

from datetime import UTC, datetime

from unite_core.clock import Clock

__all__ = ["SystemClock"]


class SystemClock(Clock):
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)
