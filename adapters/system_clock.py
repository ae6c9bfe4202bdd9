"""The clock of the machine."""

from datetime import UTC, datetime

from unite_core.clock import Clock


class SystemClock(Clock):
    """Tells the machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)
